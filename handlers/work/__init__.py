"""Work that waits for somebody outside: gates, which people decide, and agent steps, which agents perform.

A gate or agent step is a Task `lambda:invoke.waitForTaskToken` of the function `stratum-work`, which is `handler`
here. It keeps a *work item* in the store and returns; whoever decides or performs it answers through this room, which
checks the answer, writes it down, and only then hands it to the task. Nothing here waits, and nothing is remembered
between two calls but in the store.

- `intake`: the handler: payloads of the compiled steps in, work items out.
- `items`: work items in the store: opened, found, listed, told to be open or not.
- `claims`: which agent is at work on an item, until when.
- `answers`: an agent's result, a person's decision: checked, counted once, refused with a reason.
- `rules`: who may decide a gate; what an answer must look like.
- `callbacks`: a task's token answered, here or on Step Functions.
- `journal`: what people and agents did, refusals too, in a log with digests of its own.
- `links`: signed links that decide a gate once; `page`: what a browser sees of one.
- `notifying`: SNS, webhooks and commands that tell people of a gate.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .intake import handle, handler

__all__ = ["handle", "handler"]


def __getattr__(name: str) -> Any:
    """The handler is imported when it is called for: most who come here want something else of this room."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from . import intake

    return getattr(intake, name)

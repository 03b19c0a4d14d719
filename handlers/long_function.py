"""How a deployed function that may run long is entered: it was invoked asynchronously, so that nobody pays for waiting.

An asynchronous invocation brings no client context, so the event is an envelope (`integrations.later`) and this puts its
context where `TaskContext` and every handler look for it. What comes without an envelope is handed on as it is. This file
is put into the archive of the user's handlers by itself: it imports nothing of ours.
"""

import importlib
import os
from functools import lru_cache
from types import SimpleNamespace
from typing import Any

ENVELOPE = "stratum:task"


@lru_cache(maxsize=1)
def _handler() -> Any:
    module, _, name = os.environ["STRATUM_HANDLER"].rpartition(".")
    return getattr(importlib.import_module(module), name)


if "STRATUM_HANDLER" in os.environ:
    _handler()  # imported while Lambda starts, as every handler's module is


def handler(event: Any, context: Any) -> Any:
    """Lambda's entry point."""
    if isinstance(event, dict) and ENVELOPE in event:
        custom = event[ENVELOPE]["context"]
        context.client_context = SimpleNamespace(custom=custom, env=None, client=None)
        event = event["payload"]
    return _handler()(event, context)

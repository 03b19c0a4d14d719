"""What `import stratum` gives: everything that a program in Python uses, each looked up when it is first named.

    from stratum import task

This file is installed as the package `stratum` itself, around the rooms. (A folder with a dot in its name is no
package of its own, so that it is not found a second time in `local`.)
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stratum.handlers.task_function import NoIdempotencyKey, Task, TaskContext, task
    from stratum.statelang.python.annotations import AnnotationError, ContractViolated
    from stratum.statelang.python.options import Retry

_WHERE = {
    "AnnotationError": "statelang.python.annotations", "ContractViolated": "statelang.python.annotations",
    "NoIdempotencyKey": "handlers.task_function", "Retry": "statelang.python.options", "Task": "handlers.task_function",
    "TaskContext": "handlers.task_function", "task": "handlers.task_function",
}  # fmt: skip

__all__ = [
    "AnnotationError",
    "ContractViolated",
    "NoIdempotencyKey",
    "Retry",
    "Task",
    "TaskContext",
    "task",
]


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module 'stratum' has no attribute {name!r}")
    found = getattr(importlib.import_module(f"stratum.{_WHERE[name]}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

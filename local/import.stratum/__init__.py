"""What `import stratum` gives: everything that a program in Python uses, each looked up when it is first named.

    from stratum import Stratum, Workflow, task

This file is installed as the package `stratum` itself, around the rooms. (A folder with a dot in its name is no
package of its own, so that it is not found a second time in `local`.)
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stratum.handlers.task_function import NoIdempotencyKey, Task, TaskContext, task
    from stratum.local.client.asynchronous import AsyncStratum
    from stratum.local.client.client import Stratum
    from stratum.local.client.errors import (
        AccessDenied,
        ApiError,
        ConnectionFailed,
        ExecutionAborted,
        ExecutionAlreadyExists,
        ExecutionDoesNotExist,
        ExecutionFailed,
        ExecutionNotRedrivable,
        ExecutionTimedOut,
        ExecutionUnsuccessful,
        GateRefused,
        InvalidInput,
        NotAvailable,
        StateMachineDoesNotExist,
        StratumError,
        TaskDoesNotExist,
        TaskTimedOut,
        WaitTimeout,
    )
    from stratum.local.client.execution import Execution
    from stratum.statelang.python.annotations import AnnotationError, ContractViolated
    from stratum.statelang.python.options import Retry
    from stratum.statelang.python.references import Expression, choose, contained, expression, fn, null
    from stratum.statelang.python.workflow import Workflow
    from stratum.statelang.spec.diagnostics import InvalidWorkflow

_WHERE = {
    "local.client.asynchronous": ("AsyncStratum",),
    "local.client.client": ("Stratum",),
    "local.client.errors": (
        "AccessDenied",
        "ApiError",
        "ConnectionFailed",
        "ExecutionAborted",
        "ExecutionAlreadyExists",
        "ExecutionDoesNotExist",
        "ExecutionFailed",
        "ExecutionNotRedrivable",
        "ExecutionTimedOut",
        "ExecutionUnsuccessful",
        "GateRefused",
        "InvalidInput",
        "NotAvailable",
        "StateMachineDoesNotExist",
        "StratumError",
        "TaskDoesNotExist",
        "TaskTimedOut",
        "WaitTimeout",
    ),
    "local.client.execution": ("Execution",),
    "handlers.task_function": ("NoIdempotencyKey", "Task", "TaskContext", "task"),
    "statelang.python.annotations": ("AnnotationError", "ContractViolated"),
    "statelang.python.options": ("Retry",),
    "statelang.python.references": ("Expression", "choose", "contained", "expression", "fn", "null"),
    "statelang.python.workflow": ("Workflow",),
    "statelang.spec.diagnostics": ("InvalidWorkflow",),
}

_MODULES = {name: module for module, names in _WHERE.items() for name in names}

__all__ = [
    "AccessDenied",
    "AnnotationError",
    "ApiError",
    "AsyncStratum",
    "ConnectionFailed",
    "ContractViolated",
    "Execution",
    "ExecutionAborted",
    "ExecutionAlreadyExists",
    "ExecutionDoesNotExist",
    "ExecutionFailed",
    "ExecutionNotRedrivable",
    "ExecutionTimedOut",
    "ExecutionUnsuccessful",
    "Expression",
    "GateRefused",
    "InvalidInput",
    "InvalidWorkflow",
    "NoIdempotencyKey",
    "NotAvailable",
    "Retry",
    "StateMachineDoesNotExist",
    "Stratum",
    "StratumError",
    "Task",
    "TaskContext",
    "TaskDoesNotExist",
    "TaskTimedOut",
    "WaitTimeout",
    "Workflow",
    "choose",
    "contained",
    "expression",
    "fn",
    "null",
    "task",
]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module 'stratum' has no attribute {name!r}")
    found = getattr(importlib.import_module(f"stratum.{_MODULES[name]}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

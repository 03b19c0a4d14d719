"""What Python's things are called in a spec: functions and exceptions."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from pathlib import PurePath
from typing import Any

EVENT, CONTEXT = "event", "context"
"""Parameters of a handler that are no fields of its event: the event itself, and the call's context."""
ErrorName = str | type[BaseException]
"""An error by its name, or the exception whose class bears it."""


def name_of(function: Callable[..., Any]) -> str:
    """`module.function`; a program that is run has the name of its file."""
    module = function.__module__
    if module == "__main__":
        module = PurePath(inspect.unwrap(function).__code__.co_filename).stem
    return f"{module}.{function.__name__}"


def error_names(errors: Sequence[ErrorName] | ErrorName) -> list[str]:
    """The names under which Step Functions sees exceptions: those of their classes."""
    if isinstance(errors, str | type):
        errors = [errors]
    return [each if isinstance(each, str) else each.__name__ for each in errors]

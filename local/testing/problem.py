"""What is wrong with how a test is set up, as opposed to what the workflow did."""

from __future__ import annotations

import difflib
import functools
from collections.abc import Callable, Iterable
from typing import ParamSpec, TypeVar

from ..cli.problem import WrongRequest

P = ParamSpec("P")
T = TypeVar("T")


class SetupError(WrongRequest):
    """The test asks for something that is not there. The text says what, and a way on."""


class Interrupted(BaseException):
    """Carries an error of the test's own through the handlers, which would take any other for the task's."""

    def __init__(self, error: BaseException):
        super().__init__(error)
        self.error = error


def brief(function: Callable[P, T]) -> Callable[P, T]:
    """Has a test see its own line as the place of a `SetupError`, and none of ours."""

    @functools.wraps(function)
    def door(*args: P.args, **kwargs: P.kwargs) -> T:
        __tracebackhide__ = True
        try:
            return function(*args, **kwargs)
        except SetupError as error:
            raise error.with_traceback(None) from None

    return door


def named(name: str, known: Iterable[str]) -> str:
    """What there is, for a name that is none of it: the nearest, or all."""
    known = sorted(set(known))
    close = [each for each in known if each.lower() == name.lower()]
    close = close or difflib.get_close_matches(name, known, 1, 0.6)
    if close:
        return f"did you mean '{close[0]}'?"
    if not known:
        return "there are none"
    more = f" and {len(known) - 12} more" if len(known) > 12 else ""
    return f"there are {', '.join(known[:12])}{more}"

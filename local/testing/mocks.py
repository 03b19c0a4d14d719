"""What a test gives in place of a task: a value, an error, a sequence of them, a function, or no answer at all.

A value is what the task comes to: of a Lambda function, what it returns; of a service, what its API answers; of a task
that waits for its token, what SendTaskSuccess is given. An exception, or its class, is a failure: its name is the error.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from .problem import SetupError


class TaskError(Exception):
    """A failure by the name that Step Functions gives it: `TaskError("DynamoDB.ConditionalCheckFailedException", "…")`.

    `cause` is taken as it is; anything but text is put in as JSON.
    """

    def __init__(self, error: str, cause: Any = None):
        super().__init__(error, cause)
        self.error = error
        self.cause = cause if cause is None or isinstance(cause, str) else json.dumps(cause)


class _Never:
    """No answer: the task times out, or its execution waits for good."""

    def __repr__(self) -> str:
        return "never"


never = _Never()
"""A mock for a task that nobody answers."""


_NOTHING: Any = object()


@dataclass(frozen=True, slots=True)
class After:
    """An answer that comes later; with `heartbeat` (seconds), signs of life until then."""

    seconds: float
    outcome: Any
    heartbeat: float | None = None


def after(
    delay: str | float | timedelta, outcome: Any = None, *, heartbeat: str | float | timedelta | None = None
) -> After:
    """The outcome after so much virtual time: `after("2h", {"approved": True})`."""
    return After(seconds(delay), outcome, None if heartbeat is None else seconds(heartbeat))


@dataclass(frozen=True, slots=True)
class Sequence:
    """One outcome after the other, for each try of the task."""

    outcomes: tuple[Any, ...]
    then: tuple[Any, ...] = ()


def sequence(*outcomes: Any, then: Any = _NOTHING) -> Sequence:
    """The first try comes to the first outcome, and so on; `then` is for all tries after them. Without it a further
    try is an error of the test."""
    if not outcomes and then is _NOTHING:
        raise SetupError("sequence() has no outcome: write sequence(first, second, …)")
    return Sequence(outcomes, _given(then))


@dataclass(frozen=True, slots=True)
class Iterations:
    """A mock for each iteration of the Map around the task."""

    mocks: Mapping[int, Any]
    then: tuple[Any, ...] = ()


def iterations(*mocks: Any, then: Any = _NOTHING) -> Iterations:
    """The first iteration has the first mock, and so on: `iterations("a", sequence(Busy(), "b"), then="c")`."""
    return Iterations(dict(enumerate(mocks)), _given(then))


def _given(value: Any) -> tuple[Any, ...]:
    return () if value is _NOTHING else (value,)


@dataclass(frozen=True, slots=True)
class Call:
    """One try of a task, as a mock that is a function is told of it.

    `input` is what a Lambda function is given as its event, or the arguments of any other task; `attempt` counts
    from 1, anew when the state is entered again; `iteration` is that of the innermost Map; `token` is the task
    token where the task waits for one.
    """

    state: str
    step: str | None
    resource: str
    input: Any
    attempt: int
    iteration: int | None
    token: str | None
    execution: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one try comes to. Just one of them is set: `value`, `error`, or `pending`."""

    value: Any = None
    error: BaseException | None = None
    pending: bool = False
    delay: float | None = None
    heartbeat: float | None = None
    whole: bool = False


class Player:
    """A mock in one execution: knows how far its sequences have come. `name` is what the test calls it."""

    def __init__(self, name: str, mock: Any):
        self.name = name
        self.mock = mock
        self.calls = 0
        self._places: dict[tuple[int, int | None], int] = {}

    def play(self, call: Call) -> Outcome:
        """What this try comes to. Raises `SetupError` where the mock has nothing for it."""
        self.calls += 1
        return self._outcome(self.mock, call)

    def _outcome(self, mock: Any, call: Call) -> Outcome:
        scope = None
        while isinstance(mock, Sequence | Iterations | tuple):
            if isinstance(mock, Iterations):
                scope = call.iteration
            mock = self._chosen(mock, call, scope)
        if isinstance(mock, After):
            later = self._outcome(mock.outcome, call)
            return Outcome(
                later.value, later.error, later.pending, mock.seconds + (later.delay or 0), mock.heartbeat
            )
        if mock is never:
            return Outcome(pending=True)
        if isinstance(mock, BaseException):
            return Outcome(error=mock)
        if isinstance(mock, type) and issubclass(mock, BaseException):
            return Outcome(error=mock())
        if callable(mock):
            return self._called(mock, call)
        return Outcome(mock)

    def _chosen(self, mock: Any, call: Call, scope: int | None) -> Any:
        if isinstance(mock, Iterations):
            if call.iteration is None:
                raise SetupError(
                    f"the mock of '{self.name}' is by iterations, and '{call.state}' is in no Map"
                )
            if call.iteration in mock.mocks:
                return mock.mocks[call.iteration]
            if mock.then:
                return mock.then[0]
            raise SetupError(
                f"the mock of '{self.name}' has nothing for iteration {call.iteration} (they count from 0);"
                " `then=` is for all further ones"
            )
        outcomes = mock if isinstance(mock, tuple) else mock.outcomes
        key = (id(mock), scope)
        place = self._places.get(key, 0)
        self._places[key] = place + 1
        if place < len(outcomes):
            return outcomes[place]
        if isinstance(mock, Sequence) and mock.then:
            return mock.then[0]
        count = f"{len(outcomes)} outcome{'s' if len(outcomes) != 1 else ''}"
        raise SetupError(
            f"the mock of '{self.name}' has {count}, and this is try {place + 1};"
            " sequence(…, then=…) is for all further ones"
        )

    def _called(self, mock: Callable[..., Any], call: Call) -> Outcome:
        arguments = (call.input, call)[: _positional(mock)]
        try:
            answer = mock(*arguments)
        except AssertionError:
            raise  # the test's own, not the task's
        except Exception as error:
            return Outcome(error=error)
        return self._outcome(answer, call) if _is_mock(answer) else Outcome(answer)


def check(name: str, mock: Any) -> None:
    """Raises `SetupError` for what can be no mock, before anything runs."""
    if isinstance(mock, Sequence | tuple):
        for each in mock if isinstance(mock, tuple) else (*mock.outcomes, *mock.then):
            check(name, each)
    elif isinstance(mock, Iterations):
        for each in (*mock.mocks.values(), *mock.then):
            check(name, each)
    elif isinstance(mock, After):
        check(name, mock.outcome)
    elif isinstance(mock, list) and any(_is_mock(each) for each in mock):
        raise SetupError(
            f"mocks: '{name}' is a list with errors or mocks in it; a list is one value: for one outcome after the"
            " other write sequence(first, second, …)"
        )
    elif mock is not never and not callable(mock) and not isinstance(mock, BaseException):
        to_json(name, mock)


def to_json(name: str, value: Any) -> str:
    """The value as JSON text. Raises `SetupError`."""
    try:
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False, default=_plain)
    except (TypeError, ValueError, RecursionError) as error:
        raise SetupError(f"the mock of '{name}' cannot be JSON: {error}") from None


def seconds(delay: str | float | timedelta) -> float:
    """A duration as specs write it, in seconds, or as a `timedelta`. Raises `SetupError`."""
    if isinstance(delay, timedelta):
        return delay.total_seconds()
    if isinstance(delay, int | float) and not isinstance(delay, bool):
        if delay >= 0:
            return float(delay)
        raise SetupError(f"a duration is not negative: {delay}")
    from ...statelang.spec.models import seconds_of

    try:
        return float(seconds_of(delay))
    except ValueError as error:
        raise SetupError(str(error)) from None


def _is_mock(value: Any) -> bool:
    return (
        value is never
        or isinstance(value, Sequence | Iterations | After | BaseException)
        or (isinstance(value, type) and issubclass(value, BaseException))
    )


def _positional(function: Callable[..., Any]) -> int:
    """How many of (input, call) the function takes; the call only where it is asked for."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return 1
    taken = [each for each in parameters if each.kind in (each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD)]
    required = [each for each in taken if each.default is each.empty]
    if len(required) > 2:
        raise SetupError(
            f"the mock {function!r} takes {len(required)} arguments; a mock takes the input and the call"
        )
    if any(each.kind is each.VAR_POSITIONAL for each in parameters):
        return max(1, min(2, len(taken)))
    return min(2, len(taken))


def _plain(value: Any) -> Any:
    """Decimals are numbers, as in what Lambda functions return."""
    import decimal

    if isinstance(value, decimal.Decimal):
        return int(value) if value.is_finite() and value == value.to_integral_value() else float(value)
    raise TypeError(f"a {type(value).__name__} is not JSON")

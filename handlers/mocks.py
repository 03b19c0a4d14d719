"""Mocked service integrations, in AWS's `MockConfigFile.json` format.

    {"StateMachines": {"orders": {"TestCases": {"HappyPath": {"Charge": "ChargeSucceeds"}}}},
     "MockedResponses": {"ChargeSucceeds": {"0": {"Throw": {"Error": "Busy", "Cause": "…"}}, "1-2": {"Return": {…}}}}}

An execution that is started as `<state machine ARN>#HappyPath` takes what is mocked from here; its other tasks are
performed. A response is chosen by how often its state has been tried, from 0; the last one stays. Beyond AWS's format,
`Submitted` beside `Return` is what a task that waits for its end or its token is submitted with. See the AWS guide,
"Using mocked service integrations for testing in Step Functions Local".
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from .tasks import TaskCommand


class InvalidMocks(ValueError):
    """The configuration is none; the text says where and why."""


@dataclass(frozen=True, slots=True)
class Response:
    """What one try comes to: a result (JSON text), or an error and its cause.

    `pending`: neither yet; the answer comes by a message of its own, or never.
    """

    output: str | None = None
    error: str | None = None
    cause: str | None = None
    submitted: str | None = None
    pending: bool = False


class MockedTasks(Protocol):
    """What answers tasks in place of their integrations."""

    def has(self, machine: str, case: str) -> bool:
        """Whether there is that test case of the state machine."""
        ...

    def answer(self, execution: str, task: TaskCommand) -> Response | None:
        """What this try of the task comes to, or None where it is to be performed."""
        ...


@dataclass(frozen=True, slots=True)
class Mocks:
    """`cases` maps (state machine, test case) to the responses of each mocked state."""

    cases: Mapping[tuple[str, str], Mapping[str, tuple[tuple[int, int, Response], ...]]]

    def has(self, machine: str, case: str) -> bool:
        return (machine, case) in self.cases

    def covers(self, machine: str, state: str) -> bool:
        """Whether some test case of the state machine mocks the state."""
        return any(name == machine and state in states for (name, _), states in self.cases.items())

    def answer(self, execution: str, task: TaskCommand) -> Response | None:
        if task.mock is None:
            return None
        return self.response(task.mock["machine"], task.mock["case"], task.state, task.mock["attempt"])

    def response(self, machine: str, case: str, state: str, attempt: int) -> Response | None:
        """The response for the try number `attempt`, or None where the state is not mocked."""
        entries = self.cases.get((machine, case), {}).get(state)
        if not entries:
            return None
        for first, last, response in entries:
            if first <= attempt <= last:
                return response
        return entries[-1][2]


def load_mocks(path: Path | str) -> Mocks:
    """Raises `InvalidMocks`, also for a file that cannot be read."""
    try:
        return read_mocks(json.loads(Path(path).read_text()))
    except OSError as error:
        raise InvalidMocks(f"{path}: {error.strerror or error}") from None
    except (ValueError, RecursionError) as error:
        raise InvalidMocks(f"{path}: {error}") from None


def read_mocks(config: Any) -> Mocks:
    responses = {
        name: _responses(name, body) for name, body in _object(config, "MockedResponses", "the file").items()
    }
    cases: dict[tuple[str, str], dict[str, tuple[tuple[int, int, Response], ...]]] = {}
    for machine, body in _object(config, "StateMachines", "the file").items():
        for case, states in _object(body, "TestCases", f"StateMachines.{machine}").items():
            where = f"StateMachines.{machine}.TestCases.{case}"
            if not isinstance(states, dict):
                raise InvalidMocks(f"{where} is an object of states and the names of their mocked responses")
            for state, name in states.items():
                if name not in responses:
                    raise InvalidMocks(
                        f"{where}.{state}: there is no mocked response '{name}' in MockedResponses"
                    )
            cases[machine, case] = {state: responses[name] for state, name in states.items()}
    return Mocks(cases)


def _object(value: Any, key: str, where: str) -> dict[str, Any]:
    found = value.get(key, {}) if isinstance(value, dict) else None
    if not isinstance(found, dict):
        raise InvalidMocks(f"{where}: '{key}' is an object")
    return found


def _responses(name: str, body: Any) -> tuple[tuple[int, int, Response], ...]:
    if not isinstance(body, dict) or not body:
        raise InvalidMocks(f"MockedResponses.{name} is an object of tries and what they come to")
    entries = []
    for tries, given in body.items():
        first, _, last = tries.partition("-")
        if not first.isdigit() or (last and not last.isdigit()):
            raise InvalidMocks(
                f'MockedResponses.{name}: \'{tries}\' is no number of a try such as "0" or "1-3"'
            )
        entries.append((int(first), int(last or first), _response(f"MockedResponses.{name}.{tries}", given)))
    return tuple(sorted(entries, key=lambda entry: entry[0]))


def _response(where: str, given: Any) -> Response:
    if not isinstance(given, dict) or ("Return" in given) == ("Throw" in given):
        raise InvalidMocks(f"{where} has either 'Return' or 'Throw'")
    submitted = _text(given["Submitted"]) if "Submitted" in given else None
    if "Return" in given:
        return Response(output=_text(given["Return"]), submitted=submitted)
    thrown = given["Throw"]
    if not isinstance(thrown, dict) or not isinstance(thrown.get("Error"), str):
        raise InvalidMocks(f"{where}.Throw has an 'Error', and a 'Cause' where there is one")
    return Response(error=thrown["Error"], cause=thrown.get("Cause"), submitted=submitted)


def _text(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)

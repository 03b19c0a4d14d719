"""What came of an execution: how it ended, which way it took, and what each step was given and made of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from .differences import value_differences
from .problem import SetupError, brief, named
from .reports import describe, outcome
from .visits import FAILED, RUNNING, Child, Visit, visits_of
from .workflows import Workflow

if TYPE_CHECKING:
    from ..cost import Figures

NOT_ENTERED = "NOT_ENTERED"
_AROUND = ("when", "needs", "waiting")
"""Roles of a spec's states that do not yet begin the step that they belong to."""


class Path(list[str]):
    """The steps (of a spec) or states (of plain ASL) that an execution went through.

    One after the other as they were entered; the branches of a Parallel and the iterations of a Map one by one.
    `outcome` is how the execution ended, for whoever sees that the path is not as wanted.
    """

    outcome: str = ""


class Output(dict[str, Any]):
    """An output that is an object: a plain one, which is compared readably."""


class StepVisit:
    """One time that an execution came through a step."""

    def __init__(self, visits: list[Visit], task: Visit | None):
        self._visits = visits
        self._task = task or visits[0]

    @property
    def attempts(self) -> int:
        """How often its task was tried."""
        return sum(visit.attempts for visit in self._visits if visit.state == self._task.state)

    @property
    def calls(self) -> list[Any]:
        """What its task was given, for each try: a Lambda function's event, or the arguments of any other task."""
        from .definitions import payload

        visits = [visit for visit in self._visits if visit.state == self._task.state]
        return [payload(*arguments) for visit in visits for arguments in visit.arguments]

    @property
    def input(self) -> Any:
        return _value(self._visits[0].input)

    @property
    def output(self) -> Any:
        done = [
            visit for visit in self._visits if visit.state == self._task.state and visit.output is not None
        ]
        return shown(_value(done[-1].output)) if done else None

    @property
    def _failures(self) -> list[tuple[str, str | None]]:
        found: list[tuple[str, str | None]] = []
        for visit in self._visits:
            for error, cause in visit.errors:
                # What a spec's step fails with at last is what its task failed with.
                if visit.type != "Fail" or not found or found[-1][0] != error:
                    found.append((error, cause))
        return found

    @property
    def errors(self) -> list[str]:
        """The names of its failures, in order, also of those that were retried or caught."""
        return [error for error, _ in self._failures]

    @property
    def error(self) -> str | None:
        """The last of its failures."""
        return self.errors[-1] if self.errors else None

    @property
    def cause(self) -> str | None:
        return self._failures[-1][1] if self._failures else None

    @property
    def status(self) -> str:
        """SUCCEEDED, FAILED, CAUGHT (it failed, and a Catch led on), RUNNING or ABORTED."""
        if any(visit.exited is None for visit in self._visits):
            return RUNNING
        statuses = [visit.status for visit in self._visits]
        return next((each for each in reversed(statuses) if each == FAILED), self._task_status())

    def _task_status(self) -> str:
        return [visit.status for visit in self._visits if visit.state == self._task.state][-1]

    @property
    def iteration(self) -> int | None:
        """Which iteration of the Map around it, from 0."""
        return self._visits[0].iteration

    @property
    def duration(self) -> timedelta:
        """From when it was entered until it was left, in the execution's own time."""
        first, last = self._visits[0], self._visits[-1]
        return timedelta(milliseconds=(last.exited or last.entered) - first.entered)


class StepResult:
    """What an execution made of one step or state, over all its visits. What there is one of is that of the last."""

    def __init__(self, name: str, visits: list[StepVisit]):
        self.name = name
        self.visits = visits

    @property
    def ran(self) -> bool:
        return bool(self.visits)

    @property
    def attempts(self) -> int:
        """How often its task was tried, in all."""
        return sum(visit.attempts for visit in self.visits)

    @property
    def calls(self) -> list[Any]:
        """What its task was given, for each try."""
        return [call for visit in self.visits for call in visit.calls]

    @property
    def input(self) -> Any:
        """What its task was given last: a Lambda function's event, or the arguments of any other task. Of a state
        that is no task, what it was entered with."""
        calls = self.calls
        return calls[-1] if calls else self._last("input")

    @property
    def output(self) -> Any:
        return self._last("output")

    @property
    def outputs(self) -> list[Any]:
        """The output of each visit: in a Map, of each iteration."""
        return [visit.output for visit in self.visits]

    @property
    def error(self) -> str | None:
        return next((visit.error for visit in reversed(self.visits) if visit.error), None)

    @property
    def errors(self) -> list[str]:
        """The names of its failures, in order, also of those that were retried or caught."""
        return [error for visit in self.visits for error in visit.errors]

    @property
    def cause(self) -> str | None:
        return next((visit.cause for visit in reversed(self.visits) if visit.cause), None)

    @property
    def status(self) -> str:
        return self._last("status", NOT_ENTERED)

    @property
    def duration(self) -> timedelta:
        return sum((visit.duration for visit in self.visits), timedelta())

    def _last(self, name: str, default: Any = None) -> Any:
        return getattr(self.visits[-1], name) if self.visits else default

    def __repr__(self) -> str:
        text = f"<step {self.name} {self.status}"
        if self.attempts > 1:
            text += f", {self.attempts} attempts"
        if self.error:
            text += f", {self.error}"
        return f"{text}>"


class Result:
    """How an execution stands. `events` are its history, with AWS's types and fields, times in milliseconds.

    `raised` is what one of its functions or mocks raised last, as Python has it.
    """

    def __init__(
        self,
        workflow: Workflow,
        snapshot: dict[str, Any],
        events: list[dict[str, Any]],
        *,
        now: int,
        children: list[Child] | None = None,
        cost: Callable[[], Figures] | None = None,
        raised: BaseException | None = None,
        told: set[str] | None = None,
    ):
        self.workflow = workflow
        self._told_of = told if told is not None else set()
        self.events = events
        self._children = children or []
        self._cost = cost
        self.raised = raised
        self.execution: str = snapshot["execution"]["id"]
        self.status: str = snapshot["status"]
        self.error: str | None = snapshot.get("error")
        self.cause: str | None = snapshot.get("cause")
        self.input: Any = json.loads(snapshot["execution"]["input"])
        self.output: Any = shown(_value(snapshot.get("output")))
        self.duration = timedelta(
            milliseconds=(snapshot.get("stopped") or now) - snapshot["execution"]["started"]
        )
        if self.status == "TIMED_OUT" and self.error is None:
            self.error = "States.Timeout"

    @cached_property
    def _entries(self) -> list[tuple[str, StepVisit]]:
        """The visits to steps, in the order of `path`."""
        ordered = self._ordered
        if self.workflow.source_map is None:
            return [(visit.state, StepVisit([visit], visit)) for visit in ordered]
        found: list[tuple[str, StepVisit]] = []
        for step, visits in _by_step(self.workflow, ordered):
            working = [visit for visit in visits if self.workflow.role_of(visit.state) not in _AROUND]
            if working:
                state = self.workflow.working_state(step)
                found.append(
                    (step, StepVisit(visits, next((v for v in visits if v.state == state), working[0])))
                )
        return found

    @cached_property
    def _ordered(self) -> list[Visit]:
        """The visits in time, but the iterations of a Map and the branches of a Parallel one after the other."""
        visits = visits_of(self.events, self._children)
        numbers = {id(visit): number for number, visit in enumerate(visits)}

        def key(visit: Visit) -> list[tuple[int, int]]:
            place: list[tuple[int, int]] = []
            at: Visit | None = visit
            while at is not None:
                state = self.workflow.states.get(at.state)
                branch = state.branch if state is not None and state.branch is not None else at.iteration
                place.append((branch or 0 if at.around is not None else 0, numbers[id(at)]))
                at = at.around
            return place[::-1]

        return sorted(visits, key=key)

    @cached_property
    def path(self) -> Path:
        """The steps, or in plain ASL the states, that the execution went through. Steps that were skipped are not
        among them, and one whose task is tried again is there once."""
        return self._told(name for name, _ in self._entries)

    @cached_property
    def states(self) -> Path:
        """The states that the execution went through; for a spec, those that its steps are made of."""
        return self._told(visit.state for visit in self._ordered)

    def _told(self, names: Iterable[str]) -> Path:
        path = Path(names)
        path.outcome = outcome(self)
        return path

    @cached_property
    def steps(self) -> dict[str, StepResult]:
        """What came of each step that ran, by its name."""
        found: dict[str, StepResult] = {}
        for name, visit in self._entries:
            found.setdefault(name, StepResult(name, [])).visits.append(visit)
        return found

    @brief
    def step(self, name: str) -> StepResult:
        """What came of that step or state; of one that was not entered, that. Raises `SetupError` for a name that
        the workflow does not have."""
        found = self.steps.get(name)
        if found is not None:
            return found
        if name in self.workflow.names():
            return StepResult(name, [])
        if name in self.workflow.states:
            visits = [StepVisit([visit], visit) for visit in self._ordered if visit.state == name]
            return StepResult(name, visits)
        raise SetupError(
            f"{self.workflow.name} has no step or state '{name}'; {named(name, self.workflow.names())}"
        )

    @cached_property
    def cost(self) -> Figures:
        """What the execution would cost: `counts` (of transitions, for one), and the bills on Step Functions Standard
        and Express and on our own handlers."""
        if self._cost is None:
            raise SetupError(
                "this result was not made by a test's cloud, which knows what an execution costs"
            )
        return self._cost()

    # -- assertions --------------------------------------------------------------------------------------

    def succeeded(self, output: Any = ...) -> Result:
        """Asserts that it succeeded, and with this output where one is given; answers itself."""
        __tracebackhide__ = True
        self._assert(self.status == "SUCCEEDED", "SUCCEEDED was wanted")
        if output is not ... and (found := value_differences(self.output, output)):
            self._assert(False, "the output is not as wanted:\n  " + "\n  ".join(found))
        return self

    def failed(self, error: str | None = None, cause: str | None = None) -> Result:
        """Asserts that it failed (or timed out): with that error, and with `cause` somewhere in its cause, where they
        are given; answers itself."""
        __tracebackhide__ = True
        wanted = "FAILED" if error is None else f"FAILED with {error}"
        self._assert(
            self.status in ("FAILED", "TIMED_OUT") and error in (None, self.error), f"{wanted} was wanted"
        )
        self._assert(cause is None or cause in (self.cause or ""), f"{cause!r} was wanted in the cause")
        return self

    def _assert(self, holds: bool, message: str) -> None:
        __tracebackhide__ = True
        if not holds:
            self._told_of.add(self.execution)
            raise AssertionError(f"{message}\n{describe(self)}") from self.raised

    def __repr__(self) -> str:
        text = f"<{self.workflow.name} {self.status}"
        if self.error:
            text += f": {self.error}"
        return f"{text}, path {' > '.join(self.path) or 'empty'}>"


def _by_step(workflow: Workflow, visits: list[Visit]) -> list[tuple[str, list[Visit]]]:
    """The visits of each step, together where one follows the other in the same sequence of states, in the order in
    which the steps began. What a spec does to take back a step's work is told by the state's own name."""
    found: list[tuple[str, list[Visit]]] = []
    latest: dict[tuple[Any, ...], tuple[str, list[Visit]]] = {}
    for visit in visits:
        state = workflow.states.get(visit.state)
        sequence = (id(visit.around), visit.iteration, state.branch if state is not None else None)
        step = workflow.step_of(visit.state)
        if step is None:
            latest.pop(sequence, None)
            continue
        name = visit.state if workflow.role_of(visit.state) == "compensate" else step
        last = latest.get(sequence)
        if last is not None and last[0] == name:
            last[1].append(visit)
        else:
            found.append((name, [visit]))
            latest[sequence] = found[-1]
    return found


def shown(value: Any) -> Any:
    """An object so that comparing it is told readably."""
    return Output(value) if isinstance(value, dict) else value


def _value(text: str | None) -> Any:
    return None if text is None else json.loads(text)

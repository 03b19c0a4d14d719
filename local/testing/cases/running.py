"""One test case, run: what came of it, and in what that is otherwise than wanted."""

from __future__ import annotations

import contextlib
import io
import time
import traceback
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from ....statelang.jsonata import UNDEFINED, JsonataError, compile
from ..differences import path_differences, value_differences
from ..mocks import TaskError, after, iterations, never, sequence
from ..problem import SetupError
from ..reports import describe, message_of
from ..results import Result, StepResult
from ..session import TestCloud
from .models import Expectation, Limits, Mock, StepExpectation
from .reading import ReadCase

PASSED, FAILED, SKIPPED = "passed", "failed", "skipped"


@dataclass(slots=True)
class Outcome:
    """What came of a case. `failures` say, one by one, what was otherwise than wanted; `execution` is its steps as
    text, `printed` what its functions printed; `seconds` are real ones, `duration` is the execution's own time."""

    name: str
    status: str
    line: int
    failures: list[str] = field(default_factory=list)
    execution: str = ""
    printed: str = ""
    seconds: float = 0.0
    duration: timedelta | None = None
    reason: str = ""


def run(file: Path, read: ReadCase, *, capture: bool = True) -> Outcome:
    """Runs the case in a cloud of its own; with `capture`, what its functions print is kept."""
    case = read.case
    if case.skip is not None:
        return Outcome(case.name, SKIPPED, read.line, reason=case.skip)
    began = time.perf_counter()
    printed = io.StringIO()
    result: Result | None = None
    try:
        with (
            contextlib.redirect_stdout(printed) if capture else contextlib.nullcontext(),
            contextlib.redirect_stderr(printed) if capture else contextlib.nullcontext(),
            TestCloud([file.parent], test=f"{file}::{case.name}", now=read.now) as stratum,
        ):
            result = stratum.run(
                read.workflow, read.input, tasks=read.tasks, mock_config=read.mock_config, test_case=read.test_case,
                mocks={name: mock_of(mock) for name, mock in read.mocks.items()}, express=read.express,
                all_mocks_used=read.all_mocks_used,
            )  # fmt: skip
        failures = differences(result, case.expect)
    except SetupError as error:
        failures = [str(error)]
    outcome = Outcome(case.name, FAILED if failures else PASSED, read.line, failures)
    outcome.printed = printed.getvalue()
    outcome.seconds = time.perf_counter() - began
    if result is not None:
        outcome.duration = result.duration
        outcome.execution = describe(result)
        if failures and result.raised is not None:
            outcome.printed += _trace(result.raised)
    return outcome


def mock_of(mock: Mock) -> Any:
    """The mock as `TestCloud` takes it."""
    if mock.sequence is not None or mock.iterations is not None:
        make, listed = (sequence, mock.sequence) if mock.iterations is None else (iterations, mock.iterations)
        then = {} if mock.then is None else {"then": mock_of(mock.then)}
        made = make(*map(mock_of, listed or ()), **then)
    elif mock.throw is not None:
        made = TaskError(mock.throw.error, mock.throw.cause)
    elif mock.never:
        made = never
    else:
        made = mock.value
    return made if mock.after is None else after(mock.after, made, heartbeat=mock.heartbeat)


def differences(result: Result, expect: Expectation) -> list[str]:
    """In what the execution is otherwise than wanted."""
    found: list[str] = []
    failing = expect.error is not None or expect.cause is not None
    wanted = expect.status or ("FAILED" if failing else "SUCCEEDED")
    if result.status != wanted and not (expect.status is None and failing and result.status == "TIMED_OUT"):
        found.append(f"the status is {result.status}, {wanted} was wanted")
    if expect.error is not None and result.error != expect.error:
        found.append(f"the error is {result.error or 'none'}, {expect.error} was wanted")
    if expect.cause is not None and expect.cause not in (result.cause or ""):
        found.append(f"the cause is {message_of(result.cause)!r}, {expect.cause!r} was wanted in it")
    if expect.path is not None and result.path != expect.path:
        lines = path_differences(result.path, expect.path)
        found.append("\n".join(["the path is not as wanted", *lines]))
    found += _values("the output", result.output, expect)
    found += _limits(result.duration, expect.duration)
    for name, step in expect.steps.items():
        found += _step(result.step(name), step)
    found += _conditions(result, expect.that)
    return found


def _values(what: str, got: Any, expect: Expectation | StepExpectation, name: str = "output") -> list[str]:
    found: list[str] = []
    for wanted, partial in ((name, False), (f"{name}_has", True)):
        if wanted in expect.model_fields_set:
            want = getattr(expect, wanted)
            if got is None and want is not None:
                found.append(f"{what} is not as wanted: there is none")
                continue
            lines = value_differences(got, want, partial=partial)
            if lines:
                found.append("\n  ".join([f"{what} is not as wanted", *lines]))
    return found


def _limits(duration: timedelta, limits: Limits | None) -> list[str]:
    if limits is None:
        return []
    least = None if limits.at_least is None else timedelta(seconds=limits.at_least)
    most = None if limits.at_most is None else timedelta(seconds=limits.at_most)
    if (least is None or duration >= least) and (most is None or duration <= most):
        return []
    if least == most:
        return [f"it took {duration}, {least} was wanted"]
    bounds = [f"at least {least}"] * (least is not None) + [f"at most {most}"] * (most is not None)
    return [f"it took {duration}, {' and '.join(bounds)} was wanted"]


def _step(got: StepResult, expect: StepExpectation) -> list[str]:
    found: list[str] = []
    for name in ("ran", "status", "attempts", "error"):
        if name in expect.model_fields_set and (value := getattr(got, name)) != getattr(expect, name):
            found.append(f"{got.name}: {name} is {_word(value)}, {_word(getattr(expect, name))} was wanted")
    for name in ("input", "output"):
        found += _values(f"{got.name}: the {name}", getattr(got, name), expect, name)
    return found


def _word(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "none" if value is None else str(value)


def _conditions(result: Result, conditions: list[str]) -> list[str]:
    if not conditions:
        return []
    steps = {
        name: {
            "attempts": step.attempts, "status": step.status, "error": step.error, "input": step.input,
            "output": step.output, "outputs": step.outputs, "seconds": step.duration.total_seconds(),
        }
        for name, step in result.steps.items()
    }  # fmt: skip
    known = {
        "output": result.output, "input": result.input, "status": result.status, "error": result.error,
        "cause": result.cause, "path": list(result.path), "seconds": result.duration.total_seconds(), "steps": steps,
    }  # fmt: skip
    found: list[str] = []
    for condition in conditions:
        try:
            value = compile(condition).evaluate(known)
        except JsonataError as error:
            found.append(f"{condition}: {error}")
            continue
        if value is not True:
            came = "nothing" if value is UNDEFINED else _word(value)
            found.append(f"{condition}: is {came}, true was wanted")
    return found


def _trace(error: BaseException) -> str:
    """What a function raised, where it did."""
    if error.__traceback__ is None:
        return ""
    frames = traceback.extract_tb(error.__traceback__)
    theirs = [frame for frame in frames if "/local/functions/" not in frame.filename.replace("\\", "/")]
    lines = traceback.format_list(theirs) + traceback.format_exception_only(error)
    return "".join(lines)

"""The testing kit: workflows in tests, in this process and on a virtual clock, with functions that run and mocks.

    def test_order(stratum):                      # the fixture of our pytest plugin
        result = stratum.run("orders.yaml", {"id": "o-1"}, mocks={"charge": sequence(Busy(), {"ok": True})})
        assert result.path == ["reserve", "charge", "done"]

    with TestCloud() as stratum: ...                # the same under unittest, or anywhere

- `session`: `TestCloud`, the cloud of one test: runs workflows, or starts them for control step by step.
- `running`: an execution under control: advanced, answered, stopped, redriven.
- `results`, `visits`: what came of an execution, and its history by states and steps.
- `differences`: what was and what was wanted, told readably.
- `executions`: all that the cloud has run, as it was committed.
- `mocks`, `targets`, `doubles`, `mocking`: what tests give in place of tasks, which tasks they mean, what is there for
  each execution, and how the tasks handler is answered.
- `work_items`: what they say in place of the people and agents that gates and agent steps wait for.
- `functions`: Lambda functions in this process.
- `workflows`: specs and definitions out of files, values and templates.
- `observers`: what is told of every execution, such as coverage.
- `plugin`: what pytest loads; it imports nothing of the others before a test asks for the fixture.

Names here are looked up when they are first used: importing this costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .mocks import Call, TaskError, after, iterations, never, sequence
    from .observers import Observed, observe
    from .problem import SetupError
    from .results import Result, StepResult
    from .running import Execution
    from .session import TestCloud

_WHERE = {
    "Call": "mocks", "TaskError": "mocks", "after": "mocks", "iterations": "mocks", "never": "mocks", "sequence": "mocks",
    "Observed": "observers", "observe": "observers", "SetupError": "problem", "Result": "results", "StepResult": "results",
    "Execution": "running", "TestCloud": "session",
}  # fmt: skip

__all__ = [
    "Call",
    "Execution",
    "Observed",
    "Result",
    "SetupError",
    "StepResult",
    "TaskError",
    "TestCloud",
    "after",
    "iterations",
    "never",
    "observe",
    "sequence",
]


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f".{_WHERE[name]}", __name__), name)

"""What the server needs of the place that it runs in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from ..identity import Identity

if TYPE_CHECKING:
    from ..runtime import Runtime
    from ..versions.publishing import Published
    from ..work.answers import Desk
    from ..workflows import Workflow


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls a tool: `identity` for the log, `worker` for claims (two callers of one worker share their claims)."""

    identity: Identity
    worker: str


@dataclass(frozen=True, slots=True)
class Source:
    """A workflow, and where it is from: the folder in which its handlers are looked for, and its file."""

    workflow: Workflow
    folder: Path | None = None
    file: Path | None = None


@dataclass(frozen=True, slots=True)
class Tested:
    """What came of test cases: each `{"file", "line", "name", "status", "failures", …}`; or what is wrong with their file."""

    cases: list[dict[str, Any]]
    wrong: str | None = None


class NotHere(Exception):
    """What was asked for cannot be had in this place; the text says so, and what can."""


class Host(Protocol):
    """Implemented by the local room over an engine in the same process, and here for Lambda."""

    @property
    def runtime(self) -> Runtime: ...

    @property
    def tenant(self) -> str: ...

    @property
    def alias(self) -> str | None:
        """The alias by which workflows are started that were named without one."""
        ...

    @property
    def no_new(self) -> str | None:
        """Why nothing is run here that was not deployed before, and what to do; None where it is."""
        ...

    def desk(self) -> Desk: ...

    def caller(self, client: str | None, version: str | None, agent: str | None) -> Caller:
        """Who calls, by the name and version that the client gives and the name that the agent gives itself."""
        ...

    def load(self, spec: str | None, file: str | None) -> Source:
        """The workflow of a text or a file. Raises `InvalidWorkflow`, and `NotHere`."""
        ...

    def children(self, source: Source) -> Sequence[Workflow]:
        """The workflows beside the source that it runs as children, each after those that it runs itself. Raises `NotHere`
        for one that is nowhere."""
        ...

    def begin(self, execution: str, source: Source) -> None:
        """Told before an execution of the source is started."""
        ...

    def begun(self, execution: str, published: Published) -> None:
        """Told after an execution of a published version was started. Raises `NotHere` where its handlers are gone."""
        ...

    def forked(self, origin: str, execution: str) -> None:
        """Told after an execution was forked from another: its handlers are the same."""
        ...

    def test(self, file: str, match: str | None) -> Tested:
        """Runs the test cases of a file. Raises `NotHere`."""
        ...

    def adopt(self, execution: str) -> None:
        """Sees to it that somebody runs the execution."""
        ...

    def running(self) -> None:
        """Sees to it that what was running goes on; called when the first tool is."""
        ...

    @property
    def patience(self) -> float:
        """Seconds that one call may wait at the most."""
        ...

    @property
    def approve(self) -> str:
        """How a person approves a gate here, with `{gate}` for its id."""
        ...

"""What a client talks to: Step Functions' API, wherever it is, and what is beside it there."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from ...handlers.store import Store
    from ...handlers.work.answers import Desk
    from ..cli.files import WorkflowFile

Changed = Callable[[], None]


class Backend(Protocol):
    """Raises errors of `errors` throughout. `poll` is in seconds: how often a change is to be looked for at the least."""

    poll: float

    def call(self, operation: str, **parameters: Any) -> dict[str, Any]:
        """An operation of the API."""
        ...

    def deploy(self, workflow: WorkflowFile, role: str | None) -> str:
        """Creates the state machine, or gives an earlier one this definition; answers its ARN."""
        ...

    def start(self, machine: str, name: str, input: str, workflow: WorkflowFile | None) -> str:
        """Starts an execution; answers its ARN."""
        ...

    def machine(self, name: str) -> str:
        """The ARN of the state machine of that name."""
        ...

    def workflow(self, machine: str) -> str:
        """The name of the workflow whose state machine has that ARN."""
        ...

    def find(self, name: str) -> str:
        """The ARN of the execution of that name."""
        ...

    def when_changed(self, changed: Changed) -> None:
        """Has `changed` called, on any thread, whenever an execution has gone on, as far as that is noticed."""
        ...

    def store(self) -> Store:
        """Where executions are kept. Raises `NotAvailable`."""
        ...

    def desk(self, execution: str | None) -> Desk:
        """Where gates are answered, for those of that execution. Raises `NotAvailable`."""
        ...

    def resume(self) -> list[str]:
        """Goes on with executions whose process has ended; answers their ARNs. Raises `NotAvailable`."""
        ...

    def close(self) -> None: ...

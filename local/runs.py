"""Where executions were begun: the file of the workflow, and the folder in which its handlers are looked for.

Kept with each execution, and with each state machine for the executions that others start of it, so that another
process finds the handlers again.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..handlers.arns import state_machine_arn

if TYPE_CHECKING:
    from ..handlers.executions import Executions
    from ..handlers.store import Head, Store

RUN = "local-run"
"""Records `{"file", "folder"}`, by the ARN of an execution or a state machine."""


def running(store: Store) -> list[Head]:
    """The executions that are running, from the oldest on."""
    heads: list[Head] = []
    token = None
    while True:
        page = store.heads(status="RUNNING", limit=500, token=token)
        heads += page.items
        token = page.token
        if token is None:
            return heads[::-1]


def keep(store: Store, execution: str, folder: Path, file: Path | str | None = None) -> None:
    """Writes down where the execution is begun; `file` is the workflow's, or `WORKFLOW@VERSION`."""
    if isinstance(file, Path):
        file = str(file.resolve())
    value: dict[str, Any] = {"file": file, "folder": str(folder.resolve())}
    store.put(RUN, execution, value)
    machine = state_machine_arn(execution)
    known = store.get(RUN, machine)
    if known is None or known.value != value:
        store.put(RUN, machine, value)


def keep_as(store: Store, origin: str, execution: str) -> None:
    """An execution that was forked from another has its handlers where that one has them."""
    record = store.get(RUN, origin)
    if record is not None:
        store.put(RUN, execution, record.value)


def begun(store: Store, execution: str) -> bool:
    """Whether the execution was begun from a folder of this machine."""
    return store.get(RUN, execution) is not None


def keep_started(store: Store, execution: str) -> None:
    """An execution that a running one has started by itself has its handlers where its state machine was run last."""
    record = store.get(RUN, state_machine_arn(execution))
    if record is not None and not begun(store, execution):
        store.put(RUN, execution, record.value)


class Unclaimed:
    """Which executions of a store belong to a server that has handlers of its own: those that nobody has begun from a folder
    of this machine, as `stratum run` and the MCP server do, which run them with the handlers there."""

    def __init__(self, executions: Callable[[], Executions]):
        self._executions = executions
        self._known: dict[str, bool] = {}

    def __call__(self, execution: str) -> bool:
        found = self._known.get(execution)
        if found is None:
            executions = self._executions()
            try:
                root = root_of(executions, execution)
            except LookupError:
                return True
            if len(self._known) > _KNOWN:
                self._known.clear()
            found = self._known[execution] = not begun(executions.store, root)
        return found


_KNOWN = 50_000


def folder_of(executions: Executions, execution: str) -> Path | None:
    """The folder of the handlers of an execution, or of the one that it is a part of; None where it is not known."""
    root = root_of(executions, execution)
    for arn in (root, state_machine_arn(root)):
        record = executions.store.get(RUN, arn)
        if record is not None:
            return Path(record.value["folder"])
    return None


def root_of(executions: Executions, execution: str) -> str:
    """The execution that this one is a part of: of a nested one or an item's, the one that waits for it."""
    at = execution
    while (parent := executions.known(at).snapshot.get("parent")) is not None:
        at = parent["execution"]
    return at

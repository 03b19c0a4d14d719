"""Activities: tasks that workers ask for. Offered here, taken by GetActivityTask."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..runtime import Runtime
    from ..store import Record, Store
    from ..tasks import TaskCommand

KIND = "activity-task"


def offer(runtime: Runtime, tenant: str, execution: str, command: TaskCommand) -> None:
    """Puts the task where the activity's workers look. Doing it again changes nothing."""
    from ...statelang.engine import make_token

    executions = runtime.executions(tenant)
    secret = executions.known(execution).snapshot.get("secret", "")
    token = make_token(execution, command.frame, command.task, secret)
    store, at = executions.store, runtime.clock()
    value = {
        "execution": execution,
        "frame": command.frame,
        "task": command.task,
        "token": token,
        "input": command.arguments,
    }
    key = f"{command.resource}/{token}"
    if store.get(KIND, key) is None:
        store.put(KIND, key, {**value, "at": at})


def take(store: Store, activity: str) -> Record | None:
    """The task that has waited longest for a worker, taken by nobody else."""
    from ..store import Conflict

    waiting = [record for record in _waiting(store, activity) if not record.value.get("taken")]
    for record in sorted(waiting, key=lambda record: record.value["at"]):
        try:
            store.put(KIND, record.key, {**record.value, "taken": True}, expect=record.version)
        except Conflict:
            continue
        store.delete(KIND, record.key)
        return record
    return None


def _waiting(store: Store, activity: str) -> list[Record]:
    return store.records(KIND, f"{activity}/", limit=100).items

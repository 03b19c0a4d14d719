"""Work items in the store: one for each gate or agent step that waits, of an execution, iteration and round.

The execution's log is the truth. An item says what is wanted and holds the answer until that has reached the log; a
second record, in the order of opening, lists the items that are open.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from ...statelang.engine import read_token
from ..executions import Executions
from ..loading import ExecutionNotFound, Loaded
from ..store import Page, Record, Store

KIND = "work-item"
OPEN = "work-open"
"""Records that list the open items; a key is the time of opening and the item's id."""

PENDING, ANSWERING, ANSWERED, CLOSED = "pending", "answering", "answered", "closed"

_OF_THE_ITEM = {"kind", "token", "execution", "workflow", "version", "step", "iteration", "round", "attempt",
                "timeout", "deadline"}  # fmt: skip
_SHOWN = ("shows", "message", "form", "values", "outcomes", "approvers", "remarks", "reason")


@dataclass(frozen=True, slots=True)
class WorkItem:
    """What is wanted of whom, and what has come of it. Times are milliseconds since the epoch.

    - `request`: what the step says beside the item's own fields: for an agent `intent`, `input`, `contract`,
      `ensure`, `violations`, `budget`, …, for a gate `approvers`, `shows`, `form`, `outcomes`, `risk`, ….
    - `opening`: counts from 1; another one for every further attempt, and when the step comes round again.
    - `state`: `pending`; `answering` while the `answer` is on its way to the task; `answered`; `closed` where
      the task did not wait any longer.
    - `claim`: `{"worker", "agent", "until", "at"}` of the agent that is at work on it.
    """

    id: str
    kind: str
    execution: str
    workflow: str
    version: str | None
    step: str
    iteration: str | None
    round: int
    attempt: int
    opening: int
    token: str
    opened: int
    deadline: int | None
    request: dict[str, Any]
    state: str = PENDING
    claim: dict[str, Any] | None = None
    answer: dict[str, Any] | None = None
    why: str | None = None
    listed: str = ""
    record: int = field(default=0, compare=False)

    @property
    def handle(self) -> str:
        """Names this opening of the item, so that an answer to an earlier one is told from an answer to this."""
        return f"{self.id}.{self.opening}"

    @property
    def digest(self) -> str:
        """SHA-256 of everything that somebody who decides the gate is shown."""
        shown = {
            "handle": self.handle, "execution": self.execution, "workflow": self.workflow, "version": self.version,
            "step": self.step, "iteration": self.iteration, "round": self.round,
            **{name: self.request.get(name) for name in _SHOWN},
        }  # fmt: skip
        text = json.dumps(shown, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    def to_json(self) -> dict[str, Any]:
        return {each.name: getattr(self, each.name) for each in fields(self) if each.name != "record"}

    @classmethod
    def of(cls, record: Record) -> WorkItem:
        return cls(**record.value, record=record.version)


def item_id(payload: Mapping[str, Any]) -> str:
    """The id of the item that a payload is about: short, and the same whenever the same step asks again."""
    # An agent's step may come to a gate of its own, when its budget is used up.
    kind = "agent" if payload["kind"] == "agent" else "gate"
    parts = [payload["execution"], payload["step"], payload.get("iteration"), payload.get("round") or 1, kind]
    digest = hashlib.sha256(json.dumps(parts).encode()).digest()
    return base64.b32encode(digest[:6]).decode().rstrip("=").lower()


def new_item(payload: Mapping[str, Any], now: int, deadline: int | None) -> WorkItem:
    """The item that a payload asks for, not yet in the store."""
    return WorkItem(
        id=item_id(payload), kind=payload["kind"], execution=payload["execution"], workflow=payload.get("workflow") or "",
        version=payload.get("version"), step=payload["step"], iteration=payload.get("iteration"),
        round=payload.get("round") or 1, attempt=payload.get("attempt") or 1, opening=1, token=payload["token"], opened=now,
        deadline=deadline,
        request={key: value for key, value in payload.items() if key not in _OF_THE_ITEM and value is not None},
    )  # fmt: skip


class WorkItems:
    """The work items of one tenant."""

    def __init__(self, executions: Executions):
        self._executions = executions
        self.store: Store = executions.store

    def get(self, id: str) -> WorkItem | None:
        record = self.store.get(KIND, id)
        return None if record is None else WorkItem.of(record)

    def put(self, item: WorkItem) -> WorkItem:
        """Writes the item in place of the version that it was read as. Raises `Conflict`."""
        listed = item.listed or f"{item.opened:015d}/{item.id}"
        is_open = item.state in (PENDING, ANSWERING)
        item = replace(item, listed=listed if is_open else "")
        record = self.store.put(KIND, item.id, item.to_json(), expect=item.record)
        if is_open:
            self.store.put(OPEN, listed, {"id": item.id, "kind": item.kind, "execution": item.execution})
        else:
            self.store.delete(OPEN, listed)
        return WorkItem.of(record)

    def open_items(
        self,
        *,
        kind: str | None = None,
        execution: str | None = None,
        limit: int = 50,
        token: str | None = None,
    ) -> Page[WorkItem]:
        """The open items, the one that has waited longest first. Raises `InvalidToken`."""
        found: list[WorkItem] = []
        while True:
            page = self.store.records(OPEN, limit=limit - len(found), token=token)
            for record in page.items:
                value = record.value
                if kind not in (None, value["kind"]) or execution not in (None, value["execution"]):
                    continue
                item = self.get(value["id"])
                if item is None or item.listed != record.key:
                    self.store.delete(OPEN, record.key)  # its writer ended between the two writes
                elif self.is_open(item):
                    found.append(item)
            token = page.token
            if token is None or len(found) >= limit:
                return Page(found, token)

    def of_execution(self, loaded: Loaded) -> list[WorkItem]:
        """The open items that the execution waits for, in the order of its frames: read from its own state."""
        found: list[WorkItem] = []
        for frame in loaded.snapshot["frames"].values():
            payload = payload_of(frame)
            if payload is None:
                continue
            item = self.get(item_id({**payload, "execution": loaded.execution}))
            if item is not None and item.token == frame.get("token") and item.state in (PENDING, ANSWERING):
                found.append(item)
        return found

    def is_open(self, item: WorkItem) -> bool:
        """Whether the step still waits: at the item's token, or about to ask again after a reminder."""
        if item.state not in (PENDING, ANSWERING):
            return False
        snapshot = self._snapshot(item)
        return snapshot is None or self.waits(snapshot, item)

    def waits(self, snapshot: Mapping[str, Any], item: WorkItem) -> bool:
        """Whether the execution, which stands as the snapshot says, waits for an answer to the item."""
        if not self._executions.on_step_functions:
            return waits(snapshot, item)
        frames = snapshot["frames"].values() if snapshot["status"] == "RUNNING" else ()
        if any(frame.get("token") == item.token for frame in frames):
            return True
        # AWS's tokens do not tell whose they are: a gate whose reminder is sent is known by the state alone.
        return item.kind == "gate" and any(
            str(frame["state"]).startswith(f"{item.step}:") for frame in frames
        )

    def _snapshot(self, item: WorkItem) -> dict[str, Any] | None:
        """The state of the item's execution; None where Step Functions itself runs it."""
        try:
            return self._executions.load(item.execution).snapshot
        except ExecutionNotFound:
            return None


def waits(snapshot: Mapping[str, Any], item: WorkItem) -> bool:
    """Whether the execution waits for an answer to the item."""
    place = read_token(item.token)
    if snapshot["status"] != "RUNNING" or place is None:
        return False
    frame = snapshot["frames"].get(place[1])
    if frame is None:
        return False
    if frame["phase"] == "task" and frame.get("token") == item.token:
        return True
    # Between two tokens of one gate its reminder is sent, in a state that bears the step's name.
    return item.kind == "gate" and str(frame.get("state", "")).startswith(f"{item.step}:")


def payload_of(frame: Mapping[str, Any]) -> dict[str, Any] | None:
    """What a frame's task asks of `stratum-work`, or None where it waits for something else."""
    if (
        frame.get("phase") != "task"
        or "token" not in frame
        or '"stratum-work"' not in frame["task"]["arguments"]
    ):
        return None
    payload = json.loads(frame["task"]["arguments"]).get("Payload")
    return payload if isinstance(payload, dict) and "step" in payload else None

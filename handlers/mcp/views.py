"""An execution as an agent sees it: where it stands, what came before, what waits for whom, and what to do next."""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any

from mcp_types import CallToolResult

from ...statelang.engine import wake_at
from ..audit.redaction import Redactor, redactor_for
from ..executions import Executions
from ..loading import Loaded
from ..steps import Steps
from ..times import rfc3339
from ..work.answers import Desk
from ..work.claims import holder
from ..work.items import WorkItem, payload_of
from ..workflows import source_map
from .host import Caller, Host
from .results import answer, call, shortened

MAX_INPUT = 50_000
"""Characters of an agent step's input that are given at once; the rest is read as a resource."""
MAX_STEPS = 60
_KNOWN = 64


class Views:
    """Makes views. What it keeps between two of them only saves reading a log from its beginning."""

    def __init__(self, host: Host):
        self.host = host
        self._steps: OrderedDict[str, tuple[int, Steps]] = OrderedDict()
        self._lock = threading.Lock()

    def of(
        self, execution: str, caller: Caller, *, hint: str = "", full: bool = False, **fields: Any
    ) -> CallToolResult:
        """The answer about one execution; `hint` comes before what is to be done next."""
        desk = self.host.desk()
        loaded = desk.executions.load(execution)
        snapshot = loaded.snapshot
        items = [desk.refresh(item) for item in desk.items.of_execution(loaded)]
        if any(item.state != "pending" for item in items):
            loaded = desk.executions.load(execution)  # an answer that lay about has been handed over
            snapshot = loaded.snapshot
            items = desk.items.of_execution(loaded)
        redactor = redactor_for(desk.items.store, execution, snapshot["definition"])
        steps = self._steps_of(desk.executions, loaded)
        name = snapshot["execution"]["name"]
        next, todo = self._next(desk, loaded, items, caller)
        shown = [step.to_json() for step in steps.steps.values()]
        results = _results(loaded, steps, redactor)
        for step in shown:
            if step["step"] in results:
                step["result"] = shortened(results[step["step"]], 4000 if full else 300)
        input = json.loads(snapshot["execution"]["input"])
        ended = {
            "output": shortened(redactor.hide(json.loads(snapshot["output"])), 20_000) if snapshot.get("output") else None,
            "error": snapshot.get("error"),
            "cause": shortened(redactor.hide(_readable(snapshot.get("cause"))), 4000) if snapshot.get("cause") else None,
        }  # fmt: skip
        return answer(
            snapshot["status"], execution=name, arn=execution,
            workflow=snapshot["state_machine"]["name"], version=(source_map(desk.items.store, snapshot["definition"]) or {}).get("version"),
            next=next, hint=" ".join(part for part in (hint, todo) if part),
            pending=[self.pending(desk, item, caller, redactor) for item in items] or None,
            input=shortened(redactor.hide(input), 4000 if full else 600),
            steps=[{key: redactor.hide(value) for key, value in step.items() if value not in (None, "", 0)} for step in shown[-MAX_STEPS:]],
            earlier_steps=len(shown) - MAX_STEPS if len(shown) > MAX_STEPS else None,
            **ended, **fields,
        )  # fmt: skip

    def pending(
        self, desk: Desk, item: WorkItem, caller: Caller | None, redactor: Redactor | None = None
    ) -> dict[str, Any]:
        """An open work item, with all that whoever it is for needs. An agent is given its own step's input as it is; what
        a gate shows is for a person, and an agent sees it without secrets."""
        request = item.request
        told: dict[str, Any] = {"for": "agent" if item.kind == "agent" else "person", "step": item.step}
        if item.iteration:
            told["iteration"] = item.iteration
        if item.deadline is not None:
            told["deadline"] = rfc3339(item.deadline)
        if item.kind != "agent":
            redactor = redactor or self.redactor(desk, item.execution)
            told |= {
                "gate": item.id, "message": redactor.hide(request.get("message")),
                "shows": shortened(redactor.hide(request.get("shows")), 2000),
                "approvers": request.get("approvers") or "anybody but the requester", "outcomes": request.get("outcomes"),
                "decide": self.host.approve.format(gate=item.id), "risk": request.get("risk"),
            }  # fmt: skip
            return {key: value for key, value in told.items() if value is not None}
        input = request.get("input")
        text = json.dumps(input, ensure_ascii=False)
        told |= {
            "work": item.handle, "intent": request.get("intent"), "agent": request.get("agent"),
            "input": input if len(text) <= MAX_INPUT else shortened(input, MAX_INPUT),
            "input_at": None if len(text) <= MAX_INPUT else f"stratum://work/{item.handle}",
            "contract": request.get("contract"), "ensure": request.get("ensure") or None, "attempt": item.attempt,
            "attempts": request.get("attempts"), "violations": request.get("violations") or None,
            "budget": request.get("budget") or None, "claim": _claim(desk, item, caller),
        }  # fmt: skip
        return {key: value for key, value in told.items() if value is not None}

    def redactor(self, desk: Desk, execution: str) -> Redactor:
        definition = desk.executions.load(execution).snapshot["definition"]
        return redactor_for(desk.items.store, execution, definition)

    def _next(
        self, desk: Desk, loaded: Loaded, items: Sequence[WorkItem], caller: Caller
    ) -> tuple[dict[str, Any] | None, str]:
        snapshot = loaded.snapshot
        name = snapshot["execution"]["name"]
        if snapshot["status"] == "SUCCEEDED":
            return None, "It is done; `output` is its result."
        if snapshot["status"] != "RUNNING":
            return call("history", execution=name, newest_first=True, limit=10), (
                f"It has ended with {snapshot.get('error') or snapshot['status']}; `cause` says why."
            )
        now = desk.runtime.clock()
        agents = [item for item in items if item.kind == "agent"]
        held = {item.id: holder(item, now, desk.is_gone) for item in agents}
        mine = [item for item in agents if (claim := held[item.id]) and claim["worker"] == caller.worker]
        if mine:
            item = mine[0]
            again = " Mend its `violations` first." if item.request.get("violations") else ""
            return call("step", work=item.handle, result="<as the contract says>"), (
                f"You are at work on {item.step}: do what `intent` says, then hand in the result.{again}"
            )
        free = [item for item in agents if held[item.id] is None]
        if free:
            return call(
                "claim", work=free[0].handle
            ), f"{free[0].step} waits for an agent: claim it, do it, hand in its result."
        if agents:
            return call(
                "status", execution=name, wait=30
            ), "Other agents are at work on what waits; look again later."
        if items:
            gate = items[0]
            return call("status", execution=name, wait=60), (
                f"{gate.step} waits for a person's decision, which you cannot make: tell your user to run"
                f" `{self.host.approve.format(gate=gate.id)}`, or to reject it likewise."
            )
        due = wake_at(snapshot)
        timer = f" The next timer is due at {rfc3339(due)}." if due is not None else ""
        return call("status", execution=name, wait=30), f"It is running by itself.{timer}"

    def _steps_of(self, executions: Executions, loaded: Loaded) -> Steps:
        with self._lock:
            seq, steps = self._steps.pop(loaded.execution, (-1, None))
            if steps is None or seq > loaded.seq:
                seq, steps = -1, Steps(source_map(executions.store, loaded.snapshot["definition"]))
            for commit in executions.store.commits(loaded.execution, seq + 1, loaded.seq + 1):
                steps.feed(commit.events)
                seq = commit.seq
            self._steps[loaded.execution] = (seq, steps)
            if len(self._steps) > _KNOWN:
                self._steps.popitem(last=False)
            return steps


def settled(desk: Desk, execution: str, caller: Caller, *, person: bool = True) -> bool:
    """Whether an execution waits for the caller, or for nobody any more: then there is no use in waiting here.

    With `person`, one that waits for people alone counts as well.
    """
    loaded = desk.executions.load(execution)
    if loaded.snapshot["status"] != "RUNNING":
        return True
    tasks = [frame for frame in loaded.snapshot["frames"].values() if frame["phase"] in ("task", "map_run")]
    if any(payload_of(frame) is not None and not frame["task"].get("submitted") for frame in tasks):
        return False  # work is being opened at this moment, perhaps in several branches
    items = desk.items.of_execution(loaded)
    now = desk.runtime.clock()
    for item in items:
        if item.kind == "agent":
            claim = holder(item, now, desk.is_gone)
            if claim is None or claim["worker"] == caller.worker:
                return True
    return person and bool(items) and all("token" in frame for frame in tasks)


def _claim(desk: Desk, item: WorkItem, caller: Caller | None) -> str:
    claim = holder(item, desk.runtime.clock(), desk.is_gone)
    if claim is None:
        return "free"
    who = "yours" if caller is not None and claim["worker"] == caller.worker else f"held by {claim['agent']}"
    return f"{who} until {rfc3339(claim['until'])}"


def _results(loaded: Loaded, steps: Steps, redactor: Redactor) -> dict[str, Any]:
    """What the steps of the outermost scope have come to, without secrets."""
    variables: Mapping[str, str] = loaded.snapshot["variables"]
    found = {
        name: json.loads(text)
        for name in steps.steps
        if (text := variables.get(f"0:{name}")) is not None and text != "null"
    }
    return {name: redactor.hide(value) for name, value in found.items()}


def _readable(cause: str | None) -> Any:
    try:
        return json.loads(cause or "null")
    except ValueError:
        return cause

"""A run of the simulation, and the proof that nothing of it was lost or counted twice."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from chaos.faults import KINDS, Rates
from chaos.simulation import Simulation
from chaos.workload import CHILD, PERIOD, SPEC, Ledger, handlers, outcome
from stratum.handlers.store import Store, verify
from stratum.handlers.workflows import check, deploy, workflow_of
from stratum.local.clock import EPOCH, VirtualClock
from stratum.local.cloud import LocalCloud
from stratum.local.functions import InProcessFunctions
from stratum.local.stores import open_store

DAY = 24 * 3600 * 1000


@dataclass(frozen=True, slots=True)
class End:
    """How a purchase ended: its status, its output or its error, how often each state's result was counted, and under
    which keys tasks were scheduled."""

    status: str
    told: Any
    counted: Counter[str]
    keys: set[str]


@dataclass(frozen=True, slots=True)
class Proof:
    """What a run has shown. `wrong` is what is not as it would be without a fault: nothing, one hopes."""

    executions: int
    commits: int
    counted: int
    performed: int
    asked: int
    hours: float
    faults: Counter[str]
    calls: Counter[str]
    wrong: list[str]

    def __str__(self) -> str:
        lines = [
            f"{self.executions} executions, and the children of a third of them, in {self.hours:.1f} virtual hours;"
        ]
        lines += [f"{self.calls.total()} invocations made {self.commits} commits", ""]
        lines += [f"{self.faults[kind]:>8}  {text}" for kind, text in KINDS.items()]
        again = self.asked - self.performed
        lines += [
            "",
            f"{self.performed} tasks were performed, {again} times one of them was asked for again;",
        ]
        lines += [f"{self.counted} results were counted, each of them once"] if not self.wrong else []
        lines += self.wrong[:20] or [
            "nothing was lost, nothing was counted twice, every digest chain is whole"
        ]
        return "\n".join(lines)


def prove(url: str, folder: Path, *, executions: int, workers: int, rates: Rates, seed: int) -> Proof:
    """Runs so many purchases on the store of that address, and compares each with one that met no fault."""
    store = open_store(url)
    machine = _deployed(LocalCloud(store, InProcessFunctions({}), clock=VirtualClock(), workers=0))
    ledger = str(folder / "ledger.db")
    simulation = Simulation(url, ledger, workers=workers, rates=rates, seed=seed)
    for number in range(executions):
        simulation.start(machine, f"p{number}", {"number": number})
    try:
        while simulation.now < EPOCH + 10 * DAY:
            simulation.run(min(simulation.now + DAY // 2, EPOCH + 10 * DAY))
            if not store.heads(status="RUNNING", limit=1).items:
                break
    finally:
        simulation.close()
    asked = Ledger(ledger).asked()
    wanted = undisturbed()
    wrong: list[str] = []
    commits, counted, found = 0, 0, 0
    keys: set[str] = set()
    for execution in every(store):
        log = store.commits(execution)
        commits += len(log)
        wrong += [f"{execution}: {broken}" for broken in verify(store, execution)]
        end = end_of(log)
        counted += end.counted.total()
        name = execution.rpartition(":")[2]
        keys |= {f"{name}/{key}" for key in end.keys}
        if name[1:].isdigit() and name.startswith("p"):
            found += 1
            number = int(name[1:])
            want = replace(wanted[number % PERIOD], told=outcome(number), keys=end.keys)
            if end != want:
                wrong.append(f"{name} is {end}, not {want}")
        elif end.status != "SUCCEEDED":
            wrong.append(f"the child {name} is {end}")
    if found != executions:
        wrong.append(f"{executions - found} executions are lost")
    wrong += [f"nothing asks for the task {key}" for key in set(asked) - keys]
    store.close()
    return Proof(
        executions, commits, counted, len(asked), sum(asked.values()), (simulation.now - EPOCH) / 3_600_000,
        simulation.faults, simulation.calls, wrong,
    )  # fmt: skip


def _deployed(cloud: LocalCloud) -> str:
    machine = ""
    for text in (CHILD, SPEC):
        checked = check(text.encode(), "purchase.yaml")
        assert checked.ok, checked
        machine = deploy(cloud.runtime, "default", workflow_of(checked))
    return machine


def undisturbed() -> list[End]:
    """How the first purchases end where nothing goes wrong."""
    store = open_store("sqlite:///:memory:")
    functions = InProcessFunctions(handlers(Ledger(":memory:")))
    cloud = LocalCloud(store, functions, clock=VirtualClock(), workers=0)
    machine = _deployed(cloud)
    ends = []
    for number in range(PERIOD):
        started = cloud.call("StartExecution", stateMachineArn=machine, input=json.dumps({"number": number}))
        cloud.wait(started["executionArn"])
        ends.append(end_of(store.commits(started["executionArn"])))
    return ends


def end_of(log: list[Any]) -> End:
    """How a log says that its execution ended."""
    events = [event for commit in log for event in commit.events]
    by_id = {event["id"]: event for event in events}
    counted: Counter[str] = Counter()
    for event in events:
        if event["type"] in ("TaskSucceeded", "TaskFailed"):
            counted[f"{_state_of(event, by_id)} {event['type']}"] += 1
    keys = {
        f"{_state_of(event, by_id)}/{event['id']}" for event in events if event["type"] == "TaskScheduled"
    }
    last = events[-1]
    details = next(value for name, value in last.items() if name.endswith("EventDetails"))
    told = json.loads(details["output"]) if "output" in details else details.get("error")
    return End(last["type"].removeprefix("Execution").upper(), told, counted, keys)


def _state_of(event: dict[str, Any], events: dict[int, dict[str, Any]]) -> str:
    while event["type"] != "TaskStateEntered":
        event = events[event["previousEventId"]]
    return event["stateEnteredEventDetails"]["name"]


def every(store: Store) -> list[str]:
    """The ARNs of all executions."""
    found: list[str] = []
    token = None
    while True:
        page = store.heads(limit=1000, token=token)
        found += [head.execution for head in page.items]
        if (token := page.token) is None:
            return found

"""The store of a stage on Step Functions: its executions are read from AWS's API, all else is in its table.

The log of an execution is its history, one event to a commit: the event `id` is in the commit `id - 1`. Such commits
have no digests, messages and changes; the first has, as a snapshot, how the execution stands now.
"""

from __future__ import annotations

import base64
import binascii
import json
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from ..children import REQUESTER
from ..store import Commit, Conflict, Entry, Head, InvalidToken, Page, Record, Store, Stored
from ..time_travel.checkpoints import KIND as CHECKPOINT
from ..versions.routing import KIND as ALIAS_STORY
from ..work.journal import is_journal
from ..workflows import SOURCE_MAP, SPEC
from .api import Answer, Api, milliseconds
from .history import History
from .refusal import FORK, NEW, PRUNE, TENANT, NotOnStepFunctions
from .stage import Definition, NativeStage
from .versions import KINDS, Versions

_MACHINE = "state-machine"
_KEPT = 256


class StepFunctionsStore:
    """`table` is the store of the stage's table."""

    def __init__(self, table: Store, api: Api, stage: NativeStage, clock: Callable[[], int]):
        self.table = table
        self.stage = stage
        self._api = api
        self._clock = clock
        self._histories: OrderedDict[str, History] = OrderedDict()
        self._lock = threading.Lock()
        self._versions = Versions(api, stage)

    @property
    def tenant(self) -> str:
        return self.table.tenant

    def for_tenant(self, tenant: str) -> Store:
        """Raises `NotOnStepFunctions` for another one than its own."""
        if tenant != self.tenant:
            raise NotOnStepFunctions(TENANT)
        return self

    # -- executions, by the API ------------------------------------------------------------------------

    def history(self, execution: str) -> History | None:
        """The execution as it stands now; None where there is none in this stage."""
        if not self.stage.has(execution):
            return None
        with self._lock:
            found = self._histories.pop(execution, None)
            found = found or History(self._api, execution, self._clock, self.stage.work)
            self._histories[execution] = found
            if len(self._histories) > _KEPT:
                self._histories.popitem(last=False)
        return found.refresh()

    def snapshot(self, execution: str) -> dict[str, Any] | None:
        """As `decide` would have it, as far as AWS tells; `frames` are those of `history.Open`."""
        history, definition = self.history(execution), self.stage.definition(self._api, execution)
        if history is None or history.described is None or definition is None:
            return None
        told = history.described
        machine = told["stateMachineArn"]
        made: dict[str, Any] = {
            "execution": {
                "id": execution, "name": told["name"], "input": told.get("input") or "{}", "started": milliseconds(told["startDate"]),
                "role": definition.role,
            },
            "state_machine": {"id": machine, "name": self.stage.workflow(machine)},
            "definition": definition.digest, "status": told["status"], "events": len(history.events), "deadline": None,
            "frames": dict(history.open.frames), "variables": dict(history.open.variables), "redrives": told.get("redriveCount", 0),
        }  # fmt: skip
        for key in ("output", "error", "cause"):
            if told.get(key) is not None:
                made[key] = told[key]
        if told["status"] != "RUNNING" and told.get("stopDate") is not None:
            made["stopped"] = milliseconds(told["stopDate"])
        for key, field in (("version", "stateMachineVersionArn"), ("alias", "stateMachineAliasArn")):
            if told.get(field) is not None:
                made[key] = told[field]
        if (by := self.table.get(REQUESTER, execution)) is not None:
            made["requester"] = by.value
        return made

    def commits(self, execution: str, start: int = 0, stop: int | None = None) -> list[Commit]:
        if is_journal(execution):
            return self.table.commits(execution, start, stop)
        history = self.history(execution)
        if history is None:
            return []
        found = [
            Commit(
                event["id"] - 1, event["timestamp"], [], [event], [], {"frames": {}, "variables": {}}, None
            )
            for event in history.events[start:stop]
        ]
        if found and start == 0:
            first = found[0]
            found[0] = Commit(first.seq, first.at, [], first.events, [], None, self.snapshot(execution))
        return found

    def texts(self, execution: str) -> Iterator[bytes]:
        if is_journal(execution):
            yield from self.table.texts(execution)
        elif (history := self.history(execution)) is not None:
            yield from (
                json.dumps(event, ensure_ascii=False).encode("utf-8", "surrogatepass")
                for event in history.events
            )

    def head(self, execution: str) -> Head | None:
        history = self.history(execution)
        if history is None or history.described is None:
            return None
        definition = self.stage.definition(self._api, execution)
        return None if definition is None else self._head(history.described, definition.digest)

    def named(self, name: str) -> list[Head]:
        """The executions of that name, or `workflow:name`: each state machine may have one."""
        return [head for arn in self.stage.executions(name) if (head := self.head(arn)) is not None]

    def heads(
        self,
        *,
        state_machine: str | None = None,
        status: str | None = None,
        limit: int = 100,
        token: str | None = None,
        children: bool = True,
    ) -> Page[Head]:
        """Of all state machines of the stage, merged by their start. The `definition` of such a head is an ARN, which `get` takes:
        ListExecutions tells no more; nor does it tell of distributed maps' items."""
        machines = [arn for arn in self.stage.machines if state_machine in (None, arn)]
        listings = [_Listing(self._api, arn, status, place) for arn, place in _places(machines, token)]
        found: list[Head] = []
        while len(found) < limit:
            newest = max(listings, key=lambda each: each.newest, default=None)
            if newest is None or (taken := newest.take()) is None:
                break
            found.append(self._head(taken, taken.get("stateMachineVersionArn") or taken["executionArn"]))
        more = any(each.newest > (0.0, "") for each in listings)
        return Page(found, _token(listings) if more else None)

    def _head(self, told: Mapping[str, Any], definition: str) -> Head:
        stopped = told.get("stopDate") if told["status"] != "RUNNING" else None
        fields = {"workflow": self.stage.workflow(told["stateMachineArn"])}
        for key, field in (("version", "stateMachineVersionArn"), ("alias", "stateMachineAliasArn")):
            if told.get(field) is not None:
                fields[key] = told[field]
        return Head(
            execution=told["executionArn"], name=told["name"], state_machine=":".join(told["stateMachineArn"].split(":")[:7]),
            status=told["status"], started_at=milliseconds(told["startDate"]),
            stopped_at=None if stopped is None else milliseconds(stopped), definition=definition, seq=-1, digest="",
            snapshot_seq=0, wake_at=None, fields=fields,
        )  # fmt: skip

    def look_again(self, execution: str) -> None:
        """Has the execution looked at anew: something was changed."""
        if (known := self._histories.get(execution)) is not None:
            known.forget()

    # -- records ---------------------------------------------------------------------------------------

    def get(self, kind: str, key: str) -> Record | None:
        if kind in ("definition", SOURCE_MAP, SPEC):
            found = self._definition(key)
            value = None if found is None else _part(kind, found)
            return None if value is None else Record(kind, key, value, 1)
        if kind == _MACHINE:
            return self._machine(key)
        return self._versions.get(kind, key) if kind in KINDS else self.table.get(kind, key)

    def _definition(self, key: str) -> Definition | None:
        return self.stage.definition(self._api, key) if key.startswith("arn:") else self.stage.by_digest(key)

    def _machine(self, arn: str) -> Record | None:
        if arn not in self.stage.machines:
            return None
        told, found = (
            self._api.read("DescribeStateMachine", stateMachineArn=arn),
            self.stage.definition(self._api, arn),
        )
        if told is None or found is None:
            return None
        value = {
            "name": self.stage.workflow(arn), "definition": found.digest, "type": told["type"], "role": told["roleArn"],
            "created": milliseconds(told["creationDate"]),
        }  # fmt: skip
        return Record(_MACHINE, arn, value, 1)

    def records(
        self, kind: str, prefix: str = "", *, limit: int = 100, token: str | None = None
    ) -> Page[Record]:
        if kind in KINDS:
            return Page(self._versions.records(kind, prefix))
        if kind != _MACHINE:
            return self.table.records(kind, prefix, limit=limit, token=token)
        found = [arn for arn in sorted(self.stage.machines) if arn.startswith(prefix)]
        return Page([record for arn in found if (record := self._machine(arn)) is not None])

    def put(self, kind: str, key: str, value: dict[str, Any], *, expect: int | None = None) -> Record:
        if kind == CHECKPOINT:
            raise NotOnStepFunctions(FORK)
        if kind in (*KINDS, ALIAS_STORY):
            raise NotOnStepFunctions(NEW)
        return self.table.put(kind, key, value, expect=expect)

    def delete(self, kind: str, key: str) -> None:
        self.table.delete(kind, key)

    def forget(self, execution: str, limit: int) -> bool:
        if is_journal(execution):
            return self.table.forget(execution, limit)
        raise NotOnStepFunctions(PRUNE)

    # -- journals, and what is the table's -------------------------------------------------------------

    def append(self, entries: Sequence[Entry]) -> list[Commit | Conflict]:
        if any(not is_journal(entry.execution) for entry in entries):
            raise NotOnStepFunctions(
                "Step Functions writes the history of its executions, and nobody else does"
            )
        return self.table.append(entries)

    def stored(self, execution: str, seq: int) -> tuple[str, bytes] | None:
        """Of journals; AWS keeps no digests."""
        return self.table.stored(execution, seq)

    def payload(self, execution: str, digest: str) -> str | None:
        return self.table.payload(execution, digest)

    def put_head(self, head: Head) -> None:
        raise NotOnStepFunctions("Step Functions says how its executions stand, and nobody else does")

    def due(self, now: int, limit: int = 100) -> list[Head]:
        """Nothing: Step Functions keeps its own time."""
        return []

    def running(self) -> int:
        return sum(1 for arn in self.stage.machines for _ in _Listing(self._api, arn, "RUNNING", {}).rest())

    def count(self, counter: str, amount: int, *, floor: int = 0, most: int | None = None) -> int | None:
        return self.table.count(counter, amount, floor=floor, most=most)

    def counted(self, counter: str) -> int:
        return self.table.counted(counter)

    def tenants(self) -> list[str]:
        return [self.tenant]

    def kept(self) -> Iterator[tuple[str, str]]:
        return self.table.kept()

    def freeze(self) -> None:
        self.table.freeze()

    def restore_log(
        self, execution: str, commits: Sequence[Stored], payloads: Mapping[str, str], head: Head | None = None
    ) -> None:
        self.table.restore_log(execution, commits, payloads, head)

    def restore_records(self, records: Sequence[Record]) -> None:
        self.table.restore_records(records)

    def revision(self) -> int | None:
        return None

    def clear(self) -> None:
        self.table.clear()

    def close(self) -> None:
        self.table.close()


def _part(kind: str, found: Definition) -> dict[str, Any] | None:
    if kind == "definition":
        return {"definition": found.text}
    if kind == SOURCE_MAP:
        return found.source.get("source_map")
    text = found.source.get("text")
    return None if text is None else {"text": text}


# -- lists of several state machines ---------------------------------------------------------------------------

_Place = dict[str, Any]
"""Where a list stands: the API's `page` that comes next or is read, and the `last` that was given, by its start and ARN."""


class _Listing:
    """The executions of one state machine, newest first."""

    def __init__(self, api: Api, machine: str, status: str | None, place: _Place):
        self._api = api
        self.machine = machine
        self._filter = {} if status is None else {"statusFilter": status}
        self.page: str | None = place.get("page")
        self.last: list[Any] | None = place.get("last")
        self._read: list[Answer] | None = None
        self._following: str | None = None

    @property
    def newest(self) -> tuple[float, str]:
        """What comes next, as the key that lists are merged by; the least where nothing does."""
        while True:
            if self._read is None:
                page = {} if self.page is None else {"nextToken": self.page}
                answer = self._api.read(
                    "ListExecutions", stateMachineArn=self.machine, maxResults=100, **self._filter, **page
                )
                answer = answer or {"executions": []}
                self._read, self._following = list(answer["executions"]), answer.get("nextToken")
                # New ones may have come before those that were given.
                if self.last is not None:
                    self._read = [each for each in self._read if _key(each) < (self.last[0], self.last[1])]
            if self._read:
                return _key(self._read[0])
            if self._following is None:
                return 0.0, ""
            self.page, self._read = self._following, None

    def take(self) -> Answer | None:
        if self.newest <= (0.0, "") or not self._read:
            return None
        taken = self._read.pop(0)
        self.last = list(_key(taken))
        return taken

    def rest(self) -> Iterator[Answer]:
        while (taken := self.take()) is not None:
            yield taken


def _key(told: Answer) -> tuple[float, str]:
    return told["startDate"], told["executionArn"]


def _token(listings: Sequence[_Listing]) -> str:
    places = {each.machine: {"page": each.page, "last": each.last} for each in listings}
    return base64.urlsafe_b64encode(json.dumps(places).encode()).decode()


def _places(machines: Sequence[str], token: str | None) -> list[tuple[str, _Place]]:
    if token is None:
        return [(arn, {}) for arn in machines]
    try:
        places = json.loads(base64.urlsafe_b64decode(token.encode()))
        return [(arn, dict(places[arn])) for arn in machines if arn in places]
    except (ValueError, TypeError, AttributeError, binascii.Error):
        raise InvalidToken(token) from None

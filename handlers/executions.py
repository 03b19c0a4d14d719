"""Executions on the store: load one from its log, decide, append, and hand out what the commit says to do.

Appending is the only way in which anything changes, and it is one conditional put: whoever loses a race for a
sequence number loads again and decides again. Commands go out after their commit. One that was lost on the
way goes out again when its message is delivered again, or when the sweeper finds that its lease has run out.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..statelang.asl import digest_of
from ..statelang.engine import decide, pending_commands, wake_at
from ..statelang.engine.messages import Message
from .arns import parse_arn
from .loading import Loaded, load, machine_of, weigh
from .logs import logger
from .runtime import LEASE, Body, Runtime
from .store import Commit, Conflict, Entry, Head, Store
from .store.codec import encode_commit
from .tenancy.limits import Limiter, counts

HEAD_LAG = 8
"""How many commits a head may fall behind when nothing in it has changed that anybody searches for."""

SNAPSHOT_WEIGHT = 8 * 1024
"""Characters of changes that are worth a whole snapshot at the least."""

AGAIN = "again"
"""A field of messages that have been received before: whoever took them may have ended before all was done."""

_ATTEMPTS = 50
_CHUNK = 64
"""Commits that are copied at a time."""
_CACHED = 1024
_SOUGHT = 32


class TooManyConflicts(RuntimeError):
    """Other writers were faster every time. The message stays in its queue and comes again."""


@dataclass(slots=True)
class _Plan:
    """What is to be appended to one execution's log, and what follows once it is."""

    loaded: Loaded
    entry: Entry | None
    commands: list[dict[str, Any]]
    due: int | None


class Executions:
    """The executions of one tenant."""

    on_step_functions = False
    """Whether AWS runs them: then it alone knows which tokens are waited at."""

    def __init__(self, store: Store, runtime: Runtime):
        self.store = store
        self._runtime = runtime
        self._cache: OrderedDict[str, Loaded] = OrderedDict()
        self._lock = threading.Lock()
        self._defined: set[str] = set()
        self._busy: Counter[str] = Counter()
        self._moved: set[str] = set()
        self.limiter = Limiter(store, runtime)

    # -- reading ---------------------------------------------------------------------------------------

    def load(self, execution: str) -> Loaded:
        """The execution as it stands in the store now. Raises `ExecutionNotFound`."""
        loaded = load(self.store, execution)
        known = self._cache.get(execution)
        if known is not None and known.seq < loaded.seq:
            # Somebody has moved it, and whoever hands out its commands here has not been told.
            with self._lock:
                self._moved.add(execution)
        self._remember(loaded)
        return loaded

    def known(self, execution: str) -> Loaded:
        """The execution as this process knows it, which may be older than the store. Raises `ExecutionNotFound`."""
        return self._cache.get(execution) or self.load(execution)

    def at(self, execution: str, seq: int) -> Loaded:
        """The execution as it stood after commit `seq`."""
        return load(self.store, execution, seq)

    def _remember(self, loaded: Loaded) -> None:
        with self._lock:
            self._cache[loaded.execution] = loaded
            self._cache.move_to_end(loaded.execution)
            if len(self._cache) > _CACHED:
                self._cache.popitem(last=False)

    def drop(self, execution: str) -> None:
        """Remembers nothing more of an execution that is no longer in the store."""
        with self._lock:
            self._cache.pop(execution, None)

    # -- writing ---------------------------------------------------------------------------------------

    def start(
        self,
        message: Message,
        definition: str,
        fields: Mapping[str, str] | None = None,
        *,
        behind: Sequence[Commit] = (),
    ) -> Loaded | None:
        """Begins the execution that `message` (a start, or a fork) names, on the definition of that digest.

        `behind` are the commits that a fork's log begins with, in order. Answers None when there is an execution of
        that name already.
        """
        machine = machine_of(self.store, definition)
        now = self._runtime.clock()
        message = {"secret": secrets.token_hex(16), **message}
        decision = decide(machine, None, message, now)
        execution = message["execution"]
        previous = self._copy(execution, behind)
        if previous is None:
            return None
        seq = len(behind)
        weight = weigh(decision.snapshot)
        loaded = Loaded(execution, machine, decision.snapshot, seq, "", None, seq, weight, 0)
        commit = Commit(
            seq=seq, at=now, messages=[_told(message)], events=decision.events, commands=[_brief(c) for c in decision.commands],
            changes=None, snapshot=decision.snapshot, ways=decision.ways,
        )  # fmt: skip
        head = self._head(loaded, decision.wake_at, now, dict(fields or {}))
        plan = _Plan(
            replace(loaded, head=head),
            Entry(execution, commit, previous, head),
            decision.commands,
            decision.wake_at,
        )
        [answer] = self._append([plan.entry])  # pyright: ignore[reportArgumentType]
        if isinstance(answer, Conflict):
            return None
        self._settle([(plan, answer)])
        return self._cache[execution]

    def _copy(self, execution: str, commits: Sequence[Commit]) -> str | None:
        """Begins a log with these commits; answers the last one's digest, or None where there is such an execution.

        A log without a head was begun by somebody who ended before it was whole: it is gone on with.
        """
        if commits and self.store.head(execution) is not None:
            return None
        digest = ""
        for first in range(0, len(commits), _CHUNK):
            entries: list[Entry] = []
            for commit in commits[first : first + _CHUNK]:
                entries.append(Entry(execution, commit, digest))
                digest = encode_commit(commit, digest)[0]
            for entry, answer in zip(entries, self.store.append(entries), strict=True):
                if isinstance(answer, Conflict):
                    there = self.store.stored(execution, entry.commit.seq)
                    if there is None or there[0] != encode_commit(entry.commit, entry.previous)[0]:
                        return None
        return digest

    def advance(self, messages: Mapping[str, Sequence[Message]]) -> dict[str, Exception]:
        """Decides the messages of each execution together and appends one commit for each.

        Answers, by execution, why its messages must be delivered again.
        """
        with self._lock:
            self._busy.update(list(messages))
        try:
            return self._advance(messages)
        finally:
            with self._lock:
                self._busy.subtract(list(messages))
                self._busy += Counter()  # those at zero are gone

    def _advance(self, messages: Mapping[str, Sequence[Message]]) -> dict[str, Exception]:
        failures: dict[str, Exception] = {}
        todo = dict(messages)
        for attempt in range(_ATTEMPTS):
            plans: list[_Plan] = []
            for execution, batch in todo.items():
                try:
                    plans.append(self._plan(execution, batch, cached=attempt == 0))
                except Exception as error:  # one execution's trouble must not hold up the rest of its batch
                    failures[execution] = error
            appending = [plan for plan in plans if plan.entry is not None]
            answers = self._append([plan.entry for plan in appending if plan.entry is not None])
            settled: list[tuple[_Plan, Commit | None]] = [
                (plan, None) for plan in plans if plan.entry is None and (plan.commands or plan.due)
            ]
            todo = {}
            for plan, answer in zip(appending, answers, strict=True):
                if isinstance(answer, Conflict):
                    execution = plan.loaded.execution
                    self._cache.pop(execution, None)
                    if self._runtime.telemetry is not None:
                        self._runtime.telemetry.count("ConflictRetries")
                    todo[execution] = messages[execution]
                else:
                    settled.append((plan, answer))
            self._settle(settled)
            if not todo:
                return failures
        failures.update({execution: TooManyConflicts(execution) for execution in todo})
        return failures

    def _append(self, entries: Sequence[Entry]) -> list[Commit | Conflict]:
        telemetry = self._runtime.telemetry
        if telemetry is None or not entries:
            return self.store.append(entries)
        begun = time.perf_counter()
        answers = self.store.append(entries)
        telemetry.value("CommitLatency", (time.perf_counter() - begun) * 1000)
        return answers

    def dispatch_pending(self, execution: str) -> Loaded:
        """Hands out again every task that the execution waits for, and asks again for its tick.

        One that has ended tells whoever waits for it again.
        """
        loaded = self.load(execution)
        if loaded.snapshot["status"] != "RUNNING" and "parent" in loaded.snapshot:
            self._runtime.outbox.advance([parent_message(self.store.tenant, loaded.snapshot)])
        due = wake_at(loaded.snapshot)
        pending = pending_commands(loaded.machine, loaded.snapshot, self._runtime.clock())
        self._settle([(_Plan(loaded, None, pending, due), None)])
        return loaded

    def settle_start(self, execution: str) -> bool:
        """Goes on with an execution whose first commit nobody has followed up, as it has no head; answers whether it was so.

        The head is written after that commit and before anything is handed out: without one, nothing was.
        """
        if self.store.head(execution) is not None:
            return False
        loaded = self.load(execution)
        if loaded.snapshot["execution"]["id"] != execution:
            return False  # the beginning of a fork, whose own first commit comes last
        now = self._runtime.clock()
        due = wake_at(loaded.snapshot)
        head = replace(self._head(loaded, due, now, {}), digest=loaded.digest)
        self.store.put_head(head)
        pending = pending_commands(loaded.machine, loaded.snapshot, now)
        self._settle([(_Plan(replace(loaded, head=head), None, pending, due), None)])
        return True

    @property
    def moved(self) -> bool:
        """Whether `outdated` has something to tell though nothing has been written since it was asked last."""
        return bool(self._moved)

    def outdated(self) -> list[str]:
        """Executions known here as running whose log has gone on without this process."""
        with self._lock:
            known = [loaded for loaded in self._cache.values() if loaded.snapshot["status"] == "RUNNING"]
            moved, self._moved = self._moved, set()
        found: list[str] = []
        for loaded in known:
            if loaded.execution not in moved and self.store.stored(loaded.execution, loaded.seq + 1) is None:
                continue
            with self._lock:
                # One of our own threads may be about to make it known: then it is looked at again.
                if not self._busy[loaded.execution] and self._cache.get(loaded.execution) is loaded:
                    found.append(loaded.execution)
                else:
                    self._moved.add(loaded.execution)
        return found

    def _plan(self, execution: str, messages: Sequence[Message], *, cached: bool) -> _Plan:
        known = self._cache.get(execution) if cached else None
        ticked = any(message["type"] == "tick" for message in messages)
        if known is not None and ticked:
            known = replace(known, armed=None)
        plan = self._decide(known or self.load(execution), messages)
        if plan.entry is None and known is not None:
            # A kept snapshot may be older than the log, so it may not be the judge of what is stale.
            plan = self._decide(self.load(execution), messages)
        if plan.entry is None:
            self._redeliver(plan, messages, ticked)
        elif any(message.get(AGAIN) for message in messages):
            # What is new in the batch is one thing, what whoever took a message before may have left undone another.
            self._add_lost(plan, messages)
        return plan

    def _decide(self, loaded: Loaded, messages: Sequence[Message]) -> _Plan:
        now = self._runtime.clock()
        # Tokens of before are good for nothing afterwards: what an ended execution's log has in it is no secret any more.
        messages = [
            {"secret": secrets.token_hex(16), **message} if message["type"] == "redrive" else message for message in messages
        ]  # fmt: skip
        decision = decide(loaded.machine, loaded.snapshot, messages, now)
        snapshot, changes, due = decision.snapshot, decision.changes, decision.wake_at
        events, commands = decision.events, decision.commands
        if changes is None:
            return _Plan(loaded, None, [], due)
        taken = [_told(messages[place]) for place in decision.taken]
        seq = loaded.seq + 1
        weight = loaded.weight + weigh(changes)
        whole = weight > max(SNAPSHOT_WEIGHT, loaded.snapshot_weight)
        after = replace(
            loaded,
            snapshot=snapshot,
            seq=seq,
            snapshot_seq=seq if whole else loaded.snapshot_seq,
            snapshot_weight=weigh(snapshot) if whole else loaded.snapshot_weight,
            weight=0 if whole else weight,
        )
        commit = Commit(
            seq=seq, at=now, messages=taken, events=events, commands=[_brief(command) for command in commands],
            changes=None if whole else changes, snapshot=snapshot if whole else None, ways=decision.ways,
        )  # fmt: skip
        head = self._head(after, due, now, loaded.head.fields if loaded.head else {})
        if _head_can_wait(loaded.head, head):
            head = None
        else:
            after = replace(after, head=head)
        return _Plan(after, Entry(loaded.execution, commit, loaded.digest, head), commands, due)

    def _head(self, loaded: Loaded, due: int | None, now: int, fields: Mapping[str, str]) -> Head:
        snapshot = loaded.snapshot
        execution = snapshot["execution"]
        lease = (
            now + LEASE
            if any(frame["phase"] in ("task", "map_run") for frame in snapshot["frames"].values())
            else None
        )
        wakes = [at for at in (due, lease) if at is not None]
        running = snapshot["status"] == "RUNNING"
        return Head(
            execution=execution["id"],
            name=execution["name"],
            state_machine=snapshot.get("parent", {}).get("map_run") or snapshot["state_machine"]["id"],
            status=snapshot["status"],
            started_at=execution["started"],
            stopped_at=snapshot.get("stopped"),
            definition=snapshot["definition"],
            seq=loaded.seq,
            digest=loaded.digest,
            snapshot_seq=loaded.snapshot_seq,
            wake_at=min(wakes, default=None) if running else None,
            fields=dict(fields),
        )

    def _redeliver(self, plan: _Plan, messages: Sequence[Message], ticked: bool) -> None:
        """Nothing new in the messages: what their commit asked for may still be due, and may have been lost."""
        loaded, now = plan.loaded, self._runtime.clock()
        pending = {
            _which(command): command for command in pending_commands(loaded.machine, loaded.snapshot, now)
        }
        if not pending and plan.due is None:
            if ticked and loaded.head is not None and loaded.head.status != loaded.snapshot["status"]:
                # Whoever committed the end ended before the head said so.
                if loaded.snapshot["status"] != "RUNNING":
                    self._expire(loaded)
                self.store.put_head(
                    replace(self._head(loaded, None, now, loaded.head.fields), digest=loaded.digest)
                )
            return
        if ticked:
            frames = loaded.snapshot["frames"]
            plan.commands = [c for c in pending.values() if _handed_out(frames, c) + LEASE <= now]
            head = self._head(loaded, plan.due, now, loaded.head.fields if loaded.head else {})
            if loaded.head is None or head.wake_at != loaded.head.wake_at:
                head = replace(head, digest=loaded.digest)
                self.store.put_head(head)
                plan.loaded = replace(loaded, head=head)
        self._add_lost(plan, messages)

    def _add_lost(self, plan: _Plan, messages: Sequence[Message]) -> None:
        """Adds what the commits of these messages had asked for, and what is still due: it may never have gone out.

        A tick is like any other, so one that comes again stands for every tick of the last commits.
        """
        loaded = plan.loaded
        answered = {_answer(message) for message in messages if "task" in message}
        answered |= {_answer(message) for message in messages if message.get(AGAIN)}
        if not answered:
            return
        commands = pending_commands(loaded.machine, loaded.snapshot, self._runtime.clock())
        pending = {_which(command): command for command in commands}
        for command in plan.commands:
            pending.pop(_which(command), None)
        for commit in self.store.commits(loaded.execution, max(0, loaded.seq - _SOUGHT)):
            if any(_answer(message) in answered for message in commit.messages):
                lost = [_which(command) for command in commit.commands]
                plan.commands += [pending.pop(key) for key in lost if key in pending]

    def _settle(self, plans: Sequence[tuple[_Plan, Commit | None]]) -> None:
        """Remembers what was appended, tells the observer, and sends the commands out."""
        runtime, tenant = self._runtime, self.store.tenant
        bodies: list[Body] = []
        answers: list[Body] = []
        for plan, commit in plans:
            loaded = plan.loaded
            if commit is not None:
                loaded = replace(loaded, digest=commit.digest)
                if runtime.observer is not None:
                    runtime.observer(loaded.execution, commit)
                if runtime.telemetry is not None:
                    runtime.telemetry.committed(tenant, loaded.execution, commit)
                if "logging" in loaded.snapshot:
                    self._log(loaded, commit)
                if loaded.snapshot["status"] != "RUNNING":
                    logger.info(
                        "ended", tenant=tenant, execution=loaded.execution, status=loaded.snapshot["status"]
                    )
                if loaded.snapshot["status"] != "RUNNING" and counts(loaded.snapshot):
                    self.limiter.leave()
                    self._expire(loaded)
            for command in plan.commands:
                if command["type"] in _KEPT:
                    self._keep(loaded, command)
                elif command["type"] != "finished":
                    bodies.append({"tenant": tenant, "execution": loaded.execution, "command": command})
                elif "parent" in loaded.snapshot:
                    answers.append(parent_message(tenant, loaded.snapshot))
            running = loaded.snapshot["status"] == "RUNNING"
            if running and plan.due is not None and (loaded.armed is None or plan.due < loaded.armed):
                runtime.outbox.wake(tenant, loaded.execution, plan.due)
                loaded = replace(loaded, armed=plan.due)
            self._remember(loaded)
        if bodies:
            runtime.outbox.perform(bodies)
        if answers:
            runtime.outbox.advance(answers)

    def _expire(self, loaded: Loaded) -> None:
        """Has what has ended be forgotten in time, where there is a retention; a map's children go with their parent."""
        if self._runtime.retention is not None and counts(loaded.snapshot):
            from . import retention

            stopped = loaded.snapshot.get("stopped") or self._runtime.clock()
            retention.ended(self.store, loaded.execution, stopped, self._runtime.retention)

    def _log(self, loaded: Loaded, commit: Commit) -> None:
        from .execution_logs import write

        arn = parse_arn(loaded.execution)
        runtime = self._runtime if arn is None else self._runtime.at(arn.account, arn.region)
        write(runtime, loaded.snapshot, commit.events)

    def _keep(self, loaded: Loaded, command: dict[str, Any]) -> None:
        """Writes down what the commands after this one refer to."""
        if command["type"] == "define":
            self.define(command["definition"])
        elif self.store.get("map-run", command["arn"]) is None:
            self.store.put("map-run", command["arn"], {"execution": loaded.execution})

    def define(self, definition: str) -> str:
        """Stores a definition under its digest, once; answers the digest."""
        digest = digest_of(definition)
        if digest not in self._defined:
            if self.store.get("definition", digest) is None:
                self.store.put("definition", digest, {"definition": definition})
            self._defined.add(digest)
        return digest


def _head_can_wait(written: Head | None, head: Head) -> bool:
    """Whether the head in the store may stay as it is: it lags, but says nothing wrong that matters."""
    if written is None or head.status != written.status or head.snapshot_seq != written.snapshot_seq:
        return False
    if head.wake_at is not None and (written.wake_at is None or head.wake_at < written.wake_at):
        return False
    return head.seq - written.seq < HEAD_LAG


_KEPT = ("define", "map_run")


def _answer(message: Message) -> tuple[Any, ...]:
    return tuple(message.get(key) for key in ("type", "frame", "task", "index"))


def _which(command: Mapping[str, Any]) -> tuple[Any, ...]:
    """What tells one command of an execution from another."""
    return tuple(command.get(key) for key in ("type", "frame", "task", "index"))


def _handed_out(frames: Mapping[str, Any], command: Mapping[str, Any]) -> int:
    frame = frames.get(command.get("frame", ""))
    if frame is None:
        return 0
    return frame["task"]["at"] if "task" in frame else frame["started"]


def parent_message(tenant: str, snapshot: Mapping[str, Any]) -> Body:
    """What an execution that has ended tells the one that waits for it."""
    from .children import ended

    parent = snapshot["parent"]
    return {"tenant": tenant, "execution": parent["execution"], "message": ended(snapshot)}


def _told(message: Message) -> Message:
    """A message as the log keeps it: what a task answered stands in the event that it led to, the snapshot that a fork
    goes on from in the commit before."""
    if AGAIN in message:
        message = {key: value for key, value in message.items() if key != AGAIN}
    if "output" not in message and "task" not in message and "base" not in message:
        return message
    return {key: value for key, value in message.items() if key not in ("output", "cause", "items", "base")}


def _brief(command: dict[str, Any]) -> dict[str, Any]:
    """A command as the log keeps it: which task, as the rest stands in the snapshot."""
    return {key: command[key] for key in ("type", "frame", "task", "index", "status") if key in command}

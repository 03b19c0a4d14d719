"""Answers to work items: an agent's result, a person's decision.

An answer is checked, written into the item (one conditional write, which only one answer can win), and then handed to
the task. A crash in between loses nothing: whoever looks at the item next, or the task itself when it asks again,
hands over what stands in it. What is refused changes nothing, and is noted with its reason.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ...statelang.engine import messages, wake_at
from ..children import requester_of
from ..identity import Identity
from ..loading import ExecutionNotFound
from ..runtime import Runtime
from ..store import Conflict
from ..times import rfc3339
from . import callbacks, claims, rules
from .items import ANSWERED, ANSWERING, CLOSED, PENDING, WorkItem, WorkItems
from .journal import journal_of
from .links import key_of
from .refusal import ANSWERED as ALREADY_ANSWERED
from .refusal import LATE, NOT_FOUND, Refused

_ATTEMPTS = 20


class Desk:
    """Where work items of one tenant are asked for and answered.

    `people` says who stands behind the names of approvers, `is_gone` which agents are known to have ended,
    `link_key` gives the key that links are signed with (else the environment does).
    """

    def __init__(
        self,
        runtime: Runtime,
        tenant: str,
        *,
        people: rules.People | None = None,
        is_gone: claims.IsGone = claims.nobody_is_gone,
        link_key: Callable[[], bytes] | None = None,
    ):
        self.runtime = runtime
        self.tenant = tenant
        self.executions = runtime.executions(tenant)
        self.items = WorkItems(self.executions)
        self.journal = journal_of(runtime, tenant)
        self.people = people or {}
        self.is_gone = is_gone
        self.link_key = link_key or (lambda: key_of(runtime))

    # -- agents ----------------------------------------------------------------------------------------

    def claim(self, handle: str, by: Identity, worker: str) -> WorkItem:
        """Takes an agent's work for `worker`, or holds on to it. Raises `Refused`."""

        def attempt(item: WorkItem) -> WorkItem:
            held = item.claim is not None and item.claim["worker"] == worker
            taken = claims.claim(self.runtime, self.tenant, item, by, worker, self.is_gone)
            if not held:
                self.note(item, "claimed", by, worker=worker, until=rfc3339(taken.claim["until"]))  # pyright: ignore[reportOptionalSubscript]
            return taken

        return self._attempt(handle, "agent", by, attempt)

    def hand_in(self, handle: str, result: Any, by: Identity, worker: str, usage: Any = None) -> WorkItem:
        """An agent's result; its postconditions are checked by the workflow itself. Raises `Refused`."""

        def attempt(item: WorkItem) -> WorkItem:
            claims.check_claim(item, worker, self.runtime.clock(), self.is_gone)
            rules.text_of(result, "the result")
            rules.check_result(item, result)
            answer = {
                "result": result, "usage": rules.check_usage(usage),
                "by": {"agent": by.agent or by.user or "somebody", **({"client": by.client} if by.client else {})},
                "at": rfc3339(self.runtime.clock()),
            }  # fmt: skip
            rules.text_of(answer, "the result")
            return self._answer(item, answer, by)

        return self._attempt(handle, "agent", by, attempt)

    # -- people ----------------------------------------------------------------------------------------

    def decide(
        self,
        handle: str,
        outcome: str,
        by: Identity,
        *,
        comment: str | None = None,
        form: Any = None,
        shown: str | None = None,
    ) -> WorkItem:
        """A person's decision of a gate; `shown` is the digest of what they were shown. Raises `Refused`."""

        def attempt(item: WorkItem) -> WorkItem:
            rules.check_may_decide(item, by, self.requester(item), self.people)
            rules.check_shown(item, shown)
            said = rules.check_comment(comment)
            rules.check_outcome(item, outcome, said)
            values = rules.checked_form(item, form) if outcome != "reject" else None
            answer = {
                "outcome": outcome,
                "by": {name: text for name, text in by.to_json().items() if name in ("user", "host", "via")},
                "comment": said, "form": values, "at": rfc3339(self.runtime.clock()), "shown": item.digest,
            }  # fmt: skip
            rules.text_of(answer, "the decision")
            return self._answer(item, answer, by)

        return self._attempt(handle, "gate", by, attempt)

    def requester(self, item: WorkItem) -> Identity | None:
        """Who has started the item's execution, as far as that is known."""
        found = requester_of(self.executions, item.execution)
        return None if found is None else Identity.from_json(found)

    # -- both ------------------------------------------------------------------------------------------

    def find(self, handle: str, kind: str | None = None) -> WorkItem:
        """The item of a handle, or of an item's id. Raises `Refused` for none, or an opening that is over."""
        id, _, opening = handle.partition(".")
        item = self.items.get(id) if id else None
        if item is None or kind not in (None, item.kind):
            what = {"agent": "work", "gate": "gate", None: "work or gate"}[kind]
            raise Refused(NOT_FOUND, f"there is no {what} {handle[:80]!r} here")
        if opening and opening != str(item.opening):
            if opening.isdecimal() and 0 < int(opening) < item.opening:
                raise Refused(
                    ALREADY_ANSWERED,
                    f"{handle} was answered before; {item.step} has come round again as {item.handle}",
                )
            raise Refused(NOT_FOUND, f"there is no {handle[:80]!r} here")
        return item

    def refresh(self, item: WorkItem) -> WorkItem:
        """The item as it stands: an answer that was written down and not handed over is handed over now."""
        if item.state == ANSWERING:
            item = self._hand_over(item)
        if item.state == PENDING and not self._still_waits(item):
            item = self._close(item, "the step did not wait any longer")
        return item

    def _attempt(
        self, handle: str, kind: str, by: Identity, attempt: Callable[[WorkItem], WorkItem]
    ) -> WorkItem:
        item: WorkItem | None = None
        try:
            for _ in range(_ATTEMPTS):
                item = self.refresh(self.find(handle, kind))
                if item.state != PENDING:
                    raise self.over(item)
                try:
                    return attempt(item)
                except Conflict:
                    continue  # somebody else has written the item: look at it again
            raise Refused(
                ALREADY_ANSWERED, f"{handle} is being answered by others at this moment; ask for its status"
            )
        except Refused as refused:
            self.note_refusal(refused, by, item, handle=handle[:80])
            raise

    def over(self, item: WorkItem) -> Refused:
        """Why an item that is open no longer takes no answer."""
        if item.state == CLOSED:
            return Refused(LATE, f"{item.handle} ({item.step}) is closed: {item.why}")
        answer = item.answer or {}
        who = (answer.get("by") or {}).get("agent") or (answer.get("by") or {}).get("user") or "somebody"
        what = f" with {answer['outcome']}" if "outcome" in answer else ""
        return Refused(
            ALREADY_ANSWERED,
            f"{item.handle} ({item.step}) was answered by {who} at {answer.get('at')}{what}; that counted, and counts once",
        )

    def _answer(self, item: WorkItem, answer: dict[str, Any], by: Identity) -> WorkItem:
        written = self.items.put(replace(item, state=ANSWERING, answer=answer))
        done = self._hand_over(written)
        if done.state == CLOSED and done.opening == item.opening:
            raise Refused(LATE, f"{item.handle} ({item.step}) came too late: {done.why}")
        if item.kind == "gate" and (telemetry := self.runtime.telemetry) is not None:
            telemetry.value("GateAge", (self.runtime.clock() - item.opened) / 1000)
        self.note(
            item, "answered", by, outcome=answer.get("outcome"), comment=answer.get("comment"), shown=answer.get("shown")
        )  # fmt: skip
        return done

    def _hand_over(self, item: WorkItem) -> WorkItem:
        """Hands the item's answer to its task. What waits between two tokens gets it with the next one."""
        assert item.answer is not None
        text = rules.text_of(item.answer, "the answer")
        if callbacks.send_success(self.runtime, self.tenant, item.token, text):
            return self._settle(item, ANSWERED, None)
        return item if self._still_waits(item) else self._close(item, "the step did not wait any longer")

    def _close(self, item: WorkItem, why: str) -> WorkItem:
        closed = self._settle(item, CLOSED, why)
        if closed.state == CLOSED:
            self.note(item, "closed", Identity(None, "engine"), reason=why)
        return closed

    def _settle(self, item: WorkItem, state: str, why: str | None) -> WorkItem:
        try:
            return self.items.put(replace(item, state=state, why=why))
        except Conflict:
            # Somebody else has done so, or the step has come round again: the item says.
            return self.items.get(item.id) or item

    def _still_waits(self, item: WorkItem) -> bool:
        """Whether an answer can still count: what is due by the clock counts as having happened."""
        now = self.runtime.clock()
        try:
            snapshot = self.executions.load(item.execution).snapshot
        except ExecutionNotFound:
            return item.deadline is None or item.deadline > now
        if (due := wake_at(snapshot)) is not None and due <= now:
            for failure in self.executions.advance({item.execution: [messages.tick()]}).values():
                raise failure
            snapshot = self.executions.load(item.execution).snapshot
        return self.items.waits(snapshot, item)

    def note_refusal(
        self, refused: Refused, by: Identity, item: WorkItem | None = None, *, handle: str
    ) -> None:
        """Puts a refusal into the journal: of the item's execution, else of that which the handle names."""
        item = item or self.items.get(handle.partition(".")[0])
        self.note(item, "refused", by, reason=refused.reason, message=str(refused)[:1000], handle=handle)

    def note(self, item: WorkItem | None, type: str, by: Identity, **fields: Any) -> None:
        """Puts into the journal of the item's execution (or the tenant's) what somebody has done."""
        about: dict[str, Any] = {}
        if item is not None:
            about = {
                "work": item.handle, "kind": item.kind, "step": item.step, "iteration": item.iteration, "round": item.round,
                "attempt": item.attempt,
            }  # fmt: skip
        who = by.to_json() if by.via != "engine" else {"via": "engine"}
        self.journal.note(
            item.execution if item is not None else None,
            self.runtime.clock(),
            type,
            by=who,
            **about,
            **fields,
        )

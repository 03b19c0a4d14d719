"""EventBridge Scheduler's schedules, and EventBridge's rules that have one: moto keeps them, and here they come due.

See the EventBridge Scheduler guide, "Schedule types", and the EventBridge guide, "Creating a rule that runs on a schedule". A
flexible time window is not waited for. A rate begins when it is first seen.
"""

from __future__ import annotations

import contextlib
import json
import sys
import threading
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from ...handlers.logs import logger
from .event_rules import EventRules
from .schedule_expressions import WrongExpression, next_due
from .targets import Targets

_PAUSE = 0.2
_BROUGHT = "stratum_brought"
"""What moto's object of a one-time schedule has once it was brought: when that was to be, as `_when` tells it."""


@dataclass(frozen=True, slots=True)
class _Due:
    """When what has that expression in that time zone comes due; None for never (again)."""

    expression: str
    zone: str
    at: float | None


class Schedules:
    """Looks at the schedules on a thread of its own, once somebody has asked for something that may have made one. `clock`
    gives milliseconds since the epoch; `changed` is called when moto's schedules are not what they were any more."""

    def __init__(
        self, targets: Targets, rules: EventRules, clock: Callable[[], int], changed: Callable[[], None]
    ):
        self._targets = targets
        self._rules = rules
        self._clock = clock
        self._changed = changed
        self._due: dict[str, _Due] = {}
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None

    def look(self) -> None:
        """There may be schedules from now on."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="stratum-schedules", daemon=True)
            self._thread.start()

    def close(self) -> None:
        self._closed.set()

    def reset(self) -> None:
        self._due.clear()

    def _run(self) -> None:
        while not self._closed.wait(_PAUSE):
            with contextlib.suppress(RuntimeError):  # a dictionary that changed while it was read
                self.bring_due()

    def bring_due(self) -> None:
        """Brings everything that is due now."""
        with self._lock:
            self._bring_due()

    def _bring_due(self) -> None:
        now = self._clock() / 1000
        there: set[str] = set()
        for account, region, group, schedule in _schedules():
            there.add(schedule.arn)
            if schedule.state != "ENABLED":
                self._due.pop(schedule.arn, None)
                continue
            at = self._falls_due(
                schedule.arn,
                schedule.schedule_expression,
                schedule.schedule_expression_timezone,
                now,
                _seconds(schedule.start_date),
            )
            once = _when(schedule) if schedule.schedule_expression.startswith("at(") else None
            # What is kept over a restart comes due again then, and has been brought before.
            if (
                at is None
                or not _within(schedule, at)
                or (once and getattr(schedule, _BROUGHT, None) == once)
            ):
                continue
            self._bring(schedule, at, account, region)
            if once:
                setattr(schedule, _BROUGHT, once)
                self._changed()
            if self._due[schedule.arn].at is None and schedule.action_after_completion == "DELETE":
                group.schedules.pop(schedule.name, None)
                self._changed()
        for rule in _rules():
            there.add(rule.arn)
            if rule.state == "DISABLED":
                self._due.pop(rule.arn, None)
                continue
            at = self._falls_due(rule.arn, rule.scheduled_expression, "UTC", now)
            if at is not None:
                self._rules.bring_scheduled(rule, at)
        # One of the same name that is made later begins anew.
        self._due = {arn: due for arn, due in self._due.items() if arn in there}

    def _falls_due(
        self, arn: str, expression: str, zone: str, now: float, begin: float | None = None
    ) -> float | None:
        """When it was due, where it is and has not been brought yet. A rate goes by `begin`, where that is to come."""
        known = self._due.get(arn)
        if known is None or (known.expression, known.zone) != (expression, zone):
            # What was to be at a time that has passed meanwhile is brought late rather than never.
            first = 0.0 if expression.startswith("at(") else now
            coming = begin is not None and begin > now and expression.startswith("rate(")
            known = _Due(expression, zone, begin if coming else _next(arn, expression, zone, first))
            self._due[arn] = known
        if known.at is None or known.at > now:
            return None
        again = None if expression.startswith("at(") else _next(arn, expression, zone, now)
        self._due[arn] = _Due(expression, zone, again)
        return known.at

    def _bring(self, schedule: Any, at: float, account: str, region: str) -> None:
        target = schedule.target
        values = {
            "schedule-arn": schedule.arn,
            "scheduled-time": datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "execution-id": str(uuid.uuid4()),
            "attempt-number": "1",
        }
        text = target.get("Input") or "{}"
        for name, value in values.items():
            text = text.replace(f"<aws.scheduler.{name}>", value)
        try:
            if ":lambda:" in target["Arn"]:
                text = json.dumps(json.loads(text))
            self._targets.bring(target, text, account, region)
        except Exception as error:
            logger.warning("not brought", schedule=schedule.arn, target=target["Arn"], reason=str(error))


def _next(arn: str, expression: str, zone: str, after: float) -> float | None:
    try:
        return next_due(expression, after, zone)
    except WrongExpression as error:
        logger.warning("a schedule never comes due", schedule=arn, reason=str(error))
        return None


def _when(schedule: Any) -> tuple[str, str]:
    return schedule.schedule_expression, schedule.schedule_expression_timezone


def _within(schedule: Any, at: float) -> bool:
    """Whether the time is between the schedule's start and end, which one-time schedules do not look at."""
    if schedule.schedule_expression.startswith("at("):
        return True
    begin, end = _seconds(schedule.start_date), _seconds(schedule.end_date)
    return (begin is None or begin <= at) and (end is None or at <= end)


def _seconds(moment: Any) -> float | None:
    if not moment:
        return None
    if isinstance(moment, str):
        moment = datetime.fromisoformat(moment.replace("Z", "+00:00"))
    if isinstance(moment, datetime):
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    return float(moment)


def _schedules() -> Iterator[tuple[str, str, Any, Any]]:
    """Account, region, group and schedule."""
    for account, region, backend in _backends("scheduler"):
        for group in list(backend.schedule_groups.values()):
            for schedule in list(group.schedules.values()):
                yield account, region, group, schedule


def _rules() -> Iterator[Any]:
    """Rules that have a schedule: only the default bus has such."""
    for _, _, backend in _backends("events"):
        for rule in list(backend.event_buses["default"].rules.values()):
            if rule.scheduled_expression:
                yield rule


def _backends(service: Literal["events", "scheduler"]) -> Iterator[tuple[str, str, Any]]:
    if f"moto.{service}.models" not in sys.modules:  # nobody has asked for it, and importing it takes long
        return
    from moto.backends import get_backend

    for account, regions in list(dict.items(get_backend(service))):
        for region, backend in list(dict.items(regions)):
            yield account, region, backend

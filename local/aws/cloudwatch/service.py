"""CloudWatch at the door: what is counted, and alarms that are looked at when something was, and when a minute is over.

Alarms are looked at on a thread of its own where time is real, whenever CloudWatch is asked for anything, and before a virtual
clock jumps, minute by minute. Where nobody has made an alarm, counting is all that is done.
"""

from __future__ import annotations

import contextlib
import json
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

from ....handlers.logs import logger
from ...clock import Clock, VirtualClock
from ..clients import Clients
from ..moto_services import MotoServices
from . import rules
from .actions import Actions, State
from .alarms import FURTHER, Verdict, verdict, watched
from .log_metrics import LogMetrics
from .metrics import MINUTE, Metrics, moment
from .moto_model import complete, complete_logs, note
from .own_metrics import LambdaMetrics, StatesMetrics, messages_wait, sample_queues

_PAUSE = 0.5
"""Seconds between two looks at alarms."""
_STEPS = 1440
"""Minutes that are looked at in a jump of a virtual clock: alarms see no more of a longer one."""
_DEEP = 10
"""How many alarms made of alarms may stand on each other."""


class CloudWatch:
    """`clock` gives milliseconds since the epoch; `describe` answers what DescribeExecution does, `logs` has come
    what functions have printed, and `events` says whether anybody listens to EventBridge."""

    def __init__(
        self,
        moto: MotoServices,
        clients: Clients,
        clock: Clock,
        *,
        describe: Callable[[str], dict[str, Any]],
        logs: Callable[[], None],
        events: Callable[[], bool],
    ):
        self._clock = clock
        self._metrics = Metrics(moto)
        self.functions = LambdaMetrics(self._metrics, clock)
        self.executions = StatesMetrics(self._metrics, describe)
        self._flush_logs = logs
        self._logs = LogMetrics(self._metrics, lambda at: clock() if clock.virtual or not at else at)
        self._actions = Actions(clients, events)
        self._looking = threading.RLock()
        self._looked: dict[str, tuple[Any, ...]] = {}
        self._told: set[str] = set()
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None
        if isinstance(clock, VirtualClock):
            clock.passing = self._pass

    def close(self) -> None:
        self._closed.set()
        if isinstance(self._clock, VirtualClock):
            self._clock.passing = None

    def reset(self) -> None:
        with self._looking:
            self._looked.clear()
            self._told.clear()
        self._metrics.reset()
        self.executions.reset()

    def complete(self) -> None:
        """Gives moto what it lacks, before it is asked for anything of CloudWatch; starts looking at alarms."""
        complete(self)
        self.complete_logs()
        if self._thread is None and not self._clock.virtual:
            self._thread = threading.Thread(target=self._run, name="stratum-alarms", daemon=True)
            self._thread.start()

    def opened(self) -> None:
        """moto holds again what it held in the process before: there may be alarms."""
        if "moto.cloudwatch.models" in sys.modules:
            self.complete()

    def complete_logs(self) -> None:
        """Has logs counted from now on."""
        complete_logs(self._logs.came)

    def now(self) -> Any:
        """The time, as moto has it."""
        return moment(self._clock())

    # -- alarms ------------------------------------------------------------------------------------------

    def look(self, at: int | None = None) -> None:
        """Sees to it that all is counted and every alarm is what it should be: now, or at a time in milliseconds."""
        at = self._clock() if at is None else at
        self._flush_logs()
        with self._looking:
            self.executions.flush()
            sample_queues(self._metrics, at, virtual=self._clock.virtual)
            self._metrics.flush()
            for place, backend in self._backends():
                every = list(backend.alarms.values())
                for alarm in every:
                    if alarm.rule is None:
                        self._look_at(alarm, place, at)
                for _ in range(_DEEP):
                    if not [
                        alarm for alarm in every if alarm.rule is not None and self._judge(alarm, backend, at)
                    ]:
                        break

    def alarm_put(self, alarm: Any, before: Any) -> None:
        """An alarm was made, or made anew."""
        alarm.configuration_updated_timestamp = self.now()
        alarm.state_updated_timestamp = self.now()
        if before is None:
            alarm.state_value = "INSUFFICIENT_DATA"
            note(
                alarm, "ConfigurationUpdate", self.now(), f'Alarm "{alarm.name}" created', {"version": "1.0"}
            )
            return
        for name in (
            "state_value",
            "state_reason",
            "state_reason_data",
            "state_updated_timestamp",
            "history",
        ):
            setattr(alarm, name, getattr(before, name))
        alarm.items = getattr(before, "items", [])
        alarm.held_until = getattr(before, "held_until", 0)
        note(alarm, "ConfigurationUpdate", self.now(), f'Alarm "{alarm.name}" updated', {"version": "1.0"})

    @contextlib.contextmanager
    def by_hand(self, backend: Any, name: str) -> Iterator[None]:
        """Around SetAlarmState. The state holds for a period, until CloudWatch would look again."""
        with self._looking:
            alarm = backend.alarms.get(name)
            before = None if alarm is None else State.of(alarm)
            yield
            if alarm is not None and before is not None:
                alarm.state_updated_timestamp = self.now()
                alarm.held_until = self._clock() + max(MINUTE, int(alarm.period or 0) * 1000)
                if alarm.state_value != before.value:
                    self._changed(alarm, (backend.account_id, backend.region_name), before)

    def _run(self) -> None:
        while not self._closed.wait(_PAUSE):
            try:
                if self._any():
                    self.look()
            except Exception as error:
                # A dictionary of moto's that changed while it was read; the next look sees it as it is.
                logger.debug("alarms not looked at", reason=f"{type(error).__name__}: {error}")

    def _pass(self, until: int) -> None:
        """Looks at what a jump to `until` leaps over: now, and then at the end of every minute."""
        if not self._any():
            return
        now = self._clock()
        self.look(now)
        settled = now + self._memory()
        last = until // MINUTE * MINUTE
        steps = list(range((now // MINUTE + 1) * MINUTE, last + 1, MINUTE))
        if len(steps) > _STEPS:
            steps = steps[: _STEPS // 2] + steps[-_STEPS // 2 :]
        for at in steps:
            # Nothing new comes in a jump but the age of messages.
            if at <= settled or at == last or messages_wait():
                self.look(at)

    def _memory(self) -> int:
        """Milliseconds after which no alarm remembers what came before."""
        watches = [
            (alarm, watch)
            for _, backend in self._backends()
            for alarm in list(backend.alarms.values())
            if alarm.rule is None and (watch := watched(alarm)) is not None
        ]
        spans = [
            (int(alarm.evaluation_periods) + FURTHER + 1) * watch.period * 1000 for alarm, watch in watches
        ]
        return max(spans, default=0)

    def _any(self) -> bool:
        return any(backend.alarms for _, backend in self._backends())

    def _backends(self) -> list[tuple[tuple[str, str], Any]]:
        if "moto.cloudwatch.models" not in sys.modules:
            return []
        from moto.backends import get_backend

        return [
            ((account, region), backend)
            for account, regions in list(dict.items(get_backend("cloudwatch")))
            for region, backend in list(dict.items(regions))
        ]

    def _look_at(self, alarm: Any, place: tuple[str, str], at: int) -> None:
        """Nothing is done where no data came and no period has ended since the last look."""
        if at < getattr(alarm, "held_until", 0):
            return
        watch = watched(alarm)
        if watch is None:
            if alarm.alarm_arn not in self._told:
                self._told.add(alarm.alarm_arn)
                logger.warning("an alarm is not looked at here: of its metric's kind", alarm=alarm.name)
            return
        series = self._metrics.find(*place, watch.namespace, watch.name, watch.dimensions)
        revision = None if series is None else (id(series), series.revision)
        seen = (id(alarm), alarm.state_value, at // min(MINUTE, watch.period * 1000), revision)
        if self._looked.get(alarm.alarm_arn) == seen:
            return
        found = verdict(alarm, watch, series, at)
        self._become(alarm, place, found, at)
        self._looked[alarm.alarm_arn] = (id(alarm), alarm.state_value, *seen[2:])

    def _judge(self, alarm: Any, backend: Any, at: int) -> bool:
        """An alarm made of others; answers whether it is another now."""
        if at < getattr(alarm, "held_until", 0):
            return False

        def state(name: str) -> str | None:
            found = backend.alarms.get(name)
            return None if found is None else found.state_value

        try:
            value = "ALARM" if rules.holds(alarm.rule, state) else "OK"
            off = [name for name in rules.named(alarm.rule) if state(name) == "ALARM"]
        except rules.InvalidRule:
            return False
        data = {
            "triggeringAlarms": [
                {"arn": backend.alarms[name].alarm_arn, "state": {"value": "ALARM"}} for name in off
            ]
        }
        reason = f"{alarm.rule} is {'true' if value == 'ALARM' else 'not true'}"
        if off:
            reason = f"{', '.join(backend.alarms[name].alarm_arn for name in off)} in ALARM"
        place = (backend.account_id, backend.region_name)
        return self._become(alarm, place, Verdict(value, reason, json.dumps(data)), at)

    def _become(self, alarm: Any, place: tuple[str, str], found: Verdict, at: int) -> bool:
        if found.state == alarm.state_value:
            return False
        before = State.of(alarm)
        alarm.update_state(found.reason, found.data, found.state)
        alarm.state_updated_timestamp = moment(at)
        self._changed(alarm, place, before)
        return True

    def _changed(self, alarm: Any, place: tuple[str, str], before: State) -> None:
        after = State.of(alarm)
        states = {
            name: {
                "stateValue": state.value,
                "stateReason": state.reason,
                "stateReasonData": json.loads(state.data or "{}"),
            }
            for name, state in (("oldState", before), ("newState", after))
        }
        summary = f"Alarm updated from {before.value} to {after.value}"
        note(alarm, "StateUpdate", after.at, summary, {"version": "1.0", **states})
        for action, failure in self._actions.changed(alarm, place, before):
            done = "Successfully executed" if failure is None else "Failed to execute"
            about = {"actionState": "Succeeded" if failure is None else "Failed", "error": failure}
            note(
                alarm,
                "Action",
                after.at,
                f"{done} action {action}",
                {"stateUpdateTimestamp": str(after.at), **about},
            )

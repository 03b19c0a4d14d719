"""What EventBridge Scheduler brings: moto keeps the schedules, and here they come due.

`at(…)` and `rate(…)`, to queues, functions and state machines. A schedule by `cron(…)` is kept and never comes due here, which
is said once. See the EventBridge Scheduler guide, "Schedule types".
"""

from __future__ import annotations

import contextlib
import json
import re
import threading
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from ...handlers.functions import Invocation
from ...handlers.logs import logger
from .clients import Clients
from .invocations import Invocations

_PAUSE = 0.2
_RATE = re.compile(r"rate\((\d+) (minute|hour|day)s?\)")
_AT = re.compile(r"at\((\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\)")
_SECONDS = {"minute": 60, "hour": 3600, "day": 86400}


class Schedules:
    """Looks at the schedules on a thread of its own, once somebody has asked Scheduler for something. `clock` gives
    milliseconds since the epoch."""

    def __init__(self, invocations: Invocations, clients: Clients, clock: Callable[[], int]):
        self._invocations = invocations
        self._clients = clients
        self._clock = clock
        self._ran: dict[str, float] = {}
        self._told: set[str] = set()
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
        self._ran.clear()

    def _run(self) -> None:
        while not self._closed.wait(_PAUSE):
            with contextlib.suppress(RuntimeError):  # a dictionary that changed while it was read
                self.bring_due()

    def bring_due(self) -> None:
        """Brings everything that is due now."""
        from moto.backends import get_backend

        now = self._clock() / 1000
        for account, regions in list(dict.items(get_backend("scheduler"))):
            for region, backend in list(dict.items(regions)):
                for group in list(backend.schedule_groups.values()):
                    for schedule in list(group.schedules.values()):
                        if schedule.state == "ENABLED" and self._is_due(schedule, now):
                            self._bring(schedule, account, region)
                            if _AT.fullmatch(schedule.schedule_expression):
                                self._after(group, schedule)

    def _is_due(self, schedule: Any, now: float) -> bool:
        if found := _AT.fullmatch(schedule.schedule_expression):
            zone = ZoneInfo(schedule.schedule_expression_timezone or "UTC")
            at = datetime.fromisoformat(found[1]).replace(tzinfo=zone).astimezone(UTC).timestamp()
            return at <= now and schedule.arn not in self._ran
        if found := _RATE.fullmatch(schedule.schedule_expression):
            every = int(found[1]) * _SECONDS[found[2]]
            return now >= self._ran.setdefault(schedule.arn, now) + every
        if schedule.arn not in self._told:
            self._told.add(schedule.arn)
            logger.warning(
                "a schedule never comes due here",
                schedule=schedule.arn,
                expression=schedule.schedule_expression,
            )
        return False

    def _after(self, group: Any, schedule: Any) -> None:
        if schedule.action_after_completion == "DELETE":
            group.schedules.pop(schedule.name, None)
            self._ran.pop(schedule.arn, None)

    def _bring(self, schedule: Any, account: str, region: str) -> None:
        self._ran[schedule.arn] = self._clock() / 1000
        target = schedule.target
        arn, text = target["Arn"], target.get("Input") or "{}"
        text = text.replace(
            "<aws.scheduler.scheduled-time>", datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        )
        try:
            service = arn.split(":")[2]
            if service == "sqs":
                group = target.get("SqsParameters", {}).get("MessageGroupId")
                options = {"MessageGroupId": group} if group else {}
                client = self._clients("sqs", account, region)
                url = client.get_queue_url(QueueName=arn.split(":")[5])["QueueUrl"]
                client.send_message(QueueUrl=url, MessageBody=text, **options)
            elif service == "lambda":
                invocation = Invocation(
                    arn, json.dumps(json.loads(text)), str(uuid.uuid4()), account=account, region=region
                )
                self._invocations.invoke_later(invocation)
            elif service == "states":
                self._clients("stepfunctions", account, region).start_execution(
                    stateMachineArn=arn, input=text
                )
            else:
                raise ValueError(f"{service} is no target that is reached here")
        except Exception as error:
            logger.warning("not brought", schedule=schedule.arn, target=arn, reason=str(error))

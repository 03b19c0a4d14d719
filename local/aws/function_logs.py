"""What functions print, in CloudWatch Logs: `/aws/lambda/NAME`, as Lambda writes it there."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable

from ...handlers.logs import logger
from ..functions import FunctionConfig
from ..functions.process import WorkerResult
from .messages import ACCOUNT, REGION
from .moto_services import MotoServices

_KEPT = 10_000
"""Calls whose logs wait at the most where nobody has asked for CloudWatch Logs yet."""
_MAX_LINE = 262_144 - 26
"""Bytes that an event of CloudWatch Logs may have."""


def framed(config: FunctionConfig, request: str, result: WorkerResult, seconds: float) -> str:
    """A call's log between the lines that Lambda puts around it."""
    log = result.log
    body = log if not log or log.endswith("\n") else f"{log}\n"
    billed = max(1, int(-(-seconds * 1000 // 1)))
    return (
        f"START RequestId: {request} Version: {config.version}\n{body}END RequestId: {request}\n"
        f"REPORT RequestId: {request}\tDuration: {seconds * 1000:.2f} ms\tBilled Duration: {billed} ms\t"
        f"Memory Size: {config.memory} MB\tMax Memory Used: {result.memory} MB\t\n"
    )


class FunctionLogs:
    """Takes logs at once and hands them to moto on a thread of its own: a call never waits for that.

    Until moto is loaded they wait: loading it for logs that nobody reads would take a second. `before` is called before moto is
    handed any.
    """

    def __init__(self, moto: MotoServices, before: Callable[[], None]):
        self._moto = moto
        self._before = before
        self._waiting: deque[tuple[FunctionConfig, str, str, int]] = deque(maxlen=_KEPT)
        self._changed = threading.Condition()
        self._busy = False
        self._thread: threading.Thread | None = None

    def write(self, config: FunctionConfig, stream: str, text: str) -> None:
        with self._changed:
            self._waiting.append((config, stream, text, int(time.time() * 1000)))
            if self._moto.loaded:
                self._start()
                self._changed.notify_all()

    def flush(self) -> None:
        """Waits until all that was written is there to be read. Loads moto where there is anything."""
        if not self._waiting and not self._busy:
            return
        self._moto.load()
        with self._changed:
            self._start()
            self._changed.notify_all()
            self._changed.wait_for(lambda: not self._waiting and not self._busy, timeout=10)

    def reset(self) -> None:
        with self._changed:
            self._waiting.clear()

    def _start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="stratum-logs", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting)
                batch = list(self._waiting)
                self._waiting.clear()
                self._busy = True
            try:
                for each in batch:
                    try:
                        self._put(*each)
                    except Exception as error:
                        logger.warning("log not kept", function=each[0].name, reason=str(error))
            finally:
                with self._changed:
                    self._busy = False
                    self._changed.notify_all()

    def _put(self, config: FunctionConfig, stream: str, text: str, at: int) -> None:
        parts = config.arn.split(":")
        region, account = (parts[3], parts[4]) if len(parts) > 5 else (REGION, ACCOUNT)
        backend = self._moto.backend("logs", account, region)
        group = f"/aws/lambda/{config.name}"
        self._before()
        backend.ensure_log_group(group)
        if stream not in backend.groups[group].streams:
            backend.create_log_stream(group, stream)
        lines = [
            {"timestamp": at, "message": f"{line[:_MAX_LINE]}\n"}
            for line in text.removesuffix("\n").split("\n")
        ]
        backend.put_log_events(group, stream, lines)

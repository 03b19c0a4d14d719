"""What functions print, in CloudWatch Logs: `/aws/lambda/NAME`, as Lambda writes it there."""

from __future__ import annotations

import threading
import time
import uuid
from collections import deque
from datetime import UTC, datetime

from ..functions import FunctionConfig
from .messages import ACCOUNT, REGION
from .moto_services import MotoServices


def framed(config: FunctionConfig, request: str, log: str, seconds: float) -> str:
    """A call's log between the lines that Lambda puts around it."""
    body = log if not log or log.endswith("\n") else f"{log}\n"
    billed = max(1, int(-(-seconds * 1000 // 1)))
    return (
        f"START RequestId: {request} Version: {config.version}\n{body}END RequestId: {request}\n"
        f"REPORT RequestId: {request}\tDuration: {seconds * 1000:.2f} ms\tBilled Duration: {billed} ms\t"
        f"Memory Size: {config.memory} MB\tMax Memory Used: {min(config.memory, 64)} MB\t\n"
    )


class FunctionLogs:
    """Takes logs at once and hands them to moto on a thread of its own: a call never waits for that."""

    def __init__(self, moto: MotoServices):
        self._moto = moto
        self._waiting: deque[tuple[FunctionConfig, str, int]] = deque()
        self._changed = threading.Condition()
        self._busy = False
        self._streams: dict[FunctionConfig, str] = {}
        self._thread: threading.Thread | None = None

    def write(self, config: FunctionConfig, text: str) -> None:
        if not self._moto.loaded:
            return  # then nobody can have asked for a log, and loading it for this would take a second
        with self._changed:
            self._waiting.append((config, text, int(time.time() * 1000)))
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="stratum-logs", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def flush(self) -> None:
        """Waits until all that was written is there to be read."""
        with self._changed:
            self._changed.wait_for(lambda: not self._waiting and not self._busy, timeout=10)

    def reset(self) -> None:
        with self._changed:
            self._waiting.clear()
            self._streams.clear()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting)
                batch = list(self._waiting)
                self._waiting.clear()
                self._busy = True
            try:
                for config, text, at in batch:
                    self._put(config, text, at)
            finally:
                with self._changed:
                    self._busy = False
                    self._changed.notify_all()

    def _put(self, config: FunctionConfig, text: str, at: int) -> None:
        parts = config.arn.split(":")
        region, account = (parts[3], parts[4]) if len(parts) > 5 else (REGION, ACCOUNT)
        backend = self._moto.backend("logs", account, region)
        group = f"/aws/lambda/{config.name}"
        stream = self._streams.get(config)
        if stream is None:
            day = datetime.fromtimestamp(at / 1000, UTC).strftime("%Y/%m/%d")
            stream = self._streams[config] = f"{day}/[{config.version}]{uuid.uuid4().hex}"
        backend.ensure_log_group(group)
        if stream not in backend.groups[group].streams:
            backend.create_log_stream(group, stream)
        lines = [{"timestamp": at, "message": f"{line}\n"} for line in text.splitlines()]
        backend.put_log_events(group, stream, lines)

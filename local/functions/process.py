"""One worker process as its parent sees it: calls, their timeout, their log, and its end."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ...handlers.functions import Invocation, InvocationResult
from . import errors
from .worker import END_OF_LOG

KEPT_LOG = 64 * 1024
"""Bytes of a call's output that are kept: the last ones."""

_SCRIPT = Path(__file__).with_name("worker.py")


class WorkerProcess:
    """`usable` tells whether it can take another call."""

    def __init__(self, name: str, module: str, attribute: str, folders: Sequence[Path], environ: Mapping[str, str]):
        self.name = name
        self.usable = True
        self._process = subprocess.Popen(
            [sys.executable, "-u", str(_SCRIPT), module, attribute, str(errors.MAX_RESPONSE), *map(str, folders)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, **_lambda_environment(name, module, attribute, folders), **environ},
            start_new_session=True,  # a Ctrl-C is for the parent, and a timeout ends what the handler started too
        )
        self._answers: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._log = _Log()
        threading.Thread(target=self._read_answers, daemon=True).start()
        threading.Thread(target=self._read_log, daemon=True).start()

    def call(self, invocation: Invocation) -> InvocationResult:
        """Runs the handler once. The process is not usable any more after a timeout or a crash."""
        request = invocation.request_id
        try:
            self._send(invocation)
            answer = self._answers.get(timeout=invocation.timeout)
        except queue.Empty:
            self.kill()
            assert invocation.timeout is not None
            return errors.timed_out(request, invocation.timeout, self._log.rest())
        except OSError:
            answer = None
        if answer is None:
            return self._exited(request)
        answered = json.loads(answer)
        log = self._log.take()
        if "payload" in answered:
            return InvocationResult(answered["payload"], log=log)
        if "too_large" in answered:
            return errors.too_large(request, answered["too_large"], log)
        if answered["fatal"]:
            self.kill()
        return errors.failed(request, answered["error"], answered["message"], answered["stack"], log)

    def kill(self) -> None:
        """Ends the process and what it has started."""
        self.usable = False
        with contextlib.suppress(OSError):
            if hasattr(os, "killpg"):
                os.killpg(self._process.pid, signal.SIGKILL)
            else:
                self._process.kill()
        self._process.wait()
        with contextlib.suppress(OSError):
            if self._process.stdin is not None:
                self._process.stdin.close()

    def _send(self, invocation: Invocation) -> None:
        body = json.dumps(
            {
                "payload": invocation.payload,
                "timeout": invocation.timeout,
                "context": {
                    "function_name": self.name,
                    "function_version": "$LATEST",
                    "invoked_function_arn": f"arn:aws:lambda:us-east-1:123456789012:function:{self.name}",
                    "memory_limit_in_mb": "1024",
                    "aws_request_id": invocation.request_id,
                    "log_group_name": f"/aws/lambda/{self.name}",
                    "log_stream_name": "local",
                    "client_context": invocation.client_context or {},
                },
            }
        ).encode()
        pipe: Any = self._process.stdin
        pipe.write(len(body).to_bytes(4, "big") + body)
        pipe.flush()

    def _exited(self, request: str) -> InvocationResult:
        self.usable = False
        code = self._process.wait()
        log = self._log.rest()
        if code < 0:
            how = f"signal: {signal.Signals(-code).name.removeprefix('SIG').lower()}"
            how = "signal: killed" if how == "signal: kill" else how
            reason = f"Runtime exited with error: {how}"
        else:
            reason = f"Runtime exited with error: exit status {code}" if code else "Runtime exited without providing a reason"
        self.kill()
        return errors.failed(request, "Runtime.ExitError", f"RequestId: {request} Error: {reason}", log=log)

    def _read_answers(self) -> None:
        stream: Any = self._process.stdout
        while len(head := stream.read(4)) == 4:
            self._answers.put(stream.read(int.from_bytes(head, "big")))
        self._answers.put(None)

    def _read_log(self) -> None:
        stream: Any = self._process.stderr
        while chunk := stream.read1(65536):
            self._log.add(chunk)
        self._log.end()


class _Log:
    """What a worker prints, call by call; of each call the end is kept, and how much was cut off said."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._current = bytearray()
        self._cut = 0
        self._done: list[str] = []
        self._ended = False

    def add(self, chunk: bytes) -> None:
        with self._changed:
            self._current += chunk
            while (at := self._current.find(END_OF_LOG)) >= 0:
                self._done.append(self._text(self._current[:at]))
                del self._current[: at + len(END_OF_LOG)]
                self._cut = 0
            if (over := len(self._current) - 2 * KEPT_LOG) > 0:
                del self._current[:over]
                self._cut += over
            self._changed.notify_all()

    def end(self) -> None:
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def take(self) -> str:
        """The log of the call that has just been answered."""
        with self._changed:
            self._changed.wait_for(lambda: self._done or self._ended, timeout=2)
            return self._done.pop(0) if self._done else self._text(self._current)

    def rest(self) -> str:
        """The log of a call that was not answered."""
        with self._changed:
            self._changed.wait_for(lambda: self._ended, timeout=2)
            return self._text(self._current)

    def _text(self, data: bytes | bytearray) -> str:
        cut = self._cut + max(0, len(data) - KEPT_LOG)
        text = bytes(data[-KEPT_LOG:]).decode("utf-8", "replace")
        return f"[{cut} bytes before this were cut off]\n{text}" if cut else text


def _lambda_environment(name: str, module: str, attribute: str, folders: Sequence[Path]) -> dict[str, str]:
    """What Lambda's runtime sets, as far as it means anything here."""
    return {
        "_HANDLER": f"{module}.{attribute}",
        "AWS_LAMBDA_FUNCTION_NAME": name,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1024",
        "LAMBDA_TASK_ROOT": str(folders[0]),
        "PYTHONIOENCODING": "utf-8:backslashreplace",
    }

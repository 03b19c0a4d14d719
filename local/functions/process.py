"""One worker process as its parent sees it: calls, their timeout, and its end."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ...handlers.functions import Invocation, InvocationResult, InvokeError
from . import errors
from .call_log import CallLog
from .config import FunctionConfig
from .memory_watch import watch

_HERE = Path(__file__).parent
_GRACE = 1.0
"""Seconds that a process which has closed its pipes has to end by itself."""


@dataclass(frozen=True, slots=True)
class WorkerResult(InvocationResult):
    """With the most memory that the process ever had, in MB, and the log stream that the call belongs to."""

    memory: int = 0
    stream: str = ""


class ProcessGone(Exception):
    """The process, idle until then, had ended before the call reached it: nothing was run."""


class WorkerProcess:
    """A process for one function. One call at a time; `kill` from any thread.

    `init_timeout`: seconds that importing the handler may take before it counts against a call's timeout.
    """

    def __init__(
        self,
        config: FunctionConfig,
        environ: Mapping[str, str | None],
        init_timeout: float,
    ):
        self._init_timeout = init_timeout
        self._ready = False
        self._ending = threading.Lock()
        self._status: int | None = None
        mark = f"\0end of log {os.urandom(8).hex()}\n"
        self._limit = config.memory if config.memory_limited else None
        self._memory = 0
        day = datetime.now(UTC).strftime("%Y/%m/%d")
        self._stream = f"{day}/[{config.version}]{os.urandom(16).hex()}"
        life, self._life = _pipe()
        options = {
            "name": config.name,
            "module": config.module,
            "attribute": config.attribute,
            "folders": config.folders,
            "about": {"arn": config.arn, "version": config.version, "memory": str(config.memory)},
            "mark": mark,
            "life": life,
        }
        try:
            self._process = subprocess.Popen(
                _command(config, options),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=_environment(config, environ, self._stream),
                pass_fds=() if life is None else (life,),
                start_new_session=True,  # a Ctrl-C is for the parent, and `kill` ends what a handler started too
            )
        except BaseException:
            self._close_life()
            raise
        finally:
            if life is not None:
                os.close(life)
        self._answers: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._log = CallLog(mark.encode())
        threading.Thread(target=self._read_answers, daemon=True).start()
        threading.Thread(target=self._log.read, args=(self._process.stderr,), daemon=True).start()

    @property
    def usable(self) -> bool:
        """Whether it can take another call. False also for a process that ended by itself since the last one."""
        return self._status is None and not self._has_exited()

    def call(self, invocation: Invocation) -> WorkerResult:
        """Runs the handler once. The process is not usable any more after a timeout, a crash or a failed import.

        Raises `ProcessGone`.
        """
        if self._limit is not None:
            watch.begin(self._process.pid, self._limit)
        try:
            result = self._call(invocation)
        finally:
            if self._limit is not None:
                watch.end(self._process.pid)
        return WorkerResult(
            result.payload, result.function_error, log=result.log, memory=self._memory, stream=self._stream
        )

    def _call(self, invocation: Invocation) -> InvocationResult:
        request = invocation.request_id
        timeout = invocation.timeout
        deadline = None
        try:
            if not self._ready:
                answer, deadline = self._started(timeout)
                if answer is None or answer:  # it ended, or the handler could not be loaded
                    result = self._result(request, answer)
                    self.kill()
                    return result
                self._ready = True
                self._send(invocation)
            else:
                self._send_to_idle(invocation)
            if deadline is None and timeout is not None:
                deadline = time.monotonic() + timeout
            answer = self._next(None if deadline is None else max(0, deadline - time.monotonic()))
        except queue.Empty:
            self.kill()
            assert timeout is not None
            return errors.timed_out(request, timeout, self._log.rest())
        except OSError:
            answer = None
        return self._result(request, answer)

    def kill(self) -> int:
        """Ends the process and what it has started; answers its status, negative for a signal."""
        return self._end(0)

    def _started(self, timeout: float | None) -> tuple[dict[str, Any] | None, float | None]:
        """The process's first answer and, where it took longer than it may, the deadline of the call.

        So it is on Lambda: a function has ten seconds to initialize; after that its timeout runs.
        """
        if timeout is None:
            return self._next(None), None
        with contextlib.suppress(queue.Empty):
            return self._next(self._init_timeout), None
        deadline = time.monotonic() + timeout
        return self._next(timeout), deadline

    def _next(self, seconds: float | None) -> dict[str, Any] | None:
        body = self._answers.get(timeout=seconds)
        return None if body is None else json.loads(body)

    def _result(self, request: str, answer: dict[str, Any] | None) -> InvocationResult:
        if answer is None:
            status = self._end(_GRACE)
            if status == -signal.SIGKILL and self._limit is not None:
                self._memory = self._limit
            return errors.exited(request, status, self._log.rest())
        log = self._log.take()
        self._memory = answer.get("memory", 0) // 1024
        if "payload" in answer:
            return InvocationResult(answer["payload"], log=log)
        if answer.get("ends"):
            self._end(_GRACE)
        if "document" in answer:
            return errors.documented(answer["document"], log)
        return errors.failed(request, answer["error"], answer["message"], answer["stack"], log)

    def _send_to_idle(self, invocation: Invocation) -> None:
        try:
            self._send(invocation)
        except OSError:  # it reads no more, and has not read all of the call
            self._end(_GRACE)
            raise ProcessGone from None

    def _send(self, invocation: Invocation) -> None:
        body = json.dumps(
            {
                "payload": invocation.payload,
                "timeout": invocation.timeout,
                "request_id": invocation.request_id,
                "client_context": invocation.client_context,
                "arn": invocation.function if invocation.function.startswith("arn:") else "",
            }
        ).encode()
        pipe: Any = self._process.stdin
        pipe.write(len(body).to_bytes(4, "big") + body)
        pipe.flush()

    def _read_answers(self) -> None:
        stream: Any = self._process.stdout
        with stream:
            while len(head := stream.read(4)) == 4:
                self._answers.put(stream.read(int.from_bytes(head, "big")))
        self._answers.put(None)

    def _has_exited(self) -> bool:
        if hasattr(os, "waitid"):
            # It stays a zombie until `_end`: so its number still names its group, and nobody else's.
            with contextlib.suppress(ChildProcessError):
                return (
                    os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
                )
        return self._process.poll() is not None

    def _end(self, grace: float) -> int:
        with self._ending:
            if self._status is not None:
                return self._status
            watch.end(self._process.pid)
            until = time.monotonic() + grace
            while grace and not self._has_exited() and time.monotonic() < until:
                time.sleep(0.001)
            if hasattr(os, "killpg"):
                with contextlib.suppress(OSError):
                    os.killpg(self._process.pid, signal.SIGKILL)
            elif self._process.poll() is None:
                self._process.kill()
            self._status = self._process.wait()
            self._close_life()
            with contextlib.suppress(OSError):
                if self._process.stdin is not None:
                    self._process.stdin.close()
            return self._status

    def _close_life(self) -> None:
        if self._life is not None:
            os.close(self._life)
            self._life = None


def _pipe() -> tuple[int | None, int | None]:
    """A pipe that only says, by closing, that this process has ended; where one can be handed on."""
    return os.pipe() if os.name == "posix" else (None, None)


def find_node() -> str | None:
    """Node's program, where this machine has it and can run functions with it."""
    return shutil.which("node") if os.name == "posix" else None


def _command(config: FunctionConfig, options: dict[str, Any]) -> list[str]:
    if not config.node:
        return [sys.executable, "-u", str(_HERE / "handler_runtime.py"), json.dumps(options)]
    node = find_node()
    if node is None:
        raise InvokeError("Lambda.InvalidRuntimeException", f"{config.name}: {errors.NO_NODE}")
    # V8's heap may not be all of the memory, and fails in its own words where it is.
    flags = [f"--max-old-space-size={max(64, config.memory * 9 // 10)}"] if config.memory_limited else []
    options = {**options, "node": node, "flags": flags, "script": str(_HERE / "node_runtime.cjs")}
    return [sys.executable, "-S", "-E", str(_HERE / "node_launcher.py"), json.dumps(options)]


def _environment(config: FunctionConfig, environ: Mapping[str, str | None], stream: str) -> dict[str, str]:
    """This process's variables without those that `environ` has as None, Lambda's, and the function's own."""
    ours = _lambda_environment(config, stream)
    variables = {**os.environ, **ours, **environ, **dict(config.environ)}
    return {name: value for name, value in variables.items() if value is not None}


def _lambda_environment(config: FunctionConfig, stream: str) -> dict[str, str]:
    """What Lambda's runtime sets, as far as it means anything here."""
    modules = os.pathsep.join([*config.folders[1:], os.environ.get("NODE_PATH", "")])
    return {
        **({"NODE_PATH": modules} if config.node else {}),
        "_HANDLER": config.handler,
        "AWS_LAMBDA_FUNCTION_NAME": config.name,
        "AWS_LAMBDA_FUNCTION_VERSION": config.version,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(config.memory),
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{config.name}",
        "AWS_LAMBDA_LOG_STREAM_NAME": stream,
        "LAMBDA_TASK_ROOT": config.folders[0] if config.folders else "",
        "PYTHONIOENCODING": "utf-8:backslashreplace",
    }

"""What Lambda's Python runtime does around a handler: imports it, hands it event and context, marshals its answer.

Both kinds of functions run their handlers through this module, so that they fail in the same words. Started as a
script it is a worker process that runs one handler, warm from call to call; it has to be up fast and imports
nothing of Stratum's.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import sys
import threading
import time
import traceback  # early: a module of the user's could bear the name of one that it needs
from collections.abc import Callable
from types import ModuleType, SimpleNamespace, TracebackType
from typing import Any, NoReturn

Handler = Callable[[Any, Any], Any]

MAX_RESPONSE = 6_291_556
"""Bytes that a function may answer with."""

_MAX_TEXT = 32_768
"""Characters of an error's message that are kept: what a cause in Step Functions may have."""
_MAX_FRAMES = 100

_CLOSED = (ValueError, OSError, AttributeError)
"""What writing raises where the handler has closed or replaced the stream."""


class Fault(Exception):
    """An invocation that did not return, in the words of Lambda's error document.

    `stack` is the handler's own frames; None where Lambda itself refuses the answer and knows of no stack.
    """

    def __init__(self, type: str, message: str, stack: list[str] | None = None):
        super().__init__(type, message)
        self.type = type
        self.message = _bounded(message)
        self.stack = stack


class Context:
    """Lambda's context object. With no timeout the time that remains is Lambda's most, and stays that."""

    identity = SimpleNamespace(cognito_identity_id=None, cognito_identity_pool_id=None)

    def __init__(
        self,
        name: str,
        request_id: str,
        client_context: dict[str, Any] | None,
        seconds: float | None,
        *,
        arn: str = "",
        version: str = "$LATEST",
        memory: str = "1024",
    ):
        self.function_name = name
        self.function_version = version
        self.memory_limit_in_mb = memory
        self.invoked_function_arn = arn or f"arn:aws:lambda:us-east-1:123456789012:function:{name}"
        self.aws_request_id = request_id
        self.log_group_name = f"/aws/lambda/{name}"
        self.log_stream_name = os.environ.get("AWS_LAMBDA_LOG_STREAM_NAME", "local")
        self.client_context = (
            None if client_context is None else SimpleNamespace(custom=client_context, env=None, client=None)
        )
        self._ends = None if seconds is None else time.monotonic() + seconds

    def get_remaining_time_in_millis(self) -> int:
        if self._ends is None:
            return 900_000
        return max(0, int((self._ends - time.monotonic()) * 1000))

    def log(self, message: object) -> None:
        sys.stdout.write(str(message))


def load(
    module: str, attribute: str, importing: Callable[[str], ModuleType] = importlib.import_module
) -> Handler:
    """The handler. Raises `Fault`: `Runtime.ImportModuleError`, `Runtime.UserCodeSyntaxError`,
    `Runtime.BuiltInModuleConflict`, `Runtime.HandlerNotFound`, or what the module's own code raised."""
    try:
        loaded = importing(module)
    except Fault:
        raise
    except ImportError as error:
        message = f"Unable to import module '{module}': {_text(error)}"
        raise Fault("Runtime.ImportModuleError", message, []) from error
    except SyntaxError as error:
        place = f'  File "{error.filename}" Line {error.lineno}\n    {error.text}'
        message = f"Syntax error in module '{module}': {error}"
        raise Fault("Runtime.UserCodeSyntaxError", message, [place]) from error
    except Exception as error:
        raise _raised(error) from error
    try:
        return getattr(loaded, attribute)
    except AttributeError:
        pass
    import difflib

    close = difflib.get_close_matches(attribute, [name for name in dir(loaded) if name[0] != "_"], 1)
    hint = f"; did you mean '{close[0]}'?" if close else ""
    raise Fault("Runtime.HandlerNotFound", f"Handler '{attribute}' missing on module '{module}'{hint}", [])


def invoke(handler: Handler, payload: str, context: Context) -> str:
    """What the handler answers, as JSON text. Raises `Fault`."""
    try:
        event = json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise Fault("Runtime.UnmarshalError", f"Unable to unmarshal input: {error}", []) from error
    try:
        answer = handler(event, context)
    except Exception as error:
        raise _raised(error) from error
    try:
        text = _encode(answer)
        size = len(text) if text.isascii() else len(text.encode())
    except Exception as error:
        raise Fault("Runtime.MarshalError", f"Unable to marshal response: {_text(error)}", []) from error
    if size > MAX_RESPONSE:
        raise Fault(
            "Function.ResponseSizeTooLarge",
            f"Response payload size exceeded maximum allowed payload size ({MAX_RESPONSE} bytes).",
        )
    return text


def _number(value: Any) -> Any:
    """Decimals are numbers to Lambda's runtime, as they come out of DynamoDB; nothing else is added to JSON."""
    import decimal

    if isinstance(value, decimal.Decimal):
        return int(value) if value.is_finite() and value == value.to_integral_value() else float(value)
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


# With a space after commas and colons, as Lambda's own runtime writes JSON: sizes are counted so.
_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, default=_number).encode


def _raised(error: BaseException) -> Fault:
    return Fault(type(error).__name__, _text(error), _frames(error.__traceback__))


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:
        return f"<{type(error).__name__} whose text cannot be had>"


def _frames(trace: TracebackType | None) -> list[str]:
    """The frames from the first that is the handler's, each in Lambda's form."""
    frames = [
        (frame.filename, frame.lineno or 0, frame.name, frame.line) for frame in traceback.extract_tb(trace)
    ]
    ours = (os.path.dirname(__file__), str(importlib.__file__), "<frozen importlib")
    while frames and frames[0][0].startswith(ours):
        del frames[0]
    lines = traceback.format_list(frames)
    if (over := len(lines) - _MAX_FRAMES) > 0:
        half = _MAX_FRAMES // 2
        lines[half:-half] = [f"  [{over} frames cut off]\n"]
    return lines


def _bounded(text: str) -> str:
    over = len(text) - _MAX_TEXT
    return text if over <= 0 else f"{text[:_MAX_TEXT]} [{over} characters cut off]"


# The process. Requests come on stdin and answers go out on what was stdout, each as four bytes of length and
# JSON; the first answer says that the handler is loaded, or why it is not. What the handler prints goes to
# stderr, where the parent keeps it as the function's log; a mark tells the parent that a call's log is over.


class _Parent:
    """The pipes to the parent, on descriptors that the handler does not come across."""

    def __init__(self, mark: str):
        self._mark = mark.encode()
        self._requests, self._answers, self._log = os.dup(0), os.dup(1), os.dup(2)
        # The handler must neither read our requests nor write between our answers.
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, 0)
        os.close(null)
        os.dup2(2, 1)
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._forget)

    def _forget(self) -> None:
        """A process that the handler forks must not hold our pipes open when we are gone."""
        for file in (self._requests, self._answers, self._log):
            os.close(file)
        self._requests = self._answers = self._log = -1

    def receive(self) -> Any:
        """The next request. Where there is none any more the parent is gone, and so are we."""
        body = self._read(int.from_bytes(self._read(4), "big"))
        return json.loads(body)

    def _read(self, size: int) -> bytes:
        parts = bytearray()
        while len(parts) < size:
            try:
                part = os.read(self._requests, min(size - len(parts), 1 << 20))
            except OSError:
                part = b""
            if not part:
                end_group()
            parts += part
        return bytes(parts)

    def answer(self, answer: dict[str, Any]) -> None:
        """Ends a call, or the attempt to load its handler."""
        _flush()
        os.write(self._log, self._mark)
        self.send(answer)

    def send(self, answer: dict[str, Any]) -> None:
        """`memory` tells the most that this process ever had, in kilobytes."""
        body = json.dumps({**answer, "memory": _peak()} if answer else answer).encode()
        rest = memoryview(len(body).to_bytes(4, "big") + body)
        while rest:
            rest = rest[os.write(self._answers, rest) :]


def main() -> None:
    options = json.loads(sys.argv[1])
    del sys.argv[1:]
    parent = _Parent(options["mark"])
    if sys.path and sys.path[0] == os.path.dirname(os.path.abspath(__file__)):
        del sys.path[0]
    sys.path[:0] = options["folders"]
    if options["life"] is not None:
        end_with(options["life"])
    pending: list[Any] = []
    arrived = threading.Lock()  # held until a request is there; the parent sends one at a time
    arrived.acquire()

    def watch() -> None:
        # Reading all the time, also while a handler runs, is how the parent's end is noticed.
        while True:
            pending.append(parent.receive())
            arrived.release()

    threading.Thread(target=watch, daemon=True, name="stratum-requests").start()
    try:
        try:
            handler = load(options["module"], options["attribute"], _import)
        except Fault as fault:
            _log(fault)
            parent.answer(_document(fault))
            return
        parent.send({})  # what was printed until now belongs to the first call
        while True:
            arrived.acquire()
            request = pending.pop(0)
            context = Context(
                options["name"],
                request["request_id"],
                request["client_context"],
                request["timeout"],
                **{**options["about"], "arn": request["arn"] or options["about"]["arn"]},
            )
            try:
                answer: dict[str, Any] = {"payload": invoke(handler, request["payload"], context)}
            except Fault as fault:
                _log(fault)
                answer = _document(fault)
            parent.answer(answer)
    except BaseException as error:
        _leave(error)


def _import(module: str) -> ModuleType:
    """The user's module. Raises `Fault` where one that is already loaded would be taken for it."""
    first = module.partition(".")[0]
    if first in sys.modules or first in sys.builtin_module_names:
        message = f"Cannot use built-in module {first} as a handler module; give the file another name"
        raise Fault("Runtime.BuiltInModuleConflict", message, [])
    return importlib.import_module(module)


def _peak() -> int:
    try:
        import resource
    except ImportError:  # not on this system
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak // 1024 if sys.platform == "darwin" else peak


def _document(fault: Fault) -> dict[str, Any]:
    return {"error": fault.type, "message": fault.message, "stack": fault.stack}


def _log(fault: Fault) -> None:
    """The failure in the function's log, as Lambda writes it there."""
    lines = "".join(fault.stack or [])
    heading = "Traceback (most recent call last):\n" if lines else ""
    with contextlib.suppress(*_CLOSED):
        sys.stderr.write(f"[ERROR] {fault.type}: {fault.message}\n{heading}{lines}")


def _leave(error: BaseException) -> NoReturn:
    """Ends the process with the status that Python would, but without waiting for the handler's threads."""
    status: Any = 1
    if isinstance(error, SystemExit):
        status = error.code
        if status is None:
            status = 0
        elif not isinstance(status, int):
            with contextlib.suppress(*_CLOSED):
                print(status, file=sys.stderr)
            status = 1
    else:
        with contextlib.suppress(*_CLOSED):
            traceback.print_exception(error)
    _flush()
    os._exit(status & 0xFF)


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(*_CLOSED):
            stream.flush()


def end_group() -> NoReturn:
    """Ends this process and, where it leads a group of its own, what the handler has started in it."""
    if hasattr(os, "killpg") and os.getpgrp() == os.getpid():
        import signal

        os.killpg(0, signal.SIGKILL)
    os._exit(1)


def end_with(life: int) -> None:
    """Has the kernel end this group when the parent's end of the pipe closes.

    The thread that watches the requests does that too, but it does not get to run while a handler computes in C
    without letting go of the interpreter.
    """
    try:
        import fcntl
        import signal

        os.set_inheritable(life, False)
        signal.signal(signal.SIGIO, signal.SIG_DFL)
        fcntl.fcntl(life, fcntl.F_SETOWN, -os.getpgrp())
        fcntl.fcntl(life, fcntl.F_SETFL, fcntl.fcntl(life, fcntl.F_GETFL) | os.O_ASYNC)
    except (ImportError, AttributeError, OSError):
        pass  # not on this system


if __name__ == "__main__":
    main()

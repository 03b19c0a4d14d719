"""The process that runs one function, warm from call to call. Started as a script; imports next to nothing.

Requests come on stdin and answers go out on what was stdout, each as four bytes of length and JSON. What the
handler prints goes to stderr, where the parent keeps it as the function's log; a line with a zero byte in it
tells the parent that a call is over.
"""

from __future__ import annotations

import importlib
import json
import os
import queue
import sys
import threading
import time
from types import SimpleNamespace

END_OF_LOG = b"\0stratum: end of log\n"


def main() -> None:
    module, attribute, limit, *folders = sys.argv[1:]
    requests_fd, answers_fd = os.dup(0), os.dup(1)
    os.set_inheritable(requests_fd, False)
    os.set_inheritable(answers_fd, False)
    # The handler must neither read our requests nor write between our answers.
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.dup2(2, 1)
    sys.path[:1] = folders  # in place of this script's own folder
    requests: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_receive, args=(requests_fd, requests), daemon=True).start()
    handler = None
    while True:
        request = json.loads(requests.get())
        if handler is None:
            handler = _load(module, attribute)
        answer = handler if isinstance(handler, dict) else _call(handler, request, int(limit))
        sys.stdout.flush()
        sys.stderr.flush()
        os.write(2, END_OF_LOG)
        _send(answers_fd, json.dumps(answer).encode())


def _receive(file: int, requests: queue.SimpleQueue[bytes]) -> None:
    """Reads requests; their end is the parent's end, and ours, whatever the handler is doing."""
    stream = os.fdopen(file, "rb")
    while True:
        head = stream.read(4)
        if len(head) < 4:
            os._exit(0)
        requests.put(stream.read(int.from_bytes(head, "big")))


def _send(file: int, body: bytes) -> None:
    rest = memoryview(len(body).to_bytes(4, "big") + body)
    while rest:
        rest = rest[os.write(file, rest) :]


def _load(module, attribute):  # noqa: ANN001, ANN202
    """The handler, or the error of its import: then the parent lets this process go."""
    try:
        loaded = importlib.import_module(module)
    except SyntaxError as error:
        return _error("Runtime.UserCodeSyntaxError", f"Syntax error in module '{module}': {error}", [], fatal=True)
    except Exception as error:
        _print_traceback()
        return _error("Runtime.ImportModuleError", f"Unable to import module '{module}': {error}", [], fatal=True)
    handler = getattr(loaded, attribute, None)
    if handler is None:
        message = f"Handler '{attribute}' missing on module '{module}'"
        return _error("Runtime.HandlerNotFound", message, [], fatal=True)
    return handler


def _call(handler, request: dict, limit: int) -> dict:  # noqa: ANN001
    try:
        event = json.loads(request["payload"])
    except ValueError as error:
        return _error("Runtime.UnmarshalError", f"Unable to unmarshal input: {error}", [])
    try:
        answer = handler(event, _context(request))
    except Exception as error:
        import traceback

        frames = traceback.extract_tb(error.__traceback__)[1:]
        return _error(type(error).__name__, str(error), traceback.format_list(frames))
    try:
        payload = json.dumps(answer, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError) as error:
        return _error("Runtime.MarshalError", f"Unable to marshal response: {error}", [])
    size = len(payload.encode("utf-8", "surrogatepass"))
    return {"payload": payload} if size <= limit else {"too_large": size}


def _error(type: str, message: str, stack: list, *, fatal: bool = False) -> dict:
    return {"error": type, "message": message, "stack": stack, "fatal": fatal}


def _print_traceback() -> None:
    import traceback

    traceback.print_exc()


def _context(request: dict) -> SimpleNamespace:
    context = request["context"]
    deadline = time.monotonic() + (request["timeout"] or 900)
    context["client_context"] = SimpleNamespace(custom=context["client_context"], env={}, client=None)
    context["identity"] = None
    context["get_remaining_time_in_millis"] = lambda: max(0, int((deadline - time.monotonic()) * 1000))
    return SimpleNamespace(**context)


if __name__ == "__main__":
    main()

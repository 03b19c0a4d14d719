"""Whatever a function does to itself is the error that Lambda gives, and the next invocation works."""

from __future__ import annotations

import base64
import sys
from collections.abc import Callable
from typing import Any

import pytest
from up import Up

CODE = """
import os, signal, sys, threading, time

class Declined(Exception):
    pass

def handler(event, context):
    return globals()[event["do"]](event)

def work(event):
    return os.getpid()

def sleep(event):
    print("sleeping", flush=True)
    time.sleep(60)

def leave(event):
    sys.exit(event["status"])

def end(event):
    print("ending", flush=True)
    os._exit(event["status"])

def killed(event):
    os.kill(os.getpid(), signal.SIGKILL)

def print_much(event):
    for number in range(16 * 1024):
        print(f"{number:063}")
    return "printed"

def print_bytes(event):
    sys.stdout.buffer.write(bytes(range(256)) * 64)
    os.write(1, b"\\xff\\x00\\x00\\x00\\x10{}")
    return "written"

def no_json(event):
    return {"of": {1, 2}}

def unicode(event):
    raise Declined("déjà vu 🎉 \\ud800")

def recurse(event):
    return recurse(event)

def allocate(event):
    hoard = []
    while True:
        hoard.append(b"x" * 10_000_000)

def leave_threads(event):
    for _ in range(3):
        threading.Thread(target=lambda: time.sleep(1000)).start()
    threading.Thread(target=lambda: [sum(range(1000)) for _ in iter(int, 1)], daemon=True).start()
    return "left"

def too_much(event):
    return "x" * 7_000_000
"""


@pytest.fixture(scope="module")
def call(up: Up) -> Callable[..., Any]:
    up.make("failures", CODE, Timeout=1, MemorySize=128)

    def call(do: str, **event: Any) -> tuple[str | None, Any]:
        answer = up.call("failures", {"do": do, **event})
        assert answer["StatusCode"] == 200
        return answer.get("FunctionError"), answer["Payload"]

    return call


def works(call: Callable[..., Any]) -> bool:
    return call("work")[0] is None


def failed(call: Callable[..., Any], do: str, **event: Any) -> dict[str, Any]:
    error, document = call(do, **event)
    assert error == "Unhandled"
    assert works(call)
    return document


def test_sleeping_past_the_timeout(call: Callable[..., Any]) -> None:
    document = failed(call, "sleep")
    request = document["errorMessage"].split()[1]
    assert document == {
        "errorType": "Sandbox.Timedout",
        "errorMessage": f"RequestId: {request} Error: Task timed out after 1.00 seconds",
    }


@pytest.mark.parametrize(
    ("do", "event", "reason"),
    [
        ("leave", {"status": 0}, "Runtime exited without providing a reason"),
        ("leave", {"status": 3}, "Runtime exited with error: exit status 3"),
        ("leave", {"status": "a text"}, "Runtime exited with error: exit status 1"),
        ("end", {"status": 0}, "Runtime exited without providing a reason"),
        ("end", {"status": 7}, "Runtime exited with error: exit status 7"),
        ("killed", {}, "Runtime exited with error: signal: killed"),
    ],
)
def test_ending_the_process(call: Callable[..., Any], do: str, event: dict[str, Any], reason: str) -> None:
    document = failed(call, do, **event)
    assert document["errorType"] == "Runtime.ExitError"
    assert document["errorMessage"].partition("Error: ")[2] == reason


@pytest.mark.skipif(sys.platform != "linux", reason="memory is watched on Linux")
def test_taking_more_memory_than_there_is(call: Callable[..., Any]) -> None:
    document = failed(call, "allocate")
    assert document["errorType"] == "Runtime.ExitError"
    assert document["errorMessage"].endswith("Runtime exited with error: signal: killed")


def test_printing_a_megabyte(call: Callable[..., Any]) -> None:
    assert call("print_much") == (None, "printed")


def test_writing_bytes_to_stdout(call: Callable[..., Any]) -> None:
    assert call("print_bytes") == (None, "written")
    assert works(call)


def test_returning_what_is_no_json(call: Callable[..., Any]) -> None:
    document = failed(call, "no_json")
    assert document["errorType"] == "Runtime.MarshalError"
    assert (
        document["errorMessage"] == "Unable to marshal response: Object of type set is not JSON serializable"
    )
    assert document["stackTrace"] == []


def test_raising_with_any_text(call: Callable[..., Any]) -> None:
    document = failed(call, "unicode")
    assert (document["errorType"], document["errorMessage"]) == ("Declined", "déjà vu 🎉 ?")
    assert [line.splitlines()[0] for line in document["stackTrace"]] == [
        '  File "/var/task/app.py", line 8, in handler',
        '  File "/var/task/app.py", line 41, in unicode',
    ]


def test_recursing_for_ever(call: Callable[..., Any]) -> None:
    document = failed(call, "recurse")
    assert document["errorType"] == "RecursionError"
    assert len(document["stackTrace"]) < 1000


def test_leaving_threads_behind(call: Callable[..., Any]) -> None:
    assert call("leave_threads") == (None, "left")
    assert works(call)


def test_answering_more_than_six_megabytes(call: Callable[..., Any]) -> None:
    assert failed(call, "too_much")["errorType"] == "Function.ResponseSizeTooLarge"


def test_the_log_tells_how_it_ended(up: Up, call: Callable[..., Any]) -> None:
    def tail(do: str, **event: Any) -> str:
        answer = up.call("failures", {"do": do, **event}, LogType="Tail")
        return base64.b64decode(answer["LogResult"]).decode()

    assert works(call)
    start, said, end, report, *_ = tail("end", status=1).splitlines()
    assert (start[:18], said, end[:16]) == (
        "START RequestId: " + start[17],
        "ending",
        "END RequestId: " + end[15],
    )
    assert "\tMemory Size: 128 MB\tMax Memory Used: " in report
    log = tail("unicode").splitlines()
    assert log[1] == "[ERROR] Declined: déjà vu 🎉 \\ud800"
    assert log[2] == "Traceback (most recent call last):"
    assert len(tail("print_much").encode()) == 4096


def test_a_task_fails_with_the_functions_error(up: Up, call: Callable[..., Any]) -> None:
    assert works(call)
    task = {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Parameters": {"FunctionName": "failures", "Payload.$": "$"},
        "Catch": [{"ErrorEquals": ["Sandbox.Timedout", "Runtime.ExitError", "Declined"], "Next": "Caught"}],
        "Next": "Done",
    }
    states = {"Call": task, "Caught": {"Type": "Pass", "End": True}, "Done": {"Type": "Succeed"}}
    machine = up.create({"StartAt": "Call", "States": states}, "failures")
    for event, error in (
        ({"do": "sleep"}, "Sandbox.Timedout"),
        ({"do": "end", "status": 2}, "Runtime.ExitError"),
        ({"do": "unicode"}, "Declined"),
    ):
        assert f'"Error":"{error}"' in up.run(machine, event)["output"]

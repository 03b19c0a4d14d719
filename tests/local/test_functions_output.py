"""What surrounds a handler in its worker process: its output, which is the call's log, and its environment."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stratum.handlers.functions import Invocation, InvocationResult
from stratum.local.functions import WorkerFunctions
from stratum.local.functions.call_log import KEPT, CallLog

HANDLERS = """
import os, subprocess, sys

def ping(event, context):
    return "pong"

def crash(event, context):
    print("so long", end="")
    os._exit(3)

def read_input(event, context):
    return [sys.stdin.read(), sys.argv[1:]]

def write(event, context):
    print("to stdout: \\u00e4\\u20ac")
    print("to stderr", file=sys.stderr)
    sys.stdout.buffer.write(b"bytes \\xff\\n")
    os.write(1, b"to descriptor 1\\n")
    subprocess.run(["echo", "from a child"])
    return "done"

def flood(event, context):
    for number in range(event):
        print(f"line {number:7}")
    return "done"

def close_all(event, context):
    sys.stdout.close()
    sys.stderr = None
    return "done"

def fail(event, context):
    print("before")
    raise ValueError("no")

def variables(event, context):
    return {name: os.environ.get(name) for name in event}

def where(event, context):
    return [os.getcwd(), sys.path[0]]
"""

Call = Callable[..., InvocationResult]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("code")
    (folder / "work.py").write_text(HANDLERS)
    return folder


@pytest.fixture(scope="module")
def call(folder: Path) -> Iterator[Call]:
    with WorkerFunctions([folder], timeout=30) as functions:
        yield lambda function, event=None: functions.invoke(
            Invocation(f"work-{function}", json.dumps(event), "r-1")
        )


def value(result: InvocationResult) -> Any:
    assert result.function_error is None, result.payload
    return json.loads(result.payload)


def test_input_is_empty_and_arguments_are_the_handlers_own(call: Call) -> None:
    assert value(call("read_input")) == ["", []]


def test_output_of_every_way_is_the_calls_log(call: Call) -> None:
    result = call("write")
    assert value(result) == "done"
    assert result.log == "to stdout: ä€\nto stderr\nbytes �\nto descriptor 1\nfrom a child\n"
    assert call("ping").log == ""


def test_flood_of_output_neither_blocks_nor_is_lost_without_a_word(call: Call) -> None:
    result = call("flood", 200_000)
    assert value(result) == "done"
    first, *lines = result.log.splitlines()
    assert lines[-1] == "line  199999"
    assert lines[0] == f"line {200_000 - len(lines):7}"
    assert len(lines) == 64 * 1024 // 13
    assert first == f"[{(200_000 - len(lines)) * 13} bytes before this were cut off]"
    assert call("flood", 2).log == "line       0\nline       1\n"


def test_exception_is_in_the_log_too(call: Call) -> None:
    log = call("fail").log.splitlines()
    assert log[:3] == ["before", "[ERROR] ValueError: no", "Traceback (most recent call last):"]
    assert log[-1].strip() == 'raise ValueError("no")'


def test_what_was_printed_before_a_crash_is_kept(call: Call) -> None:
    assert call("crash").log == "so long"


def test_handler_that_closes_its_streams_still_answers(call: Call) -> None:
    assert value(call("close_all")) == "done"
    assert value(call("close_all")) == "done"


def test_environment_is_lambdas_with_what_is_given(folder: Path) -> None:
    with WorkerFunctions([folder], environ={"TABLE": "orders"}) as functions:
        names = [
            "TABLE",
            "AWS_LAMBDA_FUNCTION_NAME",
            "AWS_LAMBDA_FUNCTION_VERSION",
            "LAMBDA_TASK_ROOT",
            "_HANDLER",
        ]
        result = functions.invoke(Invocation("work.variables", json.dumps(names), "r"))
    assert value(result) == {
        "TABLE": "orders",
        "AWS_LAMBDA_FUNCTION_NAME": "work-variables",
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "LAMBDA_TASK_ROOT": str(folder),
        "_HANDLER": "work.variables",
    }


def test_handlers_run_in_our_folder_and_import_from_theirs(call: Call, folder: Path) -> None:
    assert value(call("where")) == [os.getcwd(), str(folder)]


MARK = b"\0end of log 0123456789abcdef\n"


class Chunks(io.RawIOBase):
    """A pipe that hands over what was written in pieces of the given sizes."""

    def __init__(self, data: bytes, sizes: list[int]):
        self._data = data
        self._sizes = sizes or [1]
        self._at = 0

    def read1(self, size: int) -> bytes:
        taken = min(size, self._sizes[self._at % len(self._sizes)])
        self._at += 1
        chunk, self._data = self._data[:taken], self._data[taken:]
        return chunk


@given(
    st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=40), max_size=6),
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=40),
    st.lists(st.integers(1, 30), max_size=5),
)
def test_log_is_split_at_the_marks_however_it_arrives(calls: list[str], rest: str, sizes: list[int]) -> None:
    log = CallLog(MARK)
    log.read(Chunks(b"".join(call.encode() + MARK for call in calls) + rest.encode(), sizes))
    assert [log.take() for _ in calls] == calls
    assert log.rest() == rest


@given(st.integers(0, 4 * KEPT), st.sampled_from([7, 4096, 65536]))
def test_end_of_a_long_log_is_kept_and_the_rest_counted(lines: int, size: int) -> None:
    lines //= 64
    written = "".join(f"{number:063}\n" for number in range(lines))
    log = CallLog(MARK)
    log.read(Chunks(written.encode() + MARK, [size * 16]))
    kept = log.take()
    if len(written) <= KEPT:
        assert kept == written
        return
    first, _, kept = kept.partition("\n")
    assert first == f"[{len(written) - len(kept)} bytes before this were cut off]"
    assert written.endswith(kept)
    assert KEPT - 64 <= len(kept) <= KEPT
    assert kept[:63].isdigit(), "it begins with a line"

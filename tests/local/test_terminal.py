"""On a real terminal: `stratum watch` by keyboard in windows of any size, and what tells how far something long has come."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from console_world import World
from pseudo_terminal import PseudoTerminal
from rich.cells import cell_len
from stratum.handlers.steps import Steps
from stratum.local.cli import main
from stratum.local.cli.counter import Counter
from stratum.local.cli.progress import Lines


def chain(states: int) -> dict[str, Any]:
    names = [f"Schritt {number} – 状態 mit einem langen Namen" for number in range(states)]
    made: dict[str, dict[str, Any]] = {}
    for name, after in zip(names, [*names[1:], ""], strict=True):
        made[name] = (
            {"Type": "Pass", "Next": after} if after else {"Type": "Wait", "Seconds": 600, "End": True}
        )
    return {"StartAt": names[0], "States": made}


def test_watching_by_keyboard_in_any_window(world: World) -> None:
    """A list that is chosen from, the steps of one, resized, narrow, wide characters; the keyboard ends nothing but watching."""
    machine = world.cloud.call(
        "CreateStateMachine",
        name="lang-名前",
        definition=json.dumps(chain(60)),
        roleArn="arn:aws:iam::1:role/r",
    )["stateMachineArn"]
    for number in range(12):
        world.start(f"order-{number:02}-状態-with-a-long-name-that-does-not-fit-anywhere")
    world.cloud.call("StartExecution", stateMachineArn=machine, name="many-steps")
    world.settle()
    screen = PseudoTerminal("watch", rows=10, columns=80)
    lines = screen.until(lambda lines: any("13 executions" in line for line in lines))
    assert lines[0].split() == ["EXECUTION", "WORKFLOW", "STATUS", "STARTED", "SECONDS"]
    assert "many-steps" in lines[1]
    assert len(lines) == 10
    screen.press("\x1b[6~jj")
    lines = screen.until(lambda lines: any("order-00" in line for line in lines))
    assert "many-steps" not in "".join(lines)
    screen.press("kkkkkkkkkkkkk")
    screen.until(lambda lines: "many-steps" in lines[1])
    for rows, columns, heads in ((8, 34, 2), (20, 50, 3), (6, 60, 4), (14, 120, 5)):
        screen.resize(rows, columns)
        lines = screen.until(lambda lines, rows=rows, columns=columns: len(lines) == rows and cell_len(lines[0]) == columns)  # fmt: skip
        assert len(lines[0].split()) == heads
        assert {cell_len(line) for line in lines} == {columns}
    screen.press("\r")
    lines = screen.until(lambda lines: "many-steps RUNNING" in lines[0])
    assert any("steps 50 to 60 of 60" in line for line in lines)
    assert "Schritt 59" in "".join(lines)
    screen.press("\x1b[A\x1b[A")
    screen.until(lambda lines: any("steps 48 to 58 of 60" in line for line in lines))
    screen.press("\x1b")
    screen.until(lambda lines: any("13 executions" in line for line in lines))
    screen.press("q")
    assert screen.code() == 0
    assert "\x1b[?1049l" in screen._got.decode()  # the screen as it was before
    assert world.cloud.call("DescribeExecution", executionArn=machine.replace("stateMachine", "execution") + ":many-steps")["status"] == "RUNNING"  # fmt: skip
    screen = PseudoTerminal("watch")
    screen.until(lambda lines: any("13 executions" in line for line in lines))
    screen.press("\x03")
    assert screen.code() == 130


def test_one_with_more_steps_than_the_window_has_lines(world: World) -> None:
    """What goes on is seen meanwhile; what stays in the end is the whole."""
    definition = json.dumps(chain(60))
    machine = world.cloud.call("CreateStateMachine", name="long", definition=definition, roleArn="arn:aws:iam::1:role/r")["stateMachineArn"]  # fmt: skip
    world.cloud.call("StartExecution", stateMachineArn=machine, name="one")
    world.settle()
    screen = PseudoTerminal("watch", "one", rows=12, columns=50)
    screen.until(lambda lines: "steps above" in screen.written() and "Schritt 59" in screen.written())
    assert "Schritt 20 " not in screen.written()
    world.finish()
    assert screen.code() == 0
    whole = screen.written()
    assert all(f"Schritt {number} " in whole for number in range(60))
    assert "one: SUCCEEDED" in whole


def test_how_far_a_map_has_come(capsys: pytest.CaptureFixture[str]) -> None:
    """Many items are told ever less often; of a distributed map its executions are counted, as their messages come."""
    steps = Steps()
    told = Lines("title", steps, lambda: 1000)
    entered = {
        "type": "MapStateEntered",
        "id": 1,
        "previousEventId": 0,
        "timestamp": 0,
        "stateEnteredEventDetails": {"name": "Far"},
    }
    begun = {
        "type": "MapStateStarted",
        "id": 2,
        "previousEventId": 1,
        "timestamp": 0,
        "mapStateStartedEventDetails": {"length": 1000},
    }
    run = {
        "type": "MapRunStarted",
        "id": 3,
        "previousEventId": 2,
        "timestamp": 0,
        "mapRunStartedEventDetails": {"mapRunArn": "a"},
    }
    told.feed([entered, begun, run], [])
    for number in range(1000):
        status = "FAILED" if number % 100 == 50 else "SUCCEEDED"
        told.feed(
            [], [{"type": "child_finished", "frame": "0", "task": 3, "index": number, "status": status}]
        )
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 10
    assert lines[0].split(maxsplit=2) == ["..", "Far", "1.0 s, 100 executions ended, 1 failed, 1,000 items"]


def test_long_work_is_counted_on_a_terminal_alone(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    world.start("one")
    screen = PseudoTerminal("backup", "kept.gz")
    assert screen.code() == 0
    assert "backing up: 1 logs" in screen.written()
    assert screen.written().rstrip().endswith("every digest is right")
    screen = PseudoTerminal("restore", "kept.gz", "--store", f"sqlite:///{tmp_path}/other.db")
    assert screen.code() == 0
    assert "restoring: 1 of " in screen.written()
    assert main(["backup", "again.gz"]) == 0
    assert capsys.readouterr().err == ""

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setattr("time.monotonic", iter([0.0, 10.0, 20.0]).__next__)
    monkeypatch.setenv("COLUMNS", "30")
    with Counter() as counter:
        counter.begin("restoring", "logs", 4000)
        counter.add(1000)
    shown = sys.stderr.getvalue()  # pyright: ignore[reportAttributeAccessIssue]
    assert shown == "\r\x1b[Krestoring: 1,000 of 4,000 log\r\x1b[K"

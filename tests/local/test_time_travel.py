"""Forks, reverts, checkpoints and redrives, at the command line."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from command_line import COMMAND, done, stratum

SPEC = """
stratum: "1"
workflow: trip
version: 1.0.0
input: {n: integer}
steps:
  - {id: first, task: trip.first, input: {n: "{% $input.n %}"}, output: {n: integer}}
  - {id: middle, set: {made: "{% $first.n * 10 %}", mark: "{% $uuid() %}"}}
  - {id: last, task: trip.last, input: {n: "{% $middle.made %}"}, output: {n: integer}}
result: {n: "{% $last.n %}", mark: "{% $middle.mark %}", input: "{% $input.n %}"}
"""
HANDLERS = """
import pathlib
def first(event, context):
    _note("first")
    return {"n": event["n"] + 1}
def last(event, context):
    _note("last")
    if pathlib.Path(__file__).with_name("broken").exists():
        raise ValueError("broken")
    return {"n": event["n"] + 1}
def _note(what):
    with pathlib.Path(__file__).with_name("calls").open("a") as calls:
        calls.write(what + " ")
"""


@pytest.fixture
def trip(tmp_path: Path) -> Path:
    (tmp_path / "trip.yaml").write_text(SPEC)
    (tmp_path / "trip.py").write_text(HANDLERS)
    return tmp_path


def calls(folder: Path) -> list[str]:
    path = folder / "calls"
    made = path.read_text().split()
    path.unlink()
    return made


def test_a_fork_keeps_what_was_done_before_its_place(trip: Path) -> None:
    original = done(trip, "run", "trip.yaml", "--input", '{"n": 1}', "--name", "one")
    assert original == {"n": 21, "mark": original["mark"], "input": 1}
    assert calls(trip) == ["first", "last"]
    assert done(trip, "fork", "one", "--at", "last", "--name", "two") == original
    assert calls(trip) == ["last"]
    other = done(trip, "fork", "one", "--at", "middle", "--name", "three", "--input", '{"n": 5}')
    assert other["n"] == 21
    assert other["input"] == 5
    assert other["mark"] != original["mark"]
    assert calls(trip) == ["last"]
    [afresh] = [done(trip, "fork", "two", "--at", "first", "--input", '{"n": 5}')]
    assert afresh["n"] == 61
    assert calls(trip) == ["first", "last"]
    for name in ("one", "two", "three"):
        shown = done(trip, "show", name, "--json")
        assert shown["log"] == "intact"
        assert shown["status"] == "SUCCEEDED"
    ids = [event["id"] for event in done(trip, "history", "two", "--json")]
    assert ids == list(range(1, len(ids) + 1))


def test_places_are_listed_and_named(trip: Path) -> None:
    (trip / "broken").touch()
    assert stratum(trip, "run", "trip.yaml", "--input", '{"n": 1}', "--name", "one").returncode == 1
    assert stratum(trip, "checkpoint", "one", "before-the-fix", "--note", "as it failed").returncode == 0
    again = stratum(trip, "checkpoint", "one", "before-the-fix")
    assert (again.returncode, "already" in again.stderr) == (2, True)
    assert stratum(trip, "checkpoint", "one", "../x").returncode == 2
    places = done(trip, "checkpoints", "one", "--json")
    assert next(place["step"] for place in places if "step" in place) == "first"
    assert places[-1]["checkpoint"] == "before-the-fix"
    (trip / "broken").unlink()
    assert done(trip, "fork", "one", "--at", "before-the-fix")["n"] == 21
    assert done(trip, "redrive", "one")["n"] == 21
    refused = stratum(trip, "redrive", "one")
    assert (refused.returncode, "SUCCEEDED" in refused.stderr) == (2, True)


@pytest.mark.parametrize(
    ("at", "told"),
    [
        ("midle", "did you mean 'middle'"),
        ("999", "there is no event 999"),
        ("3", "no state is entered at event 3"),
        ("last#4", "was at 'last' 1 times, not 4"),
        ("", "was never at ''"),
    ],
)
def test_a_place_that_is_none_is_told(trip: Path, at: str, told: str) -> None:
    done(trip, "run", "trip.yaml", "--input", '{"n": 1}', "--name", "one")
    refused = stratum(trip, "fork", "one", "--at", at)
    assert refused.returncode == 2
    assert told in refused.stderr
    assert "Traceback" not in refused.stderr
    assert len(done(trip, "list", "--json")) == 1


def test_a_finished_execution_has_nothing_left_at_its_end(trip: Path) -> None:
    done(trip, "run", "trip.yaml", "--input", '{"n": 1}', "--name", "one")
    refused = stratum(trip, "fork", "one")
    assert refused.returncode == 2
    assert "nothing is left to go on with" in refused.stderr


def test_a_revert_stops_what_runs_and_goes_on_from_the_place(trip: Path) -> None:
    spec = SPEC.replace("  - {id: last,", "  - {id: pause, wait: 1h}\n  - {id: last,")
    (trip / "trip.yaml").write_text(spec)
    run = [*COMMAND, "run", "trip.yaml", "--input", '{"n": 1}', "--name", "one"]
    process = subprocess.Popen(run, cwd=trip, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        assert process.stderr is not None
        for line in process.stderr:
            if b"pause" in line:
                break
    finally:
        process.kill()
        process.communicate()
    assert stratum(trip, "revert", "one", "--to", "nowhere").returncode == 2
    assert done(trip, "list", "--json")[0]["status"] == "RUNNING"
    made = stratum(
        trip, "revert", "one", "--to", "middle", "--name", "two", "--no-run", "--reason", "wrong mark"
    )
    assert made.returncode == 0, made.stderr
    states = {each["name"]: each["status"] for each in done(trip, "list", "--json")}
    assert states == {"one": "ABORTED", "two": "RUNNING"}
    stopped = done(trip, "show", "one", "--json")
    assert stopped["error"] == "Stratum.Reverted"
    assert "wrong mark" in stopped["cause"]


def test_a_replay_shows_where_a_new_version_goes_another_way(trip: Path) -> None:
    done(trip, "run", "trip.yaml", "--input", '{"n": 1}', "--name", "one")
    calls(trip)
    same = stratum(trip, "replay", "one", "trip.yaml")
    assert same.returncode == 0, same.stdout + same.stderr
    (trip / "new.yaml").write_text(
        SPEC.replace("version: 1.0.0", "version: 1.1.0").replace(
            "  - {id: last,", "  - {id: rest, wait: 30d}\n  - {id: last, when: $first.n > 5,"
        ).replace("$last.n", "$last != null ? $last.n : 0")
    )  # fmt: skip
    told = stratum(trip, "replay", "one", "new.yaml", "--json")
    assert told.returncode == 1, told.stderr
    made = json.loads(told.stdout)
    assert made["changes"] == [["only new", [], ["rest"]]]
    assert (made["old"]["output"]["n"], made["new"]["output"]["n"]) == (21, 0)
    shown = stratum(trip, "replay", "one", "new.yaml").stdout
    assert "  + rest" in shown
    (trip / "more.yaml").write_text(
        SPEC.replace("  - {id: last,", "  - {id: extra, task: trip.extra}\n  - {id: last,")
    )
    waits = stratum(trip, "replay", "one", "more.yaml")
    assert waits.returncode == 1
    assert "for an answer that one never had: extra" in waits.stdout
    assert not (trip / "calls").exists()  # nothing was performed
    assert len(done(trip, "list", "--json")) == 1

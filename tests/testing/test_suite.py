"""Two hundred workflow tests with waits of thirty days, retries and timeouts, as a project might have them.

Each is put together at random of pieces that say what they come to, so that the path, the attempts and the virtual time
are known beforehand. All of them together take a few seconds.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from machines import LAMBDA, TOKEN, machine, task, wait
from stratum.local.testing import TaskError, TestCloud, after, never, sequence

DAY = 86_400
COUNT = 200


@dataclass
class Piece:
    """States one after the other, and what they come to: the path, seconds, and attempts of their tasks."""

    states: dict[str, Any]
    path: list[str]
    seconds: int = 0
    mocks: dict[str, Any] = field(default_factory=dict)
    attempts: dict[str, int] = field(default_factory=dict)


def waiting(name: str, rng: random.Random) -> Piece:
    return Piece({name: wait(30 * DAY)}, [name], 30 * DAY)


def passing(name: str, rng: random.Random) -> Piece:
    return Piece({name: {"Type": "Pass"}}, [name])


def retried(name: str, rng: random.Random) -> Piece:
    """A task that fails a few times; the waits in between double."""
    failures, interval = rng.randint(0, 4), rng.choice([1, 60, 3600])
    retry = [{"ErrorEquals": ["Busy"], "IntervalSeconds": interval, "MaxAttempts": 5, "BackoffRate": 2}]
    state = task(LAMBDA, {"Retry": retry, "ResultPath": None}, FunctionName=name)
    outcomes = [TaskError("Busy")] * failures + [failures]
    seconds = sum(interval * 2**each for each in range(failures))
    return Piece({name: state}, [name], seconds, {name: sequence(*outcomes)}, {name: failures + 1})


def timed_out(name: str, rng: random.Random) -> Piece:
    """A callback that nobody answers in time; a Catch goes on from it."""
    seconds = rng.choice([60, DAY, 7 * DAY])
    late = rng.choice([never, after(seconds + 1, "late")])
    key = rng.choice(["TimeoutSeconds", "HeartbeatSeconds"])
    fields = {
        key: seconds,
        "Catch": [{"ErrorEquals": ["States.Timeout"], "Next": f"{name}-late", "ResultPath": None}],
    }
    ask = task(TOKEN, fields, FunctionName=name, Payload={"token.$": "$$.Task.Token"})
    return Piece({name: ask, f"{name}-late": {"Type": "Pass"}}, [name, f"{name}-late"], seconds, {name: late})


def answered(name: str, rng: random.Random) -> Piece:
    """A callback that is answered after some days, with signs of life until then."""
    days = rng.randint(1, 29)
    fields = {"TimeoutSeconds": 30 * DAY, "HeartbeatSeconds": 2 * DAY, "ResultPath": None}
    ask = task(TOKEN, fields, FunctionName=name, Payload={"token.$": "$$.Task.Token"})
    return Piece({name: ask}, [name], days * DAY, {name: after(days * DAY, "yes", heartbeat=DAY)})


def branching(name: str, rng: random.Random) -> Piece:
    """Both branches; the slower one says how long it takes."""
    inner = [rng.choice([waiting, retried, answered])(f"{name}-{each}", rng) for each in "ab"]
    branches = [machine(**piece.states) for piece in inner]
    return Piece(
        {name: {"Type": "Parallel", "Branches": branches, "ResultPath": None}},
        [name, *inner[0].path, *inner[1].path],
        max(piece.seconds for piece in inner),
        inner[0].mocks | inner[1].mocks,
        inner[0].attempts | inner[1].attempts,
    )


def mapping(name: str, rng: random.Random) -> Piece:
    """One iteration after the other."""
    count = rng.randint(1, 4)
    state = {
        "Type": "Map", "ItemsPath": f"$.items[0:{count}]", "MaxConcurrency": 1, "ResultPath": None,
        "ItemProcessor": machine(**{f"{name}-wait": wait(DAY), f"{name}-end": {"Type": "Pass"}}),
    }  # fmt: skip
    return Piece({name: state}, [name, *[f"{name}-wait", f"{name}-end"] * count], count * DAY)


PIECES = [waiting, passing, retried, timed_out, answered, branching, mapping]


@pytest.mark.parametrize("seed", range(COUNT))
def test_generated(stratum: TestCloud, seed: int) -> None:
    rng = random.Random(seed)
    # A wait of thirty days, a retry and a timeout are in each of them.
    makers = [waiting, retried, timed_out, *rng.choices(PIECES, k=rng.randint(0, 4))]
    rng.shuffle(makers)
    pieces = [make(f"s{index}", rng) for index, make in enumerate(makers)]
    definition = machine(**{name: state for piece in pieces for name, state in piece.states.items()})
    mocks = {name: mock for piece in pieces for name, mock in piece.mocks.items()}
    result = stratum.run(definition, {"items": [1, 2, 3, 4]}, mocks=mocks, all_mocks_used=True).succeeded()
    assert result.path == [name for piece in pieces for name in piece.path]
    assert result.duration == timedelta(seconds=sum(piece.seconds for piece in pieces))
    for piece in pieces:
        for name, attempts in piece.attempts.items():
            assert result.step(name).attempts == attempts

"""kill -9 at any moment loses no committed step, and uses no committed result but once."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from moto_server import moto_table
from stratum.handlers.store import verify
from stratum.local.stores import open_store

STEPS = 20
KILLS = 10
HANDLER = """\
import json, os, time, uuid

def work(event, context):
    token = uuid.uuid4().hex
    with open("performed.log", "a") as log:
        log.write(json.dumps({"step": event["step"], "token": token, "key": context.client_context.custom["idempotency_key"]}) + "\\n")
    time.sleep(0.2)
    return event["before"] + [[event["step"], token]]
"""
STRATUM = [sys.executable, "-c", "import sys; from stratum.local.cli import main; sys.exit(main())"]


def spec() -> str:
    lines = ['stratum: "1"', "workflow: long", "version: 1.0.0", "steps:"]
    for number in range(STEPS):
        before = f"{{% $s{number - 1} %}}" if number else []
        lines.append(
            f"  - {{id: s{number}, task: handlers.work, input: {{step: {number}, before: {json.dumps(before)}}}}}"
        )
    return "\n".join(lines) + "\n"


@pytest.fixture(params=["sqlite", "dynamodb"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/store.db"
        return
    with moto_table() as url:
        yield url


def test_killed_ten_times_and_resumed(
    store_url: str, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    (tmp_path / "handlers.py").write_text(HANDLER)
    (tmp_path / "long.yaml").write_text(spec())
    chance = random.Random()
    command = [*STRATUM, "run", "long.yaml", "--name", "killed", "--store", store_url]
    for _ in range(KILLS):
        process = subprocess.Popen(
            command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
        )
        try:
            process.wait(chance.uniform(0.2, 1.2))
        except subprocess.TimeoutExpired:
            os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        store = open_store(store_url)
        if store.heads().items:  # killed before it began: then it is begun again
            command = [*STRATUM, "resume", "killed", "--store", store_url]
        store.close()
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    if done.returncode == 2:  # it came to its end between two kills
        done = subprocess.run(
            [*STRATUM, "show", "killed", "--json", "--store", store_url],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
        )
        output = json.loads(done.stdout)["output"]
    else:
        assert done.returncode == 0, done.stderr
        output = json.loads(done.stdout)
    performed = [json.loads(line) for line in (tmp_path / "performed.log").read_text().splitlines()]
    assert [step for step, _ in output] == list(range(STEPS))
    tokens = {entry["token"]: entry["step"] for entry in performed}
    assert all(tokens[token] == step for step, token in output)
    # A task that is performed again is performed under the key that it had before.
    assert len({entry["key"] for entry in performed}) == STEPS
    store = open_store(store_url)
    [head] = store.heads().items
    assert verify(store, head.execution) == []
    succeeded = [
        event
        for commit in store.commits(head.execution)
        for event in commit.events
        if event["type"] == "TaskSucceeded"
    ]
    assert len(succeeded) == STEPS
    repeats = len(performed) - STEPS
    assert 0 <= repeats <= KILLS
    record_property("repeats of uncommitted work", repeats)
    print(f"{store_url.partition(':')[0]}: killed {KILLS} times, {repeats} repeats of uncommitted work")

"""A stage on the local cloud, from its bundles: queues, event source mappings and functions of its own, while messages come twice,
late and in another order, and the function that performs tasks is killed. `make test-deploy` runs it.

`advance` is not killed here: what it had committed and not sent for a timer is sent after a lease of 20 minutes, and time is real.
The simulation beside this kills it, on a virtual clock.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from chaos.proof import end_of, every, undisturbed
from chaos.workload import CHILD, PERIOD, SPEC, outcome
from stratum.handlers.store import verify
from stratum.local.stores import open_store
from up import Up

pytestmark = pytest.mark.deploy
EXECUTIONS = 100
BIN = Path(sys.executable).parent
ARCHITECTURE = {"x86_64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}[os.uname().machine]
QUICKER = {"90s": "2s", "10m": "4s", "8h": "6s", "delay: 30s": "delay: 1s"}
"""Here time is real."""
SHOP = """
class Busy(Exception): pass
class Jammed(Exception): pass
class Lost(Exception): pass

def charge(event, context):
    if event["attempt"] <= event["number"] % 3:
        raise Busy("try again")
    return f"receipt {event['number']}"

def refund(event, context):
    return event["receipt"]

def pack(event, context):
    return event["item"] * event["number"]

def tell(event, context):
    return None

def note(event, context):
    return None

def label(event, context):
    return f"parcel {event['number']}"

def ship(event, context):
    if event["number"] % 5 == 0:
        raise Lost(f"parcel {event['number']}")
"""
START = """
import socket, sys
from stratum import Stratum
looked_up = socket.getaddrinfo  # names below localhost are this machine, which not every resolver knows
socket.getaddrinfo = lambda host, *rest, **named: looked_up("127.0.0.1" if str(host).endswith(".localhost") else host, *rest, **named)
with Stratum(stage="chaos") as stratum:
    for number in range(int(sys.argv[1])):
        stratum.start("purchase", {"number": number}, name=f"p{number}")
"""


class Trouble:
    """What goes wrong, on a thread of its own, until it is over; `faults` counts it."""

    def __init__(self, up: Up, queues: dict[str, str], seed: int):
        self.faults: Counter[str] = Counter()
        self._up = up
        self._queues = queues
        self._sqs = up.service("sqs")
        self._chance = random.Random(seed)
        self._over = threading.Event()
        self._threads = [
            threading.Thread(target=self._messages, daemon=True),
            threading.Thread(target=self._deaths, daemon=True),
        ]

    def __enter__(self) -> Trouble:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _messages(self) -> None:
        """Takes messages away before their function has them, and sends them again: once or twice, at once or later."""
        while not self._over.wait(0.05):
            url = self._chance.choice(list(self._queues.values()))
            found = self._sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=self._chance.randint(1, 4))
            messages = found.get("Messages", [])
            self._chance.shuffle(messages)
            self.faults["reordered"] += len(messages) > 1
            for message in messages:
                copies = 1 + (self._chance.random() < 0.5)
                self.faults["duplicated"] += copies - 1
                for _ in range(copies):
                    seconds = self._chance.choice((0, 0, self._chance.randint(1, 8)))
                    self.faults["delayed"] += seconds > 0
                    self._sqs.send_message(QueueUrl=url, MessageBody=message["Body"], DelaySeconds=seconds)
                self._sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])

    def _deaths(self) -> None:
        while not self._over.wait(self._chance.uniform(1, 3)):
            running = list(_tasks(self._up.process.pid))
            if running:
                os.kill(self._chance.choice(running), signal.SIGKILL)
                self.faults["killed"] += 1


def _tasks(parent: int) -> Iterator[int]:
    """The processes in which the stage's function runs that performs tasks."""
    for path in Path("/proc").glob("[0-9]*"):
        try:
            if int((path / "stat").read_text().rpartition(")")[2].split()[1]) != parent:
                continue
            environ = (path / "environ").read_bytes()
        except (OSError, ValueError):
            continue
        if b"AWS_LAMBDA_FUNCTION_NAME=stratum-chaos--tasks\0" in environ:
            yield int(path.name)


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="finds its functions in /proc")
def test_nothing_is_lost_or_counted_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    spec, child = SPEC, CHILD
    for slow, quick in QUICKER.items():
        spec, child = spec.replace(slow, quick), child.replace(slow, quick)
    for name, text in (("purchase.yaml", spec), ("parcel.yaml", child), ("shop.py", SHOP)):
        (tmp_path / name).write_text(text)
    up = Up()
    try:
        for name, value in {
            "AWS_ENDPOINT_URL": up.url, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "us-east-1", "AWS_CONFIG_FILE": os.devnull,
        }.items():  # fmt: skip
            monkeypatch.setenv(name, value)

        def command(*arguments: str | Path) -> str:
            done = subprocess.run(
                arguments, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False
            )
            assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
            return done.stdout

        deploy = (
            "deploy",
            "purchase.yaml",
            "parcel.yaml",
            "--stage",
            "chaos",
            "--architecture",
            ARCHITECTURE,
        )
        outputs = json.loads(command(BIN / "stratum", *deploy, "--yes"))["outputs"]
        queues = {name: outputs[f"{name}QueueUrl"] for name in ("Advance", "Tasks")}
        for url in queues.values():
            # What a function that was killed had in its hands comes again in seconds, and not in minutes.
            up.service("sqs").set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "15"})
        store = open_store(f"dynamodb://{outputs['TableName']}?region=us-east-1")
        began = time.monotonic()
        with Trouble(up, queues, seed=1) as trouble:
            command(sys.executable, "-c", START, str(EXECUTIONS))
            while store.heads(status="RUNNING", limit=1).items:
                assert time.monotonic() < began + 900, "not all have ended"
                time.sleep(1)
        wanted, found, wrong = undisturbed(), 0, []
        for execution in every(store):
            log = store.commits(execution)
            wrong += [f"{execution}: {broken}" for broken in verify(store, execution)]
            name, end = execution.rpartition(":")[2], end_of(log)
            if name.startswith("p") and name[1:].isdigit():
                found += 1
                number = int(name[1:])
                want = replace(wanted[number % PERIOD], told=outcome(number), keys=end.keys)
                wrong += [f"{name} is {end}, not {want}"] if end != want else []
            elif end.status != "SUCCEEDED":
                wrong.append(f"the child {name} is {end}")
        with capsys.disabled():
            told = ", ".join(f"{count} {kind}" for kind, count in sorted(trouble.faults.items()))
            print(f"\n\n{found} executions in {time.monotonic() - began:.0f} s; {told}")
        assert wrong == []
        assert found == EXECUTIONS
        assert all(trouble.faults[kind] for kind in ("duplicated", "delayed", "reordered", "killed"))
        store.close()
    finally:
        up.stop()

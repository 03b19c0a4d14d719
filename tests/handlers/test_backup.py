"""Backups: what comes back is what was, in either form of the store, and goes on running."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from command_line import done, stratum
from hypothesis import given, settings
from hypothesis import strategies as st
from moto import mock_aws
from stratum.handlers.backup import Contents, Damaged, NotEmpty, check, restore, write
from stratum.handlers.store import Commit, Conflict, Entry, Head, Store, verify
from stratum.handlers.store.table import create_table
from stratum.local.clock import VirtualClock
from stratum.local.cloud import ROLE, LocalCloud
from stratum.local.functions import InProcessFunctions
from stratum.local.stores import open_store

LARGE = "x" * 3000
DEFINITION = json.dumps(
    {
        "StartAt": "first",
        "States": {
            "first": {"Type": "Task", "Resource": "arn:aws:lambda:us-east-1:123456789012:function:step", "Next": "rest"},
            "rest": {"Type": "Wait", "Seconds": 3600, "Next": "second"},
            "second": {"Type": "Task", "Resource": "arn:aws:lambda:us-east-1:123456789012:function:step", "End": True},
        },
    }
)  # fmt: skip


def empty(form: str, folder: Path) -> Store:
    if form == "sqlite":
        return open_store(f"sqlite:///{folder}/{form}.db")
    create_table(boto3.client("dynamodb", region_name="us-east-1"), "stratum")
    boto3.client("s3", region_name="us-east-1").create_bucket(Bucket="large")
    return open_store("dynamodb://stratum?region=us-east-1&bucket=large")


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "none")
    with mock_aws():
        yield


class World:
    """A cloud on a store; what its function was called with is counted over all worlds of a test."""

    def __init__(self, store: Store, calls: list[Any], clock: VirtualClock):
        self.store, self.calls = store, calls
        functions = InProcessFunctions({"step": self._step})
        self.cloud = LocalCloud(store, functions, clock=clock, workers=0)

    def _step(self, event: Any, context: Any) -> Any:
        self.calls.append(event)
        return {"n": event["n"] + 1, "large": LARGE}

    def start(self, name: str) -> str:
        machine = self.cloud.call("CreateStateMachine", name="m", definition=DEFINITION, roleArn=ROLE)
        started = self.cloud.call(
            "StartExecution", stateMachineArn=machine["stateMachineArn"], name=name, input='{"n": 0}'
        )
        return started["executionArn"]


def backed_up(store: Store, *tenants: str) -> bytes:
    out = io.BytesIO()
    write(store, out, at=0, tenants=tenants or store.tenants())
    return out.getvalue()


def restored(data: bytes, store: Store, tenants: list[str] | None = None) -> dict[str, int]:
    return restore(store, io.BytesIO(data), check(io.BytesIO(data)), tenants=tenants)


def lines(data: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in data.splitlines()]


@pytest.mark.parametrize(("origin", "target"), [("sqlite", "dynamodb"), ("dynamodb", "sqlite")])
def test_the_drill_half_run_backed_up_restored_in_the_other_form_and_gone_on_with(
    origin: str, target: str, tmp_path: Path, aws: None
) -> None:
    calls: list[Any] = []
    clock = VirtualClock()
    before = World(empty(origin, tmp_path), calls, clock)
    ended, running = before.start("ended"), before.start("running")
    before.cloud.wait(ended)  # an hour passes for both, and the other one is stopped from going on
    half = before.start("half")
    before.cloud.run(lambda: len(before.store.commits(half)) >= 2)
    assert before.store.head(half).status == "RUNNING"  # pyright: ignore[reportOptionalMemberAccess]
    data = backed_up(before.store)

    after = World(empty(target, tmp_path), calls, clock)
    assert restored(data, after.store)["default"] >= 3
    for arn in (ended, running, half):
        assert verify(after.store, arn) == []
        assert after.store.commits(arn) == before.store.commits(arn)
    assert after.store.head(half) == before.store.head(half)
    done_before = len(calls)

    after.cloud.runtime.executions().dispatch_pending(half)
    result = after.cloud.wait(half).snapshot
    assert (result["status"], json.loads(result["output"])["n"]) == ("SUCCEEDED", 2)
    assert len(calls) == done_before + 1  # the first task was done, and is not done again
    # The definition, the state machine and its versions are there too: what is new can be started.
    again = after.start("again")
    assert after.cloud.wait(again).snapshot["status"] == "SUCCEEDED"


def test_a_backup_of_a_backup_is_the_same_to_the_byte(tmp_path: Path) -> None:
    world = World(open_store("sqlite:///:memory:"), [], VirtualClock())
    world.cloud.wait(world.start("one"))
    world.store.for_tenant("acme").put("note", "köln/ü#", {"text": "\ud800"})
    world.store.put("note", "a", {"n": 1})
    world.store.put("note", "a", {"n": 2})
    data = backed_up(world.store)
    second = empty("sqlite", tmp_path)
    assert restored(data, second) == {"acme": 0, "default": 1}
    assert backed_up(second) == data
    record = second.get("note", "a")
    assert record is not None
    assert (record.version, record.value) == (2, {"n": 2})


def test_logs_without_a_head_and_journals_are_kept(tmp_path: Path) -> None:
    store = open_store("sqlite:///:memory:")
    first = Commit(0, 1, [], [{"id": 1}], [], None, {"n": 0})
    assert not isinstance(store.append([Entry("arn:x/work", first, "")])[0], Conflict)
    second = empty("sqlite", tmp_path)
    restored(backed_up(store), second)
    assert second.commits("arn:x/work") == store.commits("arn:x/work")
    assert second.head("arn:x/work") is None


def test_a_restore_writes_over_nothing_and_can_be_of_one_tenant(tmp_path: Path) -> None:
    store = open_store("sqlite:///:memory:")
    store.put("note", "a", {"n": 1})
    store.for_tenant("acme").put("note", "a", {"n": 2})
    data = backed_up(store)
    target = empty("sqlite", tmp_path)
    target.put("note", "mine", {})
    with pytest.raises(NotEmpty, match="default"):
        restored(data, target)
    assert [each.key for each in target.records("note").items] == ["mine"]
    assert restored(data, target, ["acme"]) == {"acme": 0}
    assert target.for_tenant("acme").get("note", "a") is not None
    with pytest.raises(NotEmpty, match="acme"):
        restored(data, target, ["acme"])


def test_a_restore_that_was_cut_short_goes_on_with_the_same_backup_alone(tmp_path: Path) -> None:
    world = World(open_store("sqlite:///:memory:"), [], VirtualClock())
    for name in ("one", "two"):
        world.cloud.wait(world.start(name))
    data = backed_up(world.store)
    target = empty("sqlite", tmp_path)

    class Power(Exception):
        pass

    def cut(log: str) -> None:
        raise Power

    with pytest.raises(Power):
        restore(target, io.BytesIO(data), check(io.BytesIO(data)), progress=cut)
    world.store.put("note", "later", {})
    with pytest.raises(NotEmpty, match="another backup"):
        restored(backed_up(world.store), target)
    restored(data, target)
    assert backed_up(target) == data


def sample() -> bytes:
    world = World(open_store("sqlite:///:memory:"), [], VirtualClock())
    world.cloud.wait(world.start("one"))
    return backed_up(world.store)


SAMPLE: list[bytes] = []


@settings(max_examples=60, deadline=None)
@given(st.floats(0, 1, exclude_max=True), st.integers(1, 255))
def test_no_changed_byte_goes_unseen(place: float, by: int) -> None:
    SAMPLE[:] = SAMPLE or [sample()]
    data = bytearray(SAMPLE[0])
    data[int(place * (len(data) - 1))] ^= by
    with pytest.raises(Damaged):
        check(io.BytesIO(bytes(data)))


@settings(max_examples=30, deadline=None)
@given(st.floats(0, 1, exclude_max=True))
def test_no_backup_that_was_cut_off_is_taken_for_whole(place: float) -> None:
    SAMPLE[:] = SAMPLE or [sample()]
    with pytest.raises(Damaged):
        check(io.BytesIO(SAMPLE[0][: int(place * (len(SAMPLE[0]) - 1))]))


@pytest.mark.parametrize(
    "text",
    [b"", b"\n", b"[]\n", b"{}\n", b'{"stratum_backup":"1"}\n', b'{"stratum_backup":9}\n', b"[" * 100_000, b'{"end":0}\n'],
)  # fmt: skip
def test_what_is_no_backup_is_told(text: bytes) -> None:
    with pytest.raises(Damaged):
        check(io.BytesIO(text))


def test_a_log_that_was_damaged_before_is_backed_up_as_it_is_and_told(tmp_path: Path) -> None:
    world = World(open_store(f"sqlite:///{tmp_path}/s.db"), [], VirtualClock())
    one, two = world.start("one"), world.start("two")
    for each in (one, two):
        world.cloud.wait(each)
    import sqlite3

    with sqlite3.connect(f"{tmp_path}/s.db") as database:
        database.execute("UPDATE commits SET digest = zeroblob(32) WHERE execution = 1 AND seq = 1")
    data = backed_up(open_store(f"sqlite:///{tmp_path}/s.db"))
    contents: Contents = check(io.BytesIO(data))
    assert [each.partition(": ")[0] for each in contents.broken] == [one]
    target = open_store("sqlite:///:memory:")
    restored(data, target)
    assert verify(target, one) != []
    assert verify(target, two) == []


def test_heads_are_found_by_state_machine_and_by_what_is_due(tmp_path: Path, aws: None) -> None:
    store = open_store("sqlite:///:memory:")
    arn = "arn:aws:states:us-east-1:123456789012:execution:m:one"
    head = Head(arn, "one", "arn:m", "RUNNING", 1, None, "d", 0, "", 0, 5, {"a": "b"})
    store.append([Entry(arn, Commit(0, 1, [], [], [], None, {}), "", head)])
    target = empty("dynamodb", tmp_path)
    restored(backed_up(store), target)
    assert [each.execution for each in target.due(10)] == [arn]
    assert target.heads(state_machine="arn:m").items == store.heads(state_machine="arn:m").items


SPEC = """
stratum: "1"
workflow: hello
version: 1.0.0
steps:
  - {id: greet, task: hello.greet, input: {}}
"""


def test_from_the_command_line(tmp_path: Path) -> None:
    (tmp_path / "hello.yaml").write_text(SPEC)
    (tmp_path / "hello.py").write_text("def greet(event, context):\n    return 'hello'\n")
    assert stratum(tmp_path, "run", "hello.yaml", "--name", "one").returncode == 0
    made = done(tmp_path, "backup", "a.gz", "--json")
    assert (made["tenants"], made["running"], made["broken"]) == (["default"], 0, [])
    over = stratum(tmp_path, "backup", "a.gz")
    assert (over.returncode, "is there already" in over.stderr) == (2, True)
    full = stratum(tmp_path, "restore", "a.gz")
    assert (full.returncode, "writes over nothing" in full.stderr) == (2, True)
    other = ("--store", "sqlite:///other.db")
    assert done(tmp_path, "restore", "a.gz", "--json", *other)["logs"] == made["logs"]
    assert "every digest is right" in stratum(tmp_path, "show", "one", *other).stdout
    assert done(tmp_path, "restore", "a.gz", "--check", "--json")["sha256"] == made["sha256"]
    (tmp_path / "a.gz").write_bytes((tmp_path / "a.gz").read_bytes()[:-30])
    for arguments in (["--check"], other):
        cut = stratum(tmp_path, "restore", "a.gz", *arguments)
        assert (cut.returncode, "cannot be restored" in cut.stderr) == (2, True)
    assert stratum(tmp_path, "restore", "no.gz").returncode == 2
    assert stratum(tmp_path, "backup", "no/where.gz").returncode == 2
    assert sorted(each.name for each in tmp_path.glob("*.part")) == []

"""The contract of the store: one suite, which both forms pass."""

from __future__ import annotations

import hashlib
import json
import os
import random
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from moto import mock_aws
from moto.dynamodb.models import DynamoDBBackend
from stratum.handlers.store import Commit, Conflict, Entry, Head, InvalidToken, Store, StoreError, verify
from stratum.handlers.store.dynamodb import DynamoDbStore
from stratum.handlers.store.table import create_table
from stratum.local.sqlite_store import SqliteStore
from stratum.local.stores import StoreUrlError, open_store

X = "arn:aws:states:us-east-1:123456789012:execution:orders:eins"
MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine:orders"


@pytest.fixture(params=["sqlite", "dynamodb"])
def store(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    if request.param == "sqlite":
        store = open_store(f"sqlite:///{tmp_path}/store.db")
        yield store
        store.close()
        return
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "none")
    # moto looks at a condition and writes in two steps: between them another thread may write, as no DynamoDB lets it.
    alone, put = threading.Lock(), DynamoDBBackend.put_item

    def put_item(*args: Any, **kwargs: Any) -> Any:
        with alone:
            return put(*args, **kwargs)

    monkeypatch.setattr(DynamoDBBackend, "put_item", put_item)
    with mock_aws():
        create_table(boto3.client("dynamodb", region_name="us-east-1"), "stratum")
        boto3.client("s3", region_name="us-east-1").create_bucket(Bucket="large")
        yield open_store("dynamodb://stratum?region=us-east-1&bucket=large")


def commit(seq: int, **fields: Any) -> Commit:
    values = {
        "messages": [],
        "events": [{"id": seq}],
        "commands": [],
        "changes": None,
        "snapshot": {"n": seq},
    }
    return Commit(seq=seq, at=1000 + seq, **{**values, **fields})


def head(name: str = X, **fields: Any) -> Head:
    values = {
        "execution": name, "name": name.rpartition(":")[2], "state_machine": MACHINE, "status": "RUNNING", "started_at": 1000,
        "stopped_at": None, "definition": "d", "seq": 0, "digest": "", "snapshot_seq": 0, "wake_at": None,
    }  # fmt: skip
    return Head(**{**values, **fields})


def append(
    store: Store, *commits: Commit, execution: str = X, previous: str = "", with_head: bool = True
) -> str:
    for each in commits:
        [answer] = store.append(
            [Entry(execution, each, previous, head(execution, seq=each.seq) if with_head else None)]
        )
        assert isinstance(answer, Commit)
        previous = answer.digest
    return previous


def test_what_is_appended_is_read_back_in_order(store: Store) -> None:
    append(store, commit(0), commit(1, changes={"ü": ["€", None, 1.5]}, snapshot=None), commit(2))
    commits = store.commits(X)
    assert [each.seq for each in commits] == [0, 1, 2]
    assert commits[1].changes == {"ü": ["€", None, 1.5]}
    assert [each.seq for each in store.commits(X, 1, 2)] == [1]
    assert store.commits("arn:no:such") == []
    assert verify(store, X) == []


def test_of_two_writers_for_one_seq_exactly_one_wins(store: Store) -> None:
    digest = append(store, commit(0))
    answers: list[Commit | Conflict] = []
    barrier = threading.Barrier(8)

    def write(number: int) -> None:
        barrier.wait()
        answers.extend(store.append([Entry(X, commit(1, events=[{"writer": number}]), digest)]))

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    winners = [answer for answer in answers if isinstance(answer, Commit)]
    assert len(answers) == 8
    assert len(winners) == 1
    assert store.commits(X)[1].events == winners[0].events


def test_a_new_file_is_opened_by_many_at_once(tmp_path: Path) -> None:
    """SQLite refuses whoever is not the first to turn a file to WAL, without waiting."""

    def opened(url: str) -> None:
        barrier.wait()
        open_store(url).close()

    barrier = threading.Barrier(8)
    with ThreadPoolExecutor(8) as pool:
        for number in range(20):
            list(pool.map(opened, [f"sqlite:///{tmp_path}/{number}.db"] * 8))


def test_a_conflict_takes_nothing_from_the_other_entries_of_an_append(store: Store) -> None:
    append(store, commit(0))
    answers = store.append([Entry(X, commit(0, events=[{"late": 1}]), ""), Entry("arn:other", commit(0), "")])
    assert isinstance(answers[0], Conflict)
    assert isinstance(answers[1], Commit)
    assert store.commits(X)[0].events == [{"id": 0}]


def test_a_head_that_lags_hides_no_commit(store: Store) -> None:
    digest = append(store, commit(0))
    append(store, commit(1), commit(2), previous=digest, with_head=False)
    lagging = store.head(X)
    assert lagging is not None
    assert lagging.seq == 0
    assert [each.seq for each in store.commits(X)] == [0, 1, 2]
    assert verify(store, X) == []


def test_a_head_never_moves_backwards(store: Store) -> None:
    store.put_head(head(seq=5, status="SUCCEEDED"))
    store.put_head(head(seq=4))
    found = store.head(X)
    assert found is not None
    assert (found.seq, found.status) == (5, "SUCCEEDED")


def count_payloads(store: Store) -> int:
    if isinstance(store, DynamoDbStore):
        items = store._client.scan(TableName="stratum")["Items"]
        return sum(item["sk"]["S"].startswith("p#") for item in items)
    with store._connection.reading() as run:  # pyright: ignore[reportAttributeAccessIssue]
        return run("SELECT count(*) FROM payloads").fetchone()[0]


def test_a_long_text_is_stored_once_however_often_it_occurs(store: Store) -> None:
    text = "ä" * 2000
    append(
        store,
        *[commit(seq, events=[{"input": text, "output": text}], snapshot={"a": [text]}) for seq in range(4)],
    )
    assert count_payloads(store) == 1
    assert store.commits(X)[3].snapshot == {"a": [text]}
    assert sum(text.encode() in each for each in store.texts(X)) == 1
    assert sum(b'"seq":3' in each for each in store.texts(X)) == 1
    assert verify(store, X) == []


@pytest.mark.parametrize("size", [500_000, 3_000_000])
def test_what_no_item_can_hold_is_kept_too(store: Store, size: int) -> None:
    noise = os.urandom(size // 2).hex()
    append(store, commit(0, snapshot={"noise": noise}))
    append(
        store,
        commit(0, snapshot={"many": [noise[at : at + 1000] for at in range(0, size, 1000)]}),
        execution="arn:many",
    )
    assert store.commits(X)[0].snapshot == {"noise": noise}
    assert len((store.commits("arn:many")[0].snapshot or {})["many"]) == size // 1000
    assert verify(store, X) == []


def test_what_no_item_can_hold_needs_a_bucket(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "none")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "none")
    with mock_aws():
        create_table(boto3.client("dynamodb", region_name="us-east-1"), "stratum")
        store = open_store("dynamodb://stratum?region=us-east-1")
        with pytest.raises(StoreError, match="bucket=NAME"):
            append(store, commit(0, snapshot={"noise": os.urandom(400_000).hex()}))


class Vandal:
    """Changes what is stored behind the store's back."""

    def __init__(self, store: Store):
        self.store = store

    def change(self, seq: int) -> None:
        digest, body = self.store.stored(X, seq) or ("", b"")
        changed = body.replace(b'"at":100', b'"at":900')
        assert changed != body
        self._write(seq, digest, changed)

    def swap(self, one: int, other: int) -> None:
        first, second = self.store.stored(X, one), self.store.stored(X, other)
        assert first is not None
        assert second is not None
        self._write(one, *second)
        self._write(other, *first)

    def remove(self, seq: int) -> None:
        if isinstance(self.store, DynamoDbStore):
            self.store._client.delete_item(TableName="stratum", Key=self.store._key(X, f"c#{seq:010d}"))
        else:
            self._sql("DELETE FROM commits WHERE seq = ?", (seq,))

    def change_payload(self) -> None:
        import zlib

        forged = zlib.compress(b"forged")
        if isinstance(self.store, DynamoDbStore):
            for item in self.store._client.scan(TableName="stratum")["Items"]:
                if item["sk"]["S"].startswith("p#"):
                    self.store._client.put_item(TableName="stratum", Item={**item, "body": {"B": forged}})
        else:
            self._sql("UPDATE payloads SET body = ?", (forged,))

    def _write(self, seq: int, digest: str, body: bytes) -> None:
        if isinstance(self.store, DynamoDbStore):
            item = {**self.store._key(X, f"c#{seq:010d}"), "digest": {"S": digest}, "body": {"B": body}}
            self.store._client.put_item(TableName="stratum", Item=item)
        else:
            self._sql(
                "UPDATE commits SET body = ?, digest = ? WHERE seq = ?", (body, bytes.fromhex(digest), seq)
            )

    def _sql(self, statement: str, values: tuple[Any, ...]) -> None:
        with self.store._connection.transaction() as run:  # pyright: ignore[reportAttributeAccessIssue]
            run(statement, values)


@pytest.mark.parametrize(
    ("harm", "broken"),
    [
        (lambda vandal: vandal.change(2), 2),
        (lambda vandal: vandal.swap(1, 2), 1),
        (lambda vandal: vandal.remove(3), 3),
        (lambda vandal: vandal.remove(1), 1),
        (lambda vandal: vandal.change_payload(), 0),
    ],
    ids=[
        "a byte changed",
        "two swapped",
        "the last removed",
        "one in the middle removed",
        "a payload changed",
    ],
)
def test_a_broken_chain_is_found_at_its_place(store: Store, harm: Any, broken: int) -> None:
    append(store, *[commit(seq, snapshot={"text": "y" * 1500}) for seq in range(4)])
    assert verify(store, X) == []
    harm(Vandal(store))
    assert verify(store, X)[0].seq == broken


def test_a_forgotten_log_leaves_nothing_and_takes_nothing_of_others(store: Store) -> None:
    other = f"{X}-andere"
    large = "".join(random.Random(1).choices("abcdefgh", k=1_200_000))
    append(store, commit(0), commit(1, snapshot={"text": "x" * 5000}), commit(2, snapshot={"text": large}))
    append(store, commit(0), execution=other)
    append(store, commit(0), commit(1), execution=f"{X}/work", with_head=False)
    before = store.payload(X, hashlib.sha256(("x" * 5000).encode()).hexdigest())
    steps = 1
    while not store.forget(X, 1):  # as little at a time as can be
        assert store.head(X) is not None or isinstance(store, SqliteStore)
        assert isinstance(store.append([Entry(X, commit(0), "")])[0], Conflict)
        steps += 1
    assert steps > 2 or not isinstance(store, DynamoDbStore)
    assert store.forget(f"{X}/work", 100)
    assert (store.head(X), store.commits(X), store.stored(X, 0)) == (None, [], None)
    assert [each.execution for each in store.heads().items] == [other]
    assert dict(store.kept()) == {"log": other}
    assert len(store.commits(other)) == 1
    if before is not None:
        assert store.payload(X, hashlib.sha256(("x" * 5000).encode()).hexdigest()) is None
    if isinstance(store, DynamoDbStore):
        assert store._s3.list_objects_v2(Bucket="large")["KeyCount"] == 0
    assert store.forget(X, 100)  # once more changes nothing
    append(store, commit(0, snapshot={"text": "x" * 5000}))  # its name is free again
    assert store.commits(X)[0].snapshot == {"text": "x" * 5000}


def test_a_tenant_sees_nothing_of_another(store: Store) -> None:
    other = store.for_tenant("somebody-else")
    append(store, commit(0))
    store.put("state-machine", "m", {"a": 1})
    assert other.commits(X) == []
    assert other.head(X) is None
    assert other.heads().items == []
    assert other.get("state-machine", "m") is None
    assert isinstance(other.append([Entry(X, commit(0), "")])[0], Commit)


def test_heads_come_newest_first_and_in_pages(store: Store) -> None:
    for number in range(7):
        status = "RUNNING" if number % 2 else "FAILED"
        store.put_head(head(f"{X}{number}", started_at=1000 + number // 2, status=status))
    names, token = [], None
    while True:
        page = store.heads(state_machine=MACHINE, limit=3, token=token)
        names += [each.execution for each in page.items]
        token = page.token
        if token is None:
            break
    assert len(set(names)) == 7
    assert names[0] == f"{X}6"
    assert names == [each.execution for each in store.heads().items]
    assert {each.status for each in store.heads(status="FAILED").items} == {"FAILED"}
    assert store.heads(state_machine="arn:none").items == []
    item = replace(head("arn:item", started_at=5000), state_machine="arn:aws:states:r:1:mapRun:m/x:1")
    store.put_head(item)
    assert store.heads(limit=1).items[0].execution == "arn:item"
    assert [each.execution for each in store.heads(children=False).items] == names
    for garbage in ("x", "eyJ9", ""):
        with pytest.raises(InvalidToken):
            store.heads(token=garbage)


def test_due_are_the_running_whose_time_has_come(store: Store) -> None:
    store.put_head(head("arn:a", wake_at=50))
    store.put_head(head("arn:b", wake_at=20))
    store.put_head(head("arn:c", wake_at=90))
    store.put_head(head("arn:d", wake_at=10, status="SUCCEEDED"))
    assert [each.execution for each in store.due(60)] == ["arn:b", "arn:a"]
    store.put_head(head("arn:b", wake_at=None, seq=1))
    assert [each.execution for each in store.due(60)] == ["arn:a"]


def test_a_record_is_written_where_its_version_is_as_expected(store: Store) -> None:
    assert store.put("k", "a", {"v": 1}, expect=0).version == 1
    with pytest.raises(Conflict):
        store.put("k", "a", {"v": 2}, expect=0)
    assert store.put("k", "a", {"v": 2}, expect=1).version == 2
    assert store.put("k", "a", {"v": "ü" * 3000}).version == 3
    found = store.get("k", "a")
    assert found is not None
    assert found.value == {"v": "ü" * 3000}
    store.put("k", "b", {})
    store.put("other", "c", {})
    assert [each.key for each in store.records("k").items] == ["a", "b"]
    first = store.records("k", limit=1)
    assert [each.key for each in store.records("k", limit=1, token=first.token).items] == ["b"]
    assert [each.key for each in store.records("k", prefix="b").items] == ["b"]
    store.delete("k", "a")
    assert store.get("k", "a") is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False, allow_infinity=False) | st.text() | st.text(min_size=1100, max_size=1200),
    lambda parts: st.lists(parts, max_size=3) | st.dictionaries(st.text(max_size=5).filter(lambda key: key != "$payload"), parts, max_size=3),
    max_leaves=8,
)  # fmt: skip


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(parts=st.lists(JSON, min_size=1, max_size=3))
def test_any_data_comes_back_as_it_was(store: Store, parts: list[Any]) -> None:
    execution = f"arn:{os.urandom(8).hex()}"
    append(
        store, *[commit(seq, snapshot={"part": part}) for seq, part in enumerate(parts)], execution=execution
    )
    assert [json.dumps((each.snapshot or {})["part"]) for each in store.commits(execution)] == [
        json.dumps(part) for part in parts
    ]
    assert verify(store, execution) == []


RACER = """
import sys
from stratum.handlers.store import Commit, Entry
from stratum.local.stores import open_store

url, execution = sys.argv[1:]
store, won = open_store(url), 0
print("ready", flush=True)
sys.stdin.readline()
for seq in range(1, 30):
    previous = store.commits(execution, seq - 1, seq)[0].digest
    won += isinstance(store.append([Entry(execution, Commit(seq, 0, [], [], [], {}, None), previous)])[0], Commit)
print(won)
"""


def test_two_processes_share_one_sqlite_file(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/shared.db"
    store = open_store(url)
    append(store, commit(0))
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", RACER, url, X], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    for racer in racers:
        assert racer.stdout is not None
        assert racer.stdout.readline() == "ready\n"
    won = [int(racer.communicate("go\n", timeout=60)[0]) for racer in racers]
    assert sum(won) == 29
    assert verify(store, X) == []


def test_an_address_that_is_none_says_what_one_looks_like(tmp_path: Path) -> None:
    for url in ("", "postgres://x", "sqlite:", "dynamodb://"):
        with pytest.raises(StoreUrlError, match="sqlite:///"):
            open_store(url)
    with pytest.raises(StoreError, match="sync=full"):
        open_store(f"sqlite:///{tmp_path}/x.db?sync=never")


def test_a_file_that_is_no_store_is_left_as_it_is(tmp_path: Path) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("not a database, but somebody's notes, long enough to be taken for one " * 20)
    before = text.read_bytes()
    with pytest.raises(StoreError, match="cannot be opened"):
        open_store(f"sqlite:///{text}")
    assert text.read_bytes() == before
    foreign = tmp_path / "foreign.db"
    with sqlite3.connect(foreign) as database:
        database.execute("CREATE TABLE theirs (a)")
    with pytest.raises(StoreError, match="name another file"):
        open_store(f"sqlite:///{foreign}")
    newer = tmp_path / "newer.db"
    with sqlite3.connect(newer) as database:
        database.execute("PRAGMA user_version = 99")
    with pytest.raises(StoreError, match="newer Stratum"):
        open_store(f"sqlite:///{newer}")


def test_a_revision_is_another_one_when_others_have_written(tmp_path: Path, store: Store) -> None:
    if store.revision() is None:
        return  # this form cannot tell, and says so every time
    before = store.revision()
    store.put("k", "own", {})
    assert store.revision() == before
    other = open_store(f"sqlite:///{tmp_path}/store.db")
    other.put("k", "others", {})
    assert store.revision() != before


def test_shards_are_listed_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "none")
    with mock_aws():
        create_table(client := boto3.client("dynamodb", region_name="us-east-1"), "stratum")
        store = open_store("dynamodb://stratum?region=us-east-1&shards=4")
        names = [f"{X}{number}" for number in range(25)]
        for number, name in enumerate(names):
            store.put_head(head(name, started_at=number, wake_at=100 - number))
        store.put_head(head(names[3], started_at=3, seq=1, status="FAILED"))
        items = client.scan(TableName="stratum")["Items"]
        assert {item["tenant"]["S"] for item in items} == {f"default#{shard}" for shard in range(4)}
        for machine in (None, MACHINE):
            listed, token = [], None
            while True:
                page = store.heads(state_machine=machine, limit=10, token=token)
                listed += [each.execution for each in page.items]
                if (token := page.token) is None:
                    break
            assert listed == names[::-1]
        assert [each.execution for each in store.heads(status="FAILED").items] == [names[3]]
        assert [each.execution for each in store.due(79)] == names[:20:-1]
        assert [each.execution for each in store.due(200, limit=2)] == names[:-3:-1]
        assert [each.execution for each in store.for_tenant("other").heads().items] == []
    for shards in ("0", "1001", "x", "-1", "\u0663"):
        with pytest.raises(StoreError, match="shards is a number"):
            open_store(f"dynamodb://stratum?region=us-east-1&shards={shards}")

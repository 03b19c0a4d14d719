"""The DynamoDB form of the store: one table, every partition key beginning with the tenant.

| item | pk | sk |
|---|---|---|
| commit | `tenant#x#execution` | `c#` and its seq |
| payload | the same | `p#` and its digest |
| head | the same | `head` |
| record | `tenant#r#kind` | its key |
| counter | `tenant#n` | its name |

The way of every commit is point reads and conditional puts: no transaction, no query. What an item cannot hold
goes to S3.

Logs are spread over the table by their executions. The indexes over heads are not: each has one partition key for
a tenant or a state machine, and a partition of DynamoDB takes 1,000 writes a second. `shards` gives each of them
so many keys, over which executions are spread by their names; whoever lists asks all of them.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import zlib
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs

import boto3
from botocore.config import Config

from ..tenancy.names import check_stored_name
from .codec import decode_commit, encode_commit, pack, pack_text, unpack, unpack_text
from .protocol import Commit, Conflict, Entry, Head, InvalidToken, Page, Record, Stored, StoreError
from .table import BY_MACHINE, BY_START, BY_WAKE, create_table

MAX_ITEM = 350_000
"""Bytes of a body above which it goes to S3: an item holds 400 KB, with its keys."""
MAX_SHARDS = 1000
_BATCH = 100
_WRITTEN_AT_ONCE = 25
_REMEMBERED = 4096
_ALL = 2**31


class DynamoDbStore:
    """One tenant's view of a table."""

    def __init__(
        self,
        client: Any,
        table: str,
        *,
        bucket: str | None = None,
        s3: Any = None,
        tenant: str = "default",
        shards: int = 1,
    ):
        self._client = client
        self._table = table
        self._bucket = bucket
        self._s3 = s3
        self.tenant = check_stored_name(tenant)
        self._shards = shards
        # Payloads that are there already need not be written again; forgetting one only costs a write.
        self._written: OrderedDict[tuple[str, str], None] = OrderedDict()

    def create_table(self) -> None:
        """Makes the table, unless it is there."""
        create_table(self._client, self._table)

    def for_tenant(self, tenant: str) -> DynamoDbStore:
        return DynamoDbStore(
            self._client, self._table, bucket=self._bucket, s3=self._s3, tenant=tenant, shards=self._shards
        )

    def close(self) -> None:
        self._client.close()

    # -- the log ---------------------------------------------------------------------------------------

    def append(self, entries: Sequence[Entry]) -> list[Commit | Conflict]:
        return [self._append(entry) for entry in entries]

    def _append(self, entry: Entry) -> Commit | Conflict:
        commit = entry.commit
        digest, body, payloads = encode_commit(commit, entry.previous)
        for key, text in payloads.items():
            self._put_payload(entry.execution, key, text)
        if not self._put_new(self._commit_item(entry.execution, commit.seq, digest, body)):
            return Conflict(f"{entry.execution}: commit {commit.seq} is taken")
        if entry.head is not None:
            self.put_head(replace(entry.head, digest=digest))
        return replace(commit, digest=digest)

    def _commit_item(self, execution: str, seq: int, digest: str, body: bytes) -> dict[str, Any]:
        return {
            **self._key(execution, _commit_key(seq)),
            "digest": {"S": digest},
            **self._body(execution, digest, pack(body)),
        }

    def commits(self, execution: str, start: int = 0, stop: int | None = None) -> list[Commit]:
        found: list[Commit] = []
        # What the head knows of is read in batches; what came after it, one by one until there is none.
        head = self.head(execution)
        last = head.seq if head is not None else -1
        known = last + 1 if stop is None else min(stop, last + 1)
        for first in range(start, known, _BATCH):
            seqs = range(first, min(first + _BATCH, known))
            items = self._batch_get(execution, [_commit_key(seq) for seq in seqs])
            for seq in seqs:
                item = items.get(_commit_key(seq))
                if item is None:
                    return found
                found.append(self._commit(execution, item))
        seq = start + len(found)
        while stop is None or seq < stop:
            item = self._get(execution, _commit_key(seq))
            if item is None:
                break
            found.append(self._commit(execution, item))
            seq += 1
        return found

    def _commit(self, execution: str, item: dict[str, Any]) -> Commit:
        def payload(digest: str) -> str:
            text = self.payload(execution, digest)
            if text is None:
                raise LookupError(f"the payload {digest} of {execution} is not in the store")
            return text

        return decode_commit(unpack(self._bytes(item)), item["digest"]["S"], payload)

    def stored(self, execution: str, seq: int) -> tuple[str, bytes] | None:
        item = self._get(execution, _commit_key(seq))
        if item is None:
            return None
        body = self._bytes(item)
        try:
            return item["digest"]["S"], unpack(body)
        except ValueError:
            return item["digest"]["S"], body  # not what was written: `verify` says so

    def texts(self, execution: str) -> Iterator[bytes]:
        values = {":p": self._key(execution, "")["pk"]}
        for item in self._query(None, "pk = :p", values, _ALL):
            sort = item["sk"]["S"]
            if sort.startswith("c#"):
                yield unpack(self._bytes(item))
            elif sort.startswith("p#"):
                yield unpack_text(self._bytes(item)).encode("utf-8", "surrogatepass")

    def payload(self, execution: str, digest: str) -> str | None:
        item = self._get(execution, f"p#{digest}")
        if item is None:
            return None
        try:
            return unpack_text(self._bytes(item))
        except ValueError:
            return ""

    def _put_payload(self, execution: str, digest: str, text: str) -> None:
        known = (execution, digest)
        if known in self._written:
            return
        self._put_new(self._payload_item(execution, digest, text))
        self._written[known] = None
        if len(self._written) > _REMEMBERED:
            self._written.popitem(last=False)

    def _payload_item(self, execution: str, digest: str, text: str) -> dict[str, Any]:
        return {**self._key(execution, f"p#{digest}"), **self._body(execution, digest, pack_text(text))}

    def forget(self, execution: str, limit: int) -> bool:
        last = (_commit_key(0), "head")
        items = self._query(
            None, "pk = :p", {":p": self._key(execution, "")["pk"]}, max(limit, len(last) + 1), ConsistentRead=True,
            ScanIndexForward=False, ProjectionExpression="sk, #o", ExpressionAttributeNames={"#o": "object"},
        )  # fmt: skip
        self._written.clear()
        for item in items:
            if "object" in item and self._bucket is not None:
                self._s3.delete_object(Bucket=self._bucket, Key=item["object"]["S"])
        sorts = [item["sk"]["S"] for item in items]
        self._write_all(
            [{"DeleteRequest": {"Key": self._key(execution, sort)}} for sort in sorts if sort not in last]
        )
        if len(items) >= max(limit, len(last) + 1):
            return False
        deletes: list[Any] = [
            {"Delete": {"TableName": self._table, "Key": self._key(execution, sort)}}
            for sort in last
            if sort in sorts
        ]
        if deletes:
            self._client.transact_write_items(TransactItems=deletes)
        return True

    def _body(self, execution: str, digest: str, body: bytes) -> dict[str, Any]:
        if len(body) <= MAX_ITEM:
            return {"body": {"B": body}}
        if self._bucket is None:
            raise StoreError(
                f"{len(body)} bytes are more than an item of DynamoDB holds: name a bucket for them, as in"
                f" dynamodb://{self._table}?bucket=NAME"
            )
        name = hashlib.sha256(execution.encode("utf-8", "surrogatepass")).hexdigest()[:32]
        key = f"{self.tenant}/{name}/{digest}"
        self._s3.put_object(Bucket=self._bucket, Key=key, Body=body)
        return {"object": {"S": key}}

    def _bytes(self, item: dict[str, Any]) -> bytes:
        if "body" in item:
            return bytes(item["body"]["B"])
        if self._bucket is None:
            raise StoreError(f"a value of {self._table} lies in S3, and the store's address names no bucket")
        return self._s3.get_object(Bucket=self._bucket, Key=item["object"]["S"])["Body"].read()

    # -- heads -----------------------------------------------------------------------------------------

    def head(self, execution: str) -> Head | None:
        item = self._get(execution, "head")
        return None if item is None else _head(item)

    def put_head(self, head: Head) -> None:
        item = self._head_item(head)
        try:
            self._client.put_item(
                TableName=self._table,
                Item=item,
                ConditionExpression="attribute_not_exists(pk) OR seq <= :seq",
                ExpressionAttributeValues={":seq": item["seq"]},
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return  # the store has a later one

    def _head_item(self, head: Head) -> dict[str, Any]:
        order = f"{head.started_at:015d}#{head.execution}"
        item: dict[str, Any] = {
            **self._key(head.execution, "head"),
            "head": {"S": json.dumps({name: getattr(head, name) for name in Head.__slots__})},
            "seq": {"N": str(head.seq)},
            "status": {"S": head.status},
            "tenant": {"S": self._sharded(self.tenant, head.execution)},
            "machine": {"S": self._sharded(f"{self.tenant}#{head.state_machine}", head.execution)},
            "started": {"S": order},
        }
        if head.wake_at is not None and head.status == "RUNNING":
            item["waking"] = item["tenant"]
            item["wake_at"] = {"N": str(head.wake_at)}
        return item

    def heads(
        self,
        *,
        state_machine: str | None = None,
        status: str | None = None,
        limit: int = 100,
        token: str | None = None,
        children: bool = True,
    ) -> Page[Head]:
        if state_machine is not None:
            index, attribute, value = BY_MACHINE, "machine", f"{self.tenant}#{state_machine}"
        else:
            index, attribute, value = BY_START, "tenant", self.tenant
        condition, values = f"{attribute} = :p", {}
        if token is not None:
            condition += " AND started < :s"
            values[":s"] = {"S": _read_token(token)}
        options: dict[str, Any] = {}
        filters: list[str] = []
        if status is not None:
            filters.append("#s = :status")
            options["ExpressionAttributeNames"] = {"#s": "status"}
            values[":status"] = {"S": status}
        if not children:
            filters.append("NOT contains(machine, :run)")
            values[":run"] = {"S": ":mapRun:"}
        if filters:
            options["FilterExpression"] = " AND ".join(filters)
        items = self._query_shards(
            index, condition, value, values, limit + 1, ScanIndexForward=False, **options
        )
        items = sorted(items, key=lambda item: item["started"]["S"], reverse=True)[: limit + 1]
        heads = [_head(item) for item in items[:limit]]
        more = len(items) > limit
        return Page(heads, _token(items[limit - 1]["started"]["S"]) if more else None)

    def due(self, now: int, limit: int = 100) -> list[Head]:
        condition, values = "waking = :p AND wake_at <= :now", {":now": {"N": str(now)}}
        items = self._query_shards(BY_WAKE, condition, self.tenant, values, limit)
        return [_head(item) for item in sorted(items, key=lambda item: int(item["wake_at"]["N"]))[:limit]]

    def _sharded(self, key: str, execution: str) -> str:
        """The index key of an execution's head."""
        if self._shards == 1:
            return key
        return f"{key}#{zlib.crc32(execution.encode('utf-8', 'surrogatepass')) % self._shards}"

    def _query_shards(
        self, index: str, condition: str, key: str, values: dict[str, Any], limit: int, **options: Any
    ) -> list[Any]:
        """Up to `limit` items of each shard."""
        keys = [key] if self._shards == 1 else [f"{key}#{shard}" for shard in range(self._shards)]
        return [
            item
            for each in keys
            for item in self._query(index, condition, {**values, ":p": {"S": each}}, limit, **options)
        ]

    # -- records ---------------------------------------------------------------------------------------

    def put(self, kind: str, key: str, value: dict[str, Any], *, expect: int | None = None) -> Record:
        while True:
            current = self.get(kind, key)
            version = 0 if current is None else current.version
            if expect is not None and expect != version:
                raise Conflict(f"{kind} {key} has version {version}, not {expect}")
            if self._put_record(kind, key, value, version):
                return Record(kind, key, value, version + 1)
            if expect is not None:
                raise Conflict(f"{kind} {key} was written by somebody else")

    def _put_record(self, kind: str, key: str, value: dict[str, Any], version: int) -> bool:
        item = self._record_item(Record(kind, key, value, version + 1))
        condition = "attribute_not_exists(pk)" if version == 0 else "version = :v"
        options = {} if version == 0 else {"ExpressionAttributeValues": {":v": {"N": str(version)}}}
        try:
            self._client.put_item(TableName=self._table, Item=item, ConditionExpression=condition, **options)
        except self._client.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def _record_item(self, record: Record) -> dict[str, Any]:
        return {
            **self._record_key(record.kind, record.key),
            "version": {"N": str(record.version)},
            **self._body(
                f"{record.kind}/{record.key}", f"{record.version}", pack_text(json.dumps(record.value))
            ),
        }

    def get(self, kind: str, key: str) -> Record | None:
        answer = self._client.get_item(
            TableName=self._table, Key=self._record_key(kind, key), ConsistentRead=True
        )
        item = answer.get("Item")
        return None if item is None else self._record(kind, item)

    def records(
        self, kind: str, prefix: str = "", *, limit: int = 100, token: str | None = None
    ) -> Page[Record]:
        condition, values = "pk = :p", {":p": {"S": f"{self.tenant}#r#{kind}"}}
        if prefix and token is None:
            condition += " AND begins_with(sk, :k)"
            values[":k"] = {"S": prefix}
        elif token is not None:
            condition += " AND sk > :k"
            values[":k"] = {"S": _read_token(token)}
        items = self._query(None, condition, values, limit + 1, ConsistentRead=True)
        items = [item for item in items if item["sk"]["S"].startswith(prefix)]
        found = [self._record(kind, item) for item in items[:limit]]
        return Page(found, _token(found[-1].key) if len(items) > limit else None)

    def delete(self, kind: str, key: str) -> None:
        self._client.delete_item(TableName=self._table, Key=self._record_key(kind, key))

    # -- counters --------------------------------------------------------------------------------------

    def running(self) -> int:
        condition, values = "waking = :p", {":m": {"S": ":mapRun:"}}
        keys = (
            [self.tenant]
            if self._shards == 1
            else [f"{self.tenant}#{shard}" for shard in range(self._shards)]
        )
        found = 0
        for key in keys:
            start: dict[str, Any] = {}
            while True:
                answer = self._client.query(
                    TableName=self._table, IndexName=BY_WAKE, KeyConditionExpression=condition, Select="COUNT",
                    ExpressionAttributeValues={**values, ":p": {"S": key}}, FilterExpression="NOT contains(machine, :m)", **start,
                )  # fmt: skip
                found += answer["Count"]
                if "LastEvaluatedKey" not in answer:
                    break
                start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}
        return found

    def count(self, counter: str, amount: int, *, floor: int = 0, most: int | None = None) -> int | None:
        while True:
            # Where it stands is not read first: whoever is alone needs one write, or two for the first time in a while.
            condition, values = "n > :floor", {":floor": floor, ":amount": amount}
            if most is not None:
                condition, values = f"{condition} AND n <= :most", {**values, ":most": most - amount}
            if (after := self._move(counter, "n = n + :amount", condition, values)) is not None:
                return after
            if most is None or floor + amount <= most:
                values = {":floor": floor, ":after": floor + amount}
                condition = "attribute_not_exists(n) OR n <= :floor"
                if (after := self._move(counter, "n = :after", condition, values)) is not None:
                    return after
            now = max(self.counted(counter), floor)
            if most is not None and now + amount > most:
                return None

    def _move(self, counter: str, change: str, condition: str, values: dict[str, int]) -> int | None:
        try:
            answer = self._client.update_item(
                TableName=self._table, Key=self._counter_key(counter), UpdateExpression=f"SET {change}",
                ConditionExpression=condition, ReturnValues="ALL_NEW",
                ExpressionAttributeValues={name: {"N": str(value)} for name, value in values.items()},
            )  # fmt: skip
        except self._client.exceptions.ConditionalCheckFailedException:
            return None
        return int(answer["Attributes"]["n"]["N"])

    def counted(self, counter: str) -> int:
        answer = self._client.get_item(
            TableName=self._table, Key=self._counter_key(counter), ConsistentRead=True
        )
        return int(answer["Item"]["n"]["N"]) if "Item" in answer else 0

    def _counter_key(self, counter: str) -> dict[str, Any]:
        return {"pk": {"S": f"{self.tenant}#n"}, "sk": {"S": counter}}

    # -- all there is ----------------------------------------------------------------------------------

    def tenants(self) -> list[str]:
        return sorted({pk.partition("#")[0] for pk, _ in self._scan()})

    def kept(self) -> Iterator[tuple[str, str]]:
        log, record = f"{self.tenant}#x#", f"{self.tenant}#r#"
        kinds: set[str] = set()
        for pk, sk in self._scan():
            if pk.startswith(log):
                # A log begins with commit 0: whatever has none is no log.
                if sk == _commit_key(0):
                    yield "log", pk.removeprefix(log)
            elif pk.startswith(record) and pk not in kinds:
                kinds.add(pk)
                yield "record", pk.removeprefix(record)

    def freeze(self) -> None:
        """A table cannot: what it was at a moment is its point-in-time recovery's business."""

    def restore_log(
        self, execution: str, commits: Sequence[Stored], payloads: Mapping[str, str], head: Head | None = None
    ) -> None:
        items = [self._payload_item(execution, digest, text) for digest, text in payloads.items()]
        items += [self._commit_item(execution, each.seq, each.digest, each.body) for each in commits]
        self._write(items)
        if head is not None:
            self.put_head(head)

    def restore_records(self, records: Sequence[Record]) -> None:
        self._write([self._record_item(each) for each in records])

    def _write(self, items: Sequence[dict[str, Any]]) -> None:
        self._write_all([{"PutRequest": {"Item": item}} for item in items])

    def _write_all(self, requests: Sequence[dict[str, Any]]) -> None:
        """Puts and deletes in as few requests as DynamoDB's limits on entries and bytes allow."""
        for first in range(0, len(requests), _WRITTEN_AT_ONCE):
            left: list[Any] = list(requests[first : first + _WRITTEN_AT_ONCE])
            while left:
                answer = self._client.batch_write_item(RequestItems={self._table: left})
                left = answer.get("UnprocessedItems", {}).get(self._table, [])

    def revision(self) -> int | None:
        return None

    def clear(self) -> None:
        for pk, sk in self._scan():
            if pk.startswith(f"{self.tenant}#"):
                self._client.delete_item(TableName=self._table, Key={"pk": {"S": pk}, "sk": {"S": sk}})

    def _scan(self) -> Iterator[tuple[str, str]]:
        """The keys of all items of the table, every tenant's."""
        start: dict[str, Any] = {}
        while True:
            page = self._client.scan(
                TableName=self._table, ProjectionExpression="pk, sk", ConsistentRead=True, **start
            )
            yield from ((item["pk"]["S"], item["sk"]["S"]) for item in page["Items"])
            if "LastEvaluatedKey" not in page:
                return
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}

    def _record(self, kind: str, item: dict[str, Any]) -> Record:
        value = json.loads(unpack_text(self._bytes(item)))
        return Record(kind, item["sk"]["S"], value, int(item["version"]["N"]))

    # -- items -----------------------------------------------------------------------------------------

    def _key(self, execution: str, sort: str) -> dict[str, Any]:
        return {"pk": {"S": f"{self.tenant}#x#{execution}"}, "sk": {"S": sort}}

    def _record_key(self, kind: str, key: str) -> dict[str, Any]:
        return {"pk": {"S": f"{self.tenant}#r#{kind}"}, "sk": {"S": key}}

    def _get(self, execution: str, sort: str) -> dict[str, Any] | None:
        answer = self._client.get_item(
            TableName=self._table, Key=self._key(execution, sort), ConsistentRead=True
        )
        return answer.get("Item")

    def _batch_get(self, execution: str, sorts: list[str]) -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = {}
        keys = [self._key(execution, sort) for sort in sorts]
        while keys:
            asked = {self._table: {"Keys": keys, "ConsistentRead": True}}
            answer = self._client.batch_get_item(RequestItems=asked)
            found.update({item["sk"]["S"]: item for item in answer["Responses"].get(self._table, [])})
            keys = answer.get("UnprocessedKeys", {}).get(self._table, {}).get("Keys", [])
        return found

    def _put_new(self, item: dict[str, Any]) -> bool:
        """Writes an item that must not be there yet: the lock of the log."""
        try:
            self._client.put_item(
                TableName=self._table, Item=item, ConditionExpression="attribute_not_exists(pk)"
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def _query(
        self, index: str | None, condition: str, values: dict[str, Any], limit: int, **options: Any
    ) -> list[Any]:
        """Up to `limit` items, over as many pages as it takes."""
        if index is not None:
            options["IndexName"] = index
        found: list[Any] = []
        while True:
            answer = self._client.query(
                TableName=self._table,
                KeyConditionExpression=condition,
                ExpressionAttributeValues=values,
                **options,
            )
            found += answer["Items"]
            if len(found) >= limit or "LastEvaluatedKey" not in answer:
                return found[:limit]
            options["ExclusiveStartKey"] = answer["LastEvaluatedKey"]


def from_url(url: str, tenant: str = "default") -> DynamoDbStore:
    """Opens `dynamodb://table?region=…&endpoint=…&bucket=…&shards=…`. Raises `StoreError` for other options."""
    table, _, query = url.removeprefix("dynamodb://").partition("?")
    options = {key: values[-1] for key, values in parse_qs(query).items()}
    region, endpoint, bucket = (
        options.pop("region", None),
        options.pop("endpoint", None),
        options.pop("bucket", None),
    )
    shards = options.pop("shards", "1")
    if options or not table:
        raise StoreError(f"'{url}': what may follow a table's name is ?region=…&endpoint=…&bucket=…&shards=…")
    if not shards.isascii() or not shards.isdigit() or not 1 <= int(shards) <= MAX_SHARDS:
        raise StoreError(
            f"'{url}': shards is a number from 1 to {MAX_SHARDS}, and stays as it was for the first execution"
        )
    settings: dict[str, Any] = {"region_name": region, "endpoint_url": endpoint}
    client = boto3.client(
        "dynamodb", config=Config(retries={"mode": "standard", "max_attempts": 8}), **settings
    )
    s3 = boto3.client("s3", **settings) if bucket is not None else None
    return DynamoDbStore(client, table, bucket=bucket, s3=s3, tenant=tenant, shards=int(shards))


def _commit_key(seq: int) -> str:
    return f"c#{seq:010d}"


def _head(item: dict[str, Any]) -> Head:
    return Head(**json.loads(item["head"]["S"]))


def _token(after: str) -> str:
    return base64.urlsafe_b64encode(f"1{after}".encode()).decode()


def _read_token(token: str) -> str:
    try:
        text = base64.urlsafe_b64decode(token.encode()).decode()
    except (ValueError, binascii.Error, UnicodeError):
        raise InvalidToken(token) from None
    if not text.startswith("1"):
        raise InvalidToken(token)
    return text[1:]

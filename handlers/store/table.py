"""The DynamoDB table as data: its keys and indexes, for the deployment, for the local cloud and for tests."""

from __future__ import annotations

from typing import Any

BY_START = "by-start"
BY_MACHINE = "by-machine"
BY_WAKE = "by-wake"


def _index(name: str, partition: str, sort: str) -> dict[str, Any]:
    return {
        "IndexName": name,
        "KeySchema": [
            {"AttributeName": partition, "KeyType": "HASH"},
            {"AttributeName": sort, "KeyType": "RANGE"},
        ],
        "Projection": {"ProjectionType": "ALL"},
    }


def table_definition(name: str) -> dict[str, Any]:
    """The parameters of CreateTable. The indexes are sparse: only heads have their attributes, and in `by-wake`
    only those of running executions."""
    attributes = {
        "pk": "S", "sk": "S", "tenant": "S", "started": "S", "machine": "S", "waking": "S", "wake_at": "N",
    }  # fmt: skip
    return {
        "TableName": name,
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [
            {"AttributeName": key, "AttributeType": kind} for key, kind in attributes.items()
        ],
        "KeySchema": [
            {"AttributeName": "pk", "KeyType": "HASH"},
            {"AttributeName": "sk", "KeyType": "RANGE"},
        ],
        "GlobalSecondaryIndexes": [
            _index(BY_START, "tenant", "started"),
            _index(BY_MACHINE, "machine", "started"),
            _index(BY_WAKE, "waking", "wake_at"),
        ],
    }


def place_of(keys: dict[str, Any]) -> tuple[str, str, int] | None:
    """Tenant, execution and seq of the commit with these keys; None for what is no commit."""
    tenant, _, rest = keys["pk"]["S"].partition("#")
    kind, _, execution = rest.partition("#")
    sort = keys["sk"]["S"]
    return (tenant, execution, int(sort[2:])) if kind == "x" and sort.startswith("c#") else None


def create_table(client: Any, name: str) -> None:
    """Makes the table, unless it is there, and waits until it can be used."""
    try:
        client.create_table(**table_definition(name))
    except client.exceptions.ResourceInUseException:
        return
    client.get_waiter("table_exists").wait(TableName=name)

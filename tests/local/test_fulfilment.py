"""The order example of the design: word for word as it stands there, its twin in Python, and every way through it with the
functions beside it, on a real ledger and moto's DynamoDB."""

from __future__ import annotations

import json
import re
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import boto3
import pytest
from stratum.local.cli.files import load_workflow
from stratum.local.testing import TestCloud

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "local" / "examples" / "fulfilment"
DESIGN = ROOT.parent / "shared" / "design.md"
INPUT = json.loads((FOLDER / "input.json").read_text())
APPROVED = ["validate", "reserve", "approve", "route"]
SHIPPED = ["settle", "wrap_up", "send", "put", "shipped"]


@pytest.mark.skipif(not DESIGN.is_file(), reason="the design page is not beside the repository")
def test_the_example_is_the_one_of_the_design_page() -> None:
    page = DESIGN.read_text().partition("## 3.")[2]
    block = re.search(r"```yaml\n(.*?)```", page, re.DOTALL)
    assert block is not None
    assert (FOLDER / "order.yaml").read_text() == block[1]


def test_its_twin_in_python_compiles_to_an_equal_document(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    yaml, python = (load_workflow(FOLDER / name) for name in ("order.yaml", "flow.py"))
    assert yaml.warnings == python.warnings == []
    assert yaml.definition == python.definition
    assert json.dumps(yaml.definition) == json.dumps(python.definition)


@pytest.fixture
def ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stratum: TestCloud) -> Any:
    """What the handlers have entered and not taken back: kinds and how many."""
    monkeypatch.setenv("STRATUM_EXAMPLE_DATA", str(tmp_path))
    boto3.client("dynamodb").create_table(
        TableName="orders",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )

    def read() -> dict[str, int]:
        with closing(sqlite3.connect(tmp_path / "fulfilment.db")) as table:
            return dict(table.execute("SELECT kind, count(*) FROM entries WHERE NOT void AND kind != 'call' GROUP BY kind").fetchall())  # fmt: skip

    return read


def order(total: int, *items: tuple[str, int], email: str | None = None) -> dict[str, Any]:
    made = {"id": "o-7", "total": total, "items": [{"sku": sku, "qty": qty} for sku, qty in items]}
    return made if email is None else {**made, "email": email}


def test_an_order_is_shipped(stratum: TestCloud, ledger: Any) -> None:
    result = stratum.run(FOLDER / "order.yaml", INPUT).succeeded()
    assert result.path == ["validate", "reserve", "route", "charge", "parcels", "label", "label", *SHIPPED]
    assert result.step("charge").errors == ["Throttled"]
    assert result.output["receipt"]["amount"] == 110
    assert result.output["parcels"] == ["PK846035", "PK394274"]
    assert result.duration.total_seconds() == 602
    assert ledger() == {"order": 1, "reservation": 1, "charge": 1, "mail": 1}
    assert boto3.client("dynamodb").scan(TableName="orders")["Items"] == [{"id": {"S": "o-1"}}]


@pytest.mark.parametrize(
    ("given", "mocks", "path", "left"),
    [
        (order(1440, ("desk", 3)), {"approve": "approve"}, [*APPROVED, "charge", "parcels", "label", *SHIPPED],
         {"order": 1, "reservation": 1, "charge": 1}),
        (order(5200, ("piano", 1), email="a@example.com"), {"approve": "approve", "manual": {"charge_id": "m", "amount": 5200}},
         [*APPROVED, "manual", "parcels", "label", *SHIPPED], {"order": 1, "reservation": 1, "mail": 1}),
    ],
)  # fmt: skip
def test_large_orders_are_looked_at(
    stratum: TestCloud, ledger: Any, given: Any, mocks: Any, path: list[str], left: Any
) -> None:
    result = stratum.run(FOLDER / "order.yaml", given, mocks=mocks).succeeded()
    assert result.path == path
    assert ledger() == left


@pytest.mark.parametrize(
    ("given", "mocks", "error", "left"),
    [
        (order(99, ("moon", 1)), {}, "Stratum.PostconditionFailed", None),
        (order(1440, ("desk", 3)), {"approve": "reject"}, "Stratum.Rejected", {"order": 1}),
        (order(45, ("lamp", 1), email="spent@example.com"), {}, "CardDeclined", {"order": 1, "mail": 1}),
        (order(10400, ("piano", 2)), {"approve": "approve", "manual": {"charge_id": "m", "amount": 10400}}, "Stratum.StepFailed", {"order": 1}),
        (order(45, ("lamp", 1)), {"dynamodb:putItem": RuntimeError("no index")}, "RuntimeError", {"order": 1}),
    ],
)  # fmt: skip
def test_what_fails_leaves_nothing_behind(
    stratum: TestCloud, ledger: Any, given: Any, mocks: Any, error: str, left: Any
) -> None:
    stratum.run(FOLDER / "order.yaml", given, mocks=mocks).failed(error)
    if left is not None:
        assert ledger() == left
    assert boto3.client("dynamodb").scan(TableName="orders")["Items"] == []

"""Nothing is lost and nothing counted twice while messages, functions and writes fail: `make chaos`."""

from __future__ import annotations

from pathlib import Path

import pytest
from chaos.faults import KINDS, Rates
from chaos.proof import prove
from moto_server import moto_table

pytestmark = pytest.mark.chaos


def test_on_sqlite(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    url = f"sqlite:///{tmp_path}/store.db?sync=normal"
    proof = prove(url, tmp_path, executions=1000, workers=4, rates=Rates(), seed=1)
    with capsys.disabled():
        print(f"\n\n{proof}")
    assert proof.wrong == []
    assert all(proof.faults[kind] for kind in KINDS)


def test_on_dynamodb(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with moto_table() as url:
        proof = prove(url, tmp_path, executions=150, workers=4, rates=Rates(), seed=2)
    with capsys.disabled():
        print(f"\n\n{proof}")
    assert proof.wrong == []
    assert all(proof.faults[kind] for kind in KINDS)


def test_a_loss_would_be_seen(tmp_path: Path) -> None:
    """The proof is one: where the way stays down for good, purchases do not end as they should."""
    rates = Rates(killed=0, outage=1_000_000, between=1_000_001)
    proof = prove(f"sqlite:///{tmp_path}/store.db", tmp_path, executions=3, workers=1, rates=rates, seed=3)
    assert len(proof.wrong) == 3

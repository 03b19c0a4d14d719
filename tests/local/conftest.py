"""One `stratum up` for all tests that can share it, where each names what it makes after itself; and one in this process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from agents import Here
from endpoint import Everything
from notes_project import write_project
from up import Up


@pytest.fixture(scope="session")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    folder = tmp_path_factory.mktemp("up")
    (folder / "shop.py").write_text("def charge(event, context):\n    return {'charged': event['sum']}\n")
    started = Up("--data", str(folder / "data"), "--functions", str(folder))
    yield started
    started.stop()


@pytest.fixture(scope="module")
def _everything() -> Iterator[Everything]:
    made = Everything()
    yield made
    made.close()


@pytest.fixture
def everything(_everything: Everything) -> Everything:
    """All of AWS in this process, with nothing in it."""
    return _everything.fresh()


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Here]:
    """The notes project, with an MCP host in this process."""
    made = Here(write_project(tmp_path / "project"))
    yield made
    made.close()

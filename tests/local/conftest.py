"""One `stratum up` for all tests that can share it, where each names what it makes after itself; and one in this process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from agents import Here
from console_world import World
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


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """The console's world, where commands find its store by themselves."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STRATUM_STORE", f"sqlite:///{tmp_path}/store.db")
    made = World(f"sqlite:///{tmp_path}/store.db?sync=normal")
    with made.cloud:
        yield made

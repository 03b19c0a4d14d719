"""One `stratum up` for all tests that can share it, where each names what it makes after itself; and one in this process."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from endpoint import Everything
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

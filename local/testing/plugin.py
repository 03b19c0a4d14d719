"""What pytest loads: the `stratum` fixture. Nothing else of the kit is imported before a test asks for it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .session import Stratum


@pytest.fixture
def stratum(request: pytest.FixtureRequest) -> Iterator[Stratum]:
    """A cloud of its own for this test, in this process and on a virtual clock: `stratum.run("order.yaml", input)`."""
    from .session import Stratum

    folders = [request.path.parent, request.config.rootpath, request.config.invocation_params.dir]
    with Stratum(list(dict.fromkeys(folders)), test=request.node.nodeid) as cloud:
        yield cloud

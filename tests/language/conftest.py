"""Every run of the language's tests is made twice: in one go, and by processes that die after every commit."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
from runs import Ran


@pytest.fixture(params=[False, True], ids=["in one go", "restarts"])
def run(request: pytest.FixtureRequest) -> Callable[..., Ran]:
    return partial(Ran, restarts=request.param)

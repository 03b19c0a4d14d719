"""boto3's client for Step Functions on a cloud of its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from endpoint import Endpoint


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    made = Endpoint(functions={"double": lambda event, context: event * 2, "fail": fail})
    yield made
    made.close()


def fail(event: Any, context: Any) -> Any:
    raise ValueError(f"no {event}")


@pytest.fixture
def sfn(endpoint: Endpoint) -> Any:
    return endpoint.client()

"""Definitions run to their end in this process, for tests that read the log afterwards."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from stratum.handlers.store import Commit
from stratum.local.clock import VirtualClock
from stratum.local.cloud import ROLE, LocalCloud
from stratum.local.functions import InProcessFunctions
from stratum.local.stores import open_store

Functions = Mapping[str, Callable[[Any, Any], Any]]


def commits_of(
    definition: Mapping[str, Any], input: Any = None, functions: Functions | None = None
) -> list[Commit]:
    """The log of one execution, under a virtual clock."""
    made = InProcessFunctions(functions or {})
    with LocalCloud(open_store("sqlite:///:memory:"), made, clock=VirtualClock(), workers=0) as cloud:
        machine = cloud.call("CreateStateMachine", name="m", definition=json.dumps(definition), roleArn=ROLE)
        started = cloud.call(
            "StartExecution", stateMachineArn=machine["stateMachineArn"], input=json.dumps(input)
        )
        cloud.wait(started["executionArn"], timeout=30)
        return cloud.store.commits(started["executionArn"])

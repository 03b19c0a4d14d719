"""Which versions executions are still on."""

from __future__ import annotations

from collections import Counter

from ..store import Store
from .publishing import versions

UNPUBLISHED = "unpublished"
"""Executions of a definition that was run without being published."""


def running(store: Store, workflow: str, machine: str) -> Counter[str]:
    """How many executions of the state machine run on each version."""
    numbers = {each.arn: each.version for each in versions(store, workflow)}
    by_definition = {each.definition: each.version for each in versions(store, workflow)}
    found: Counter[str] = Counter()
    token = None
    while True:
        page = store.heads(state_machine=machine, status="RUNNING", limit=500, token=token)
        for head in page.items:
            number = numbers.get(head.fields.get("version", "")) or by_definition.get(head.definition)
            found[number or UNPUBLISHED] += 1
        token = page.token
        if token is None:
            return found

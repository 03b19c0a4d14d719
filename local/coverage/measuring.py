"""What the tests of a session take, into a record."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ..testing.observers import Observed, observe
from .files import seen_from
from .record import Record


def measure(record: Record, root: Path) -> Callable[[], None]:
    """From now on adds every execution that a test's cloud has run; what this answers ends it.

    Files are called as seen from `root`.
    """

    def observed(execution: Observed) -> None:
        file = seen_from(root, execution.file) if execution.file is not None else None
        # A child of a distributed map runs on a state machine of its own, called after that of the map.
        name = execution.execution.split(":")[6].partition("/")[0]
        workflow = record.offer(name, execution.definition, execution.source_map, file)
        record.add(workflow, execution.events, execution.ways, part=execution.parent is not None)

    return observe(observed)

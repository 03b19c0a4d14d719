"""Coverage of workflows: what a definition offers to be taken, what executions have taken of it, and what is missing.

    parts = parts_of_spec(source_map)          # or parts_of_definition(definition)
    taken = Taken(violations_of(source_map))
    taken.execution().feed(events, ways)       # of each commit; again for each execution
    Coverage("orders", parts, taken.hits).percent

- `parts`: the parts of a workflow: by step for a spec, by state for plain Amazon States Language.
- `taken`: what histories have taken; counted, merged, in JSON and back.
- `numbers`: how much that is, by kind of part, and what is missing.

The history's events tell which states were entered. Which rule, retrier or catcher was taken is in the `ways` that
the engine notes beside them (`engine.ways`): where two rules lead to one state, no AWS event tells them apart.
"""

from .numbers import Coverage, share, shown, total
from .parts import COUNTED, KINDS, Part, parts_of_definition, parts_of_spec, violations_of
from .taken import Taken, times

__all__ = [
    "COUNTED",
    "KINDS",
    "Coverage",
    "Part",
    "Taken",
    "parts_of_definition",
    "parts_of_spec",
    "share",
    "shown",
    "times",
    "total",
    "violations_of",
]

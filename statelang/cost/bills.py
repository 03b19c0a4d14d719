"""Dollars for so many executions, on AWS Step Functions and on our own handlers.

Each bill is a list of items: an amount of something at a price; what a month has free is told apart and taken off
only where it is asked for.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from .counts import Counts
from .prices import Prices, Tiers

_CHUNK_MB = 64
_BASE_MB = 50
_STEP_MS = 100


@dataclass(frozen=True, slots=True)
class Item:
    """`amount` of `what`, in `unit`, comes to `dollars`; `free` of it would cost nothing, which is `saved` dollars."""

    what: str
    amount: float
    unit: str
    dollars: float
    free: float = 0
    saved: float = 0


@dataclass(frozen=True, slots=True)
class Bill:
    """`name` says of what. `formula` says how the items are come to."""

    name: str
    formula: str
    items: tuple[Item, ...]

    @property
    def dollars(self) -> float:
        """What it comes to without anything free."""
        return sum(item.dollars for item in self.items)

    @property
    def after_free(self) -> float:
        """What it comes to for somebody who uses what a month has free for nothing else."""
        return max(0.0, self.dollars - sum(item.saved for item in self.items))


def _item(prices: Prices, what: str, amount: float, unit: str, price: str, free: str = "") -> Item:
    given = min(amount, prices.free.get(free, 0.0)) if free else 0.0
    return Item(what, amount, unit, amount * prices[price], given, given * prices[price])


# -- AWS Step Functions ------------------------------------------------------------------------------------


def standard(prices: Prices, counts: Counts, executions: float = 1) -> Bill:
    """A Standard workflow; the Express children of its distributed maps are billed as those."""
    items = [_item(prices, "state transitions", counts.transitions * executions, "", "standard_transition", "standard_transitions")]  # fmt: skip
    formula = "states entered + retries + children of distributed maps + redrives, each a transition"
    if counts.express_children:
        each = express(prices, counts.express_seconds / counts.express_children, _CHUNK_MB, counts.express_children * executions)  # fmt: skip
        items += [replace(item, what=f"Express children, {item.what}") for item in each.items]
        formula += "; Express children by requests and duration"
    return Bill("AWS Step Functions, Standard", formula, tuple(items))


def express_memory(definition_bytes: int, data_bytes: int, steps: float) -> int:
    """Billed MB of an Express execution: 50 MB, the definition, and its data for each Parallel or Map state that it
    runs, in chunks of 64 MB, as the pricing page's examples have it."""
    used = _BASE_MB + (definition_bytes + data_bytes * max(steps, 1)) / 1024**2
    return max(_CHUNK_MB, math.ceil(used / _CHUNK_MB) * _CHUNK_MB)


def express(
    prices: Prices, seconds: float, memory_mb: int, executions: float = 1, requests: float = 1
) -> Bill:
    """An Express workflow that takes so many seconds: rounded up to 100 ms, at its billed memory."""
    billed = max(_STEP_MS, math.ceil(round(seconds * 1000, 6) / _STEP_MS) * _STEP_MS) / 1000
    gb_hours = billed * memory_mb / 1024 / 3600 * executions
    items = (
        _item(prices, "requests", requests * executions, "", "express_request"),
        Item("duration", gb_hours * 3600, "GB-s", _by_tier(prices.express_gb_hour, gb_hours)),
    )
    return Bill(
        "AWS Step Functions, Express",
        f"requests + {billed:g} s (rounded up to 100 ms) x {memory_mb} MB (chunks of 64)",
        items,
    )


def _by_tier(tiers: Tiers, amount: float) -> float:
    total = start = 0.0
    for end, price in tiers:
        if amount <= start:
            break
        total += (min(amount, end) - start) * price
        start = end
    return total


# -- our own handlers --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Usage:
    """What one execution uses of our own deployment, its functions' own time and price left out.

    `invocations` and `gb_seconds` of our handlers, `writes` and `reads` in DynamoDB's request units, `requests` of SQS,
    `bytes` kept.
    """

    invocations: float
    gb_seconds: float
    writes: float
    reads: float
    requests: float
    bytes: float


def handlers(prices: Prices, usage: Usage, executions: float = 1) -> Bill:
    """Our own handlers on Lambda, DynamoDB (on demand) and SQS."""
    kept = usage.bytes / 1024**3 * prices.handlers["kept_months"]
    items = (
        _item(prices, "Lambda requests", usage.invocations * executions, "", "lambda_request", "lambda_requests"),
        _item(prices, "Lambda duration", usage.gb_seconds * executions, "GB-s", "lambda_gb_second", "lambda_gb_seconds"),
        _item(prices, "DynamoDB writes", usage.writes * executions, "WRU", "dynamodb_write"),
        _item(prices, "DynamoDB reads", usage.reads * executions, "RRU", "dynamodb_read"),
        _item(prices, "DynamoDB storage", kept * executions, "GB-months", "dynamodb_gb_month", "dynamodb_gb_months"),
        _item(prices, "SQS requests", usage.requests * executions, "", "sqs_request", "sqs_requests"),
    )  # fmt: skip
    formula = (
        f"handlers of {prices.handlers['memory_mb']:g} MB, a commit for each result, every message in a batch of its own,"
        f" {prices.handlers['cold_share']:.0%} of the loads cold, kept for {prices.handlers['kept_months']:g} month(s)"
    )
    return Bill("Stratum's handlers", formula, items)


def estimated_usage(prices: Prices, counts: Counts) -> Usage:
    """The usage that follows from counts alone: a commit to begin with, one for the result of each task and for
    each wait, of a size that is assumed; as many heads as the handlers write."""
    commits = 1 + counts.tasks + counts.waits + counts.children
    size = prices.handlers["commit_bytes"]
    writes = commits * math.ceil(size / 1024)
    return _usage(prices, counts, commits, writes, commits * size)


def logged_usage(
    prices: Prices, counts: Counts, commits: Sequence[int], payloads: Sequence[int] = ()
) -> Usage:
    """The usage of an execution out of its log: the sizes in bytes of its commits, and of what they refer to."""
    sizes = [*commits, *payloads]
    return _usage(prices, counts, len(commits), sum(math.ceil(size / 1024) for size in sizes), sum(sizes))


def _usage(prices: Prices, counts: Counts, commits: float, writes: float, size: float) -> Usage:
    """A task is a message there and a message back: each is sent, received and deleted. A wait is one message. The
    tasks handler waits for the function, so that it runs as long as the task does. A head is an item and its copies in
    three indexes, written at the start, at the end, and every eighth commit at the least. A cold load reads the head
    and on average half of the log.
    """
    assumed = prices.handlers
    advances = max(0.0, commits - 1)
    heads = 2 + max(0.0, commits - 2) // 8
    milliseconds = (
        assumed["front_door_ms"] + advances * assumed["advance_ms"] + counts.tasks * assumed["tasks_ms"]
    )
    log_reads = math.ceil(size / 4096) / 2 + 0.5
    return Usage(
        invocations=1 + advances + counts.tasks,
        gb_seconds=(milliseconds / 1000 + counts.task_seconds) * assumed["memory_mb"] / 1024,
        writes=writes + heads * _HEAD_WRITES,
        reads=assumed["cold_share"] * advances * (1 + log_reads),
        requests=6 * (counts.tasks + counts.children) + 3 * counts.waits,
        bytes=size + _HEAD_WRITES * _HEAD_BYTES,
    )


_HEAD_WRITES = 4
"""Request units of a head: the item, and its copies in three indexes."""
_HEAD_BYTES = 800

"""Published versions and aliases: immutable, checked against their contracts, shifted by time, approved by others."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from stratum.handlers.identity import Identity
from stratum.handlers.versions import publishing, routing
from stratum.handlers.versions.running import running
from stratum.handlers.workflows import check, workflow_of
from stratum.local.clock import VirtualClock
from stratum.local.cloud import LocalCloud
from stratum.local.functions import InProcessFunctions
from stratum.local.stores import open_store

ADA, BOB = Identity("ada", "cli"), Identity("bob", "cli")
SPEC = """
stratum: "1"
workflow: w
version: {version}
input: {input}
output: {{n: integer}}
steps:
  - {{id: a, set: {{n: {n}}}}}
  - {{id: rest, wait: 1h}}
result: {{n: "{{% $a.n %}}"}}
"""


@pytest.fixture
def cloud() -> Iterator[LocalCloud]:
    with LocalCloud(
        open_store("sqlite:///:memory:"), InProcessFunctions({}), clock=VirtualClock(), workers=0
    ) as made:
        yield made


def publish(
    cloud: LocalCloud, version: str, n: int = 1, input: str = "{x: integer}", **more: Any
) -> publishing.Published:
    text = SPEC.format(version=version, n=n, input=input)
    made, _ = publishing.publish(
        cloud.runtime, "default", workflow_of(check(text.encode(), "w.yaml")), version, ADA, **more
    )
    return made


def test_a_published_version_never_changes(cloud: LocalCloud) -> None:
    first = publish(cloud, "1.0.0")
    assert publish(cloud, "1.0.0") == first
    with pytest.raises(publishing.PublishRefused, match="definition of another content"):
        publish(cloud, "1.0.0", n=2)
    kept = publish(cloud, "1.1.0", n=2, code="aa")
    with pytest.raises(publishing.PublishRefused, match="handlers of another content"):
        publish(cloud, "1.1.0", n=2, code="bb")
    assert [each.version for each in publishing.versions(cloud.store, "w")] == ["1.0.0", "1.1.0"]
    assert kept.arn != first.arn


def test_a_break_must_be_a_major_version(cloud: LocalCloud) -> None:
    publish(cloud, "1.0.0")
    with pytest.raises(publishing.PublishRefused) as refused:
        publish(cloud, "1.1.0", input="{x: integer, y: string}")
    assert "`input.y` must be given now (string)" in str(refused.value)
    assert "publish it as 2.0.0" in str(refused.value)
    publish(cloud, "1.1.0", input="{x: number, y: optional string}")
    publish(cloud, "2.0.0", input="{x: string}")
    # Measured by the version before it in number, not in time.
    publish(cloud, "1.2.0", input="any", n=7)


def start(cloud: LocalCloud, alias: routing.Alias, name: str) -> str:
    return cloud.call("StartExecution", stateMachineArn=alias.arn, name=name, input='{"x": 1}')[
        "executionArn"
    ]


def versions_drawn(cloud: LocalCloud, alias: routing.Alias, count: int, prefix: str) -> Counter[str]:
    numbers = publishing.by_arn(cloud.store, "w")
    drawn: Counter[str] = Counter()
    for index in range(count):
        head = cloud.store.head(start(cloud, alias, f"{prefix}{index}"))
        assert head is not None
        drawn[numbers[head.fields["version"]].version] += 1
    return drawn


def test_executions_stay_with_the_version_that_they_began_with(cloud: LocalCloud) -> None:
    publish(cloud, "1.0.0", n=1)
    publish(cloud, "1.1.0", n=2)
    prod = routing.move(cloud.runtime, "default", "w", "prod", "1.0.0", ADA)
    old = start(cloud, prod, "old")
    routing.move(cloud.runtime, "default", "w", "prod", "1.1.0", ADA)
    new = start(cloud, prod, "new")
    machine = prod.arn.rpartition(":")[0]
    assert running(cloud.store, "w", machine) == {"1.0.0": 1, "1.1.0": 1}
    cloud.drain()
    outputs = [json.loads(cloud.runtime.executions().load(each).snapshot["output"]) for each in (old, new)]
    assert outputs == [{"n": 1}, {"n": 2}]
    assert running(cloud.store, "w", machine) == {}


def test_traffic_goes_over_little_by_little(cloud: LocalCloud) -> None:
    publish(cloud, "1.0.0")
    publish(cloud, "1.1.0", n=2)
    routing.move(cloud.runtime, "default", "w", "prod", "1.0.0", ADA)
    shift = routing.Shift(20, every=60_000)
    prod = routing.move(cloud.runtime, "default", "w", "prod", "1.1.0", ADA, shift=shift)
    assert prod.routing == {"1.1.0": 20, "1.0.0": 80}
    clock = cloud.clock
    assert isinstance(clock, VirtualClock)
    seen = []
    for _ in range(5):
        described = cloud.call("DescribeStateMachineAlias", stateMachineAliasArn=prod.arn)
        seen.append([entry["weight"] for entry in described["routingConfiguration"]])
        clock.advance_to(clock() + 60_000)
    assert seen == [[20, 80], [40, 60], [60, 40], [80, 20], [100]]
    assert versions_drawn(cloud, prod, 20, "all") == {"1.1.0": 20}


def test_a_canary_stays_at_its_weight(cloud: LocalCloud) -> None:
    publish(cloud, "1.0.0")
    publish(cloud, "1.1.0", n=2)
    routing.move(cloud.runtime, "default", "w", "prod", "1.0.0", ADA)
    prod = routing.move(cloud.runtime, "default", "w", "prod", "1.1.0", ADA, shift=routing.Shift(30))
    drawn = versions_drawn(cloud, prod, 200, "c")
    assert 25 < drawn["1.1.0"] < 100
    cloud.clock.advance_to(cloud.clock() + 10**9)  # pyright: ignore[reportAttributeAccessIssue]
    assert routing.describe(cloud.runtime, "default", "w", "prod").routing == {"1.1.0": 30, "1.0.0": 70}  # pyright: ignore[reportOptionalMemberAccess]


def test_a_rollback_goes_to_the_version_before(cloud: LocalCloud) -> None:
    for version in ("1.0.0", "1.1.0", "1.2.0"):
        publish(cloud, version, n=int(version[2]))
        prod = routing.move(cloud.runtime, "default", "w", "prod", version, ADA)
    assert prod.routing == {"1.2.0": 100}
    prod = routing.rollback(cloud.runtime, "default", "w", "prod", BOB, "it is slow")
    assert prod.routing == {"1.1.0": 100}
    assert (prod.moves[-1]["by"]["user"], prod.moves[-1]["reason"], prod.moves[-1]["how"]) == (
        "bob",
        "it is slow",
        "rolled back",
    )
    assert routing.rollback(cloud.runtime, "default", "w", "prod", BOB, "still").routing == {"1.0.0": 100}
    with pytest.raises(routing.MoveRefused, match="led to nothing before"):
        routing.rollback(cloud.runtime, "default", "w", "prod", BOB, "more")
    routing.move(cloud.runtime, "default", "w", "prod", "1.2.0", ADA, shift=routing.Shift(10, every=60_000))
    assert routing.rollback(cloud.runtime, "default", "w", "prod", BOB, "canary died").routing == {
        "1.0.0": 100
    }


def test_a_protected_alias_is_moved_by_two_people(cloud: LocalCloud) -> None:
    publish(cloud, "1.0.0")
    publish(cloud, "1.1.0", n=2)
    routing.move(cloud.runtime, "default", "w", "prod", "1.0.0", ADA)
    routing.protect(cloud.runtime, "default", "w", "prod", True, ADA)
    waiting = routing.move(cloud.runtime, "default", "w", "prod", "1.1.0", BOB, reason="faster")
    assert waiting.routing == {"1.0.0": 100}
    assert waiting.pending is not None
    for who, why in (
        (BOB, "bob asked for this move"),
        (ADA, "ada published this version"),
        (Identity("eve", "mcp", agent="claude"), "an agent approves no move"),
        (Identity(None, "cli"), "somebody else"),
    ):
        with pytest.raises(routing.MoveRefused, match=why):
            routing.approve(cloud.runtime, "default", "w", "prod", who)
    moved = routing.approve(cloud.runtime, "default", "w", "prod", Identity("cleo", "cli"))
    assert (moved.routing, moved.pending) == ({"1.1.0": 100}, None)
    assert moved.moves[-1]["approved"]["by"]["user"] == "cleo"
    with pytest.raises(routing.MoveRefused, match="no move"):
        routing.approve(cloud.runtime, "default", "w", "prod", Identity("cleo", "cli"))
    # Back is always allowed: an outage does not wait for a second person.
    assert routing.rollback(cloud.runtime, "default", "w", "prod", BOB, "outage").routing == {"1.0.0": 100}


def test_what_is_not_there_is_told(cloud: LocalCloud) -> None:
    with pytest.raises(publishing.NoSuchVersion, match="nothing is published"):
        routing.move(cloud.runtime, "default", "w", "prod", "1.0.0", ADA)
    publish(cloud, "1.0.0")
    with pytest.raises(publishing.NoSuchVersion, match=r"it has 1\.0\.0"):
        routing.move(cloud.runtime, "default", "w", "prod", "2.0.0", ADA)
    with pytest.raises(routing.MoveRefused):
        routing.move(cloud.runtime, "default", "w", "pr od", "1.0.0", ADA)

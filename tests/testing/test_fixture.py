"""The `stratum` fixture: workflows run in this process, on a virtual clock, with mocks and functions."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from machines import RETRY, call, callback, machine, wait
from stratum.local.testing import (
    SetupError,
    TaskError,
    TestCloud,
    after,
    iterations,
    never,
    observe,
    sequence,
)

EXAMPLES = Path(__file__).resolve().parents[2] / "local" / "examples"
ORDERS = EXAMPLES / "orders" / "orders.yaml"
ORDER = {
    "id": "o-1", "customer": "ada@example.com", "card": "4111", "items": [{"sku": "lamp", "qty": 1}], "total": 40,
}  # fmt: skip
MOCKS: dict[str, Any] = {
    "validate": {"ok": True, "errors": []},
    "reserve": {"id": "r-1", "items": 1},
    "charge": {"charge_id": "c-1", "amount": 40},
    "ship": {"tracking": "AB123456", "carrier": "post"},
    "notify": None,
}


class GatewayBusy(Exception):
    pass


class CardDeclined(Exception):
    pass


def test_a_spec_is_told_by_its_steps(stratum: TestCloud) -> None:
    result = stratum.run(
        ORDERS, ORDER, mocks={**MOCKS, "charge": sequence(GatewayBusy("busy"), MOCKS["charge"])}
    )
    assert result.status == "SUCCEEDED"
    assert result.path == ["validate", "reserve", "charge", "cool_down", "ship", "notify", "done"]
    assert result.output == {
        "order": "o-1",
        "receipt": MOCKS["charge"],
        "tracking": "AB123456",
        "gift": False,
    }
    assert result.step("charge").attempts == 2
    assert result.step("charge").errors == ["GatewayBusy"]
    assert result.step("charge").input == {"order": "o-1", "card": "4111", "amount": 40}
    assert result.step("charge").status == "SUCCEEDED"
    assert not result.step("gift").ran
    assert result.duration == timedelta(seconds=2)


def test_an_error_leads_where_the_spec_says(stratum: TestCloud) -> None:
    mocks = {**MOCKS, "charge": CardDeclined, "release": None, "tell_declined": None}
    del mocks["ship"], mocks["notify"]
    result = stratum.run(ORDERS, ORDER, mocks=mocks, all_mocks_used=True)
    assert (result.status, result.error) == ("FAILED", "CardDeclined")
    assert result.path == ["validate", "reserve", "charge", "release", "tell_declined", "declined"]
    assert result.step("charge").status == "CAUGHT"


def test_asl_with_functions_given_by_the_test(stratum: TestCloud) -> None:
    seen: list[Any] = []

    def double(event: Any, context: Any) -> Any:
        seen.append(event)
        if len(seen) < 3:
            raise GatewayBusy("not yet")
        return event["n"] * 2

    definition = machine(Double=call("double", Retry=RETRY), Wait=wait(30 * 86400))
    result = stratum.run(definition, {"n": 21}, tasks={"double": double})
    assert result.output == 42
    assert len(seen) == 3
    assert result.step("Double").attempts == 3
    assert result.duration == timedelta(days=30, hours=2)


def test_iterations_have_mocks_of_their_own(stratum: TestCloud) -> None:
    processor = machine(Inner=call("f", Retry=RETRY))
    definition = machine(Each={"Type": "Map", "ItemProcessor": processor})
    result = stratum.run(
        definition, [1, 2, 3], mocks={"Inner": iterations("a", sequence(GatewayBusy(), "b"), then="c")}
    )
    assert result.output == ["a", "b", "c"]
    assert result.path == ["Each", "Inner", "Inner", "Inner"]
    assert [visit.attempts for visit in result.step("Inner").visits] == [1, 2, 1]


def test_a_callback_is_answered_late_or_never(stratum: TestCloud) -> None:
    definition = machine(Ask=callback(HeartbeatSeconds=60))
    result = stratum.run(definition, mocks={"Ask": after("1h", {"ok": True}, heartbeat=50)})
    assert result.output == {"ok": True}
    assert result.duration == timedelta(hours=1)
    assert stratum.run(definition, mocks={"Ask": never}).error == "States.Timeout"
    assert stratum.run(definition, mocks={"Ask": TaskError("No", "why")}).cause == "why"


def test_step_by_step(stratum: TestCloud) -> None:
    tokens: list[str] = []
    definition = machine(Ask=callback(HeartbeatSeconds=60), Then=wait(10))
    execution = stratum.start(definition, tasks={"ask": lambda event, context: tokens.append(event["token"])})
    assert [(each.state, each.token) for each in execution.waiting] == [("Ask", tokens[0])]
    execution.advance(50)
    execution.send_task_heartbeat()
    assert execution.advance(50).status == "RUNNING"
    assert execution.send_task_success({"yes": 1}).status == "RUNNING"
    assert execution.advance("10s").output == {"yes": 1}


def test_wrong_names_are_errors_of_the_test(stratum: TestCloud) -> None:
    for mocks, told in (
        ({"chrge": 1}, "did you mean 'charge'"),
        ({"cool_down": 1}, "a Wait state"),
        ({"charge": [GatewayBusy(), 1]}, "sequence("),
        ({"charge": object()}, "cannot be JSON"),
    ):
        with pytest.raises(SetupError, match="mock") as error:
            stratum.run(ORDERS, ORDER, mocks=mocks)
        assert told in str(error.value)
    with pytest.raises(SetupError, match=r"did you mean .*orders\.yaml"):
        stratum.run(ORDERS.with_name("ordrs.yaml"))
    with pytest.raises(SetupError, match="never used: tell_declined"):
        stratum.run(ORDERS, ORDER, mocks={**MOCKS, "tell_declined": None}, all_mocks_used=True)
    with pytest.raises(SetupError, match="calls the Lambda function 'nobody'"):
        stratum.run(
            machine(
                A=call("nobody", Catch=[{"ErrorEquals": ["States.ALL"], "Next": "B"}]), B={"Type": "Pass"}
            )
        )
    with pytest.raises(SetupError, match="this is try 3"):
        stratum.run(machine(A=call("f", Retry=RETRY)), mocks={"A": sequence(GatewayBusy(), GatewayBusy())})


def test_observers_are_told_of_every_execution() -> None:
    told: list[Any] = []
    forget = observe(told.append)
    try:
        with TestCloud(test="t") as stratum:
            stratum.run(ORDERS, ORDER, mocks=MOCKS)
            stratum.start(machine(W=wait(5)))
    finally:
        forget()
    assert [(each.state_machine, each.status) for each in told] == [
        ("orders", "SUCCEEDED"),
        ("workflow", "RUNNING"),
    ]
    assert told[0].source_map["workflow"] == "orders"
    assert told[0].file == str(ORDERS)
    assert told[0].events[-1]["type"] == "ExecutionSucceeded"


def test_what_it_costs(stratum: TestCloud) -> None:
    cost = stratum.run(ORDERS, ORDER, mocks=MOCKS).cost
    assert cost.counts.transitions > len(MOCKS)
    assert [bill.dollars > 0 for bill in cost.bills] == [True, True, True]


def test_one_definition_as_standard_and_as_express(stratum: TestCloud) -> None:
    definition = machine(W=wait(200))
    assert ":execution:" in stratum.run(definition).succeeded().execution
    assert ":express:" in stratum.run(definition, express=True).succeeded().execution
    assert ":execution:" in stratum.run(definition).succeeded().execution


def test_names_that_arns_cannot_hold(stratum: TestCloud, tmp_path: Path) -> None:
    path = tmp_path / "björk's flow.asl.json"
    path.write_text(json.dumps(machine(A={"Type": "Pass"})))
    stratum.run(path).succeeded()
    stratum.run(machine(A={"Type": "Pass"}), state_machine="mein Ablauf ✓ " * 20).succeeded()


@pytest.mark.stratum(now="2026-03-01T09:00:00+01:00")
def test_the_time_at_which_it_begins(stratum: TestCloud) -> None:
    until = {"Type": "Wait", "Timestamp": "2026-03-01T10:00:00Z"}
    result = stratum.run(machine(W=until)).succeeded()
    assert result.duration == timedelta(hours=2)
    for wrong in ("2026-03-01", "soon"):
        with pytest.raises(SetupError, match="timestamp"):
            TestCloud(now=wrong)


def test_inputs_that_are_no_json(stratum: TestCloud) -> None:
    for wrong in ({1, 2}, {"x": float("nan")}, object()):
        with pytest.raises(SetupError, match="input"):
            stratum.run(machine(A={"Type": "Pass"}), wrong)
    wrong_workflows: list[Any] = [
        {"nothing": 1},
        7,
        "",
        "{",
        "{}",
        None,
        [],
        {"Resources": 3},
        "a\nb",
        "x" * 5000,
        "\0",
    ]
    for wrong in wrong_workflows:
        with pytest.raises(SetupError):
            stratum.run(wrong)

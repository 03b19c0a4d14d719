"""`@task`: one function, called by Lambda and by Python."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import Annotated, Any, TypedDict

import pytest
from pydantic import BaseModel, Field
from stratum import AnnotationError, ContractViolated, NoIdempotencyKey, TaskContext, task
from stratum.handlers.functions import Invocation
from stratum.local.functions import InProcessFunctions


class CardDeclined(Exception):
    pass


@dataclass
class Receipt:
    charge_id: str
    amount: float


class Order(BaseModel):
    id: str
    total: Annotated[float, Field(ge=0)]


@task(retry={"never": [CardDeclined]})
def charge(order: str, amount: float, context: TaskContext, currency: str = "EUR") -> Receipt:
    """Charges a card."""
    if amount > 100:
        raise CardDeclined("too much")
    return Receipt(f"{context.idempotency_key}/{order}/{currency}", amount)


@task
def total(event: list[Order]) -> float:
    return sum(each.total for each in event)


@task(name="shop.later")
async def later(order: Order) -> str:
    await asyncio.sleep(0)
    return order.id


@task
def untyped(event, context):
    return {"got": event, "step": context.step, "name": context.function_name}


@task
def rest(first: int, **others: Any) -> dict[str, Any]:
    return {"first": first, **others}


def invoke(handler: Any, payload: Any, **client: Any) -> tuple[Any, str | None]:
    """What Lambda answers, in our own runtime."""
    functions = InProcessFunctions({"the-handler": handler})
    context = {"idempotency_key": "k", "execution": "arn", "step": "s", "attempt": 2, **client}
    done = functions.invoke(Invocation("the-handler", json.dumps(payload), "r-1", context))
    return json.loads(done.payload), done.function_error


def test_lambda_calls_it_with_json_and_gets_json() -> None:
    assert invoke(charge, {"order": "o-1", "amount": 3}) == ({"charge_id": "k/o-1/EUR", "amount": 3.0}, None)
    assert invoke(total, [{"id": "a", "total": 1}, {"id": "b", "total": 2.5}]) == (3.5, None)
    assert invoke(later, {"order": {"id": "a", "total": 1}}) == ("a", None)
    assert invoke(untyped, {"x": 1}) == ({"got": {"x": 1}, "step": "s", "name": "the-handler"}, None)
    assert invoke(rest, {"first": 1, "more": [2]}) == ({"first": 1, "more": [2]}, None)


def test_it_is_still_the_function_that_it_was() -> None:
    assert charge("o-1", 3, TaskContext(idempotency_key="t")) == Receipt("t/o-1/EUR", 3)
    assert (
        charge(order="o-1", amount=3, context=TaskContext(idempotency_key="t"), currency="USD").charge_id
        == "t/o-1/USD"
    )
    assert total([Order(id="a", total=2)]) == 2
    assert asyncio.run(later(Order(id="x", total=0))) == "x"
    assert (charge.__name__, charge.__doc__) == ("charge", "Charges a card.")
    assert repr(later) == "<task shop.later>"
    assert charge.name == f"{__name__}.charge"


@pytest.mark.parametrize(
    ("handler", "payload", "error", "told"),
    [
        (charge, {"order": "o-1"}, "Stratum.ContractViolated", "$.amount: is missing"),
        (charge, {"order": 1, "amount": "3"}, "Stratum.ContractViolated", "$.order: expected string, got number; $.amount: expected number, got string"),
        (charge, "o-1", "Stratum.ContractViolated", "the event of"),
        (charge, {"order": "o-1", "amount": 300}, "CardDeclined", "too much"),
        (total, [{"id": "a", "total": -1}], "Stratum.ContractViolated", "$[0].total: expected number (minimum 0), got number"),
        (later, {"order": {}}, "Stratum.ContractViolated", "the event of shop.later: $.order.id: is missing; $.order.total: is missing"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_an_event_is_an_error_by_name(
    handler: Any, payload: Any, error: str, told: str
) -> None:
    answer, failed = invoke(handler, payload)
    assert failed == "Unhandled"
    assert answer["errorType"] == error
    assert told in answer["errorMessage"]


def test_an_answer_that_breaks_its_contract_is_an_error() -> None:
    @task
    def wrong(how: str) -> Receipt:
        return {"none": None, "part": {"charge_id": "c"}, "type": Receipt("c", "3")}[how]  # pyright: ignore[reportReturnType, reportArgumentType]

    for how, told in (("none", "$: expected Receipt, got null"), ("part", "$.amount: is missing"), ("type", "$.amount: expected number, got string")):  # fmt: skip
        answer, _ = invoke(wrong, {"how": how})
        assert answer["errorType"] == "Stratum.ContractViolated"
        assert told in answer["errorMessage"]
        assert "the result of" in answer["errorMessage"]


def test_classes_of_a_function_are_found_where_it_was_decorated() -> None:
    class Local(TypedDict):
        n: int

    @task
    def inner(event: Local) -> Local:
        return {"n": event["n"] + 1}

    assert invoke(inner, {"n": 1}) == ({"n": 2}, None)


def test_a_context_tells_of_its_call() -> None:
    context = TaskContext()
    with pytest.raises(NoIdempotencyKey, match="TaskContext"):
        _ = context.idempotency_key
    with pytest.raises(AttributeError):
        _ = context.aws_request_id
    assert (
        charge.handler({"order": "o", "amount": 1}, TaskContext(idempotency_key="k"))["charge_id"]
        == "k/o/EUR"
    )
    with pytest.raises(ContractViolated):
        charge.handler({})


def test_what_cannot_be_a_handler_is_refused() -> None:
    @task
    def both(event: int, more: int) -> None: ...

    @task
    def listed(*values: int) -> None: ...

    @task
    def unknown(value: Nowhere) -> None: ...  # noqa: F821  # pyright: ignore[reportUndefinedVariable]

    @task
    def odd(value: CardDeclined) -> None: ...

    for handler, told in (
        (both, "`event` is the whole event, so that nothing is left for `more`"),
        (listed, r"\*values: 'int'` has no name in an event"),
        (unknown, "an annotation names `Nowhere`, which is not known"),
        (odd, "`value`: there is no JSON for"),
    ):
        with pytest.raises(AnnotationError, match=told):
            handler.handler({})
    with pytest.raises(TypeError, match="is for functions"):
        task(Receipt)
    with pytest.raises(TypeError, match="is for functions"):
        task("charge")  # pyright: ignore[reportCallIssue, reportArgumentType]

"""What the compiler emits, run by another engine: it ends as it does here, with the same output or error, and what it
undoes is the same.

The engine is moto's; what had to be filled in is told in `other_engine`. `make portability` installs what it needs.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import other_engine
import pytest
from corpus import specs
from hypothesis import HealthCheck, given, settings
from other_engine import OtherRun
from portable import SPECS, Portable, Tasks
from runs import Ran
from stratum.local.testing import TestCloud, sequence
from test_corpus import World

pytestmark = [
    pytest.mark.portability,
    pytest.mark.skipif(
        not other_engine.is_installed(), reason="`make portability` installs a JSONata for moto's engine"
    ),
]
EXAMPLES = Path(__file__).resolve().parents[2] / "local" / "examples"
MADE_UP = int(os.environ.get("STRATUM_EXAMPLES", "4"))
DIFFERENT = {
    "a list of nothing": "an expression that fails in a Succeed state is States.Runtime there, not States.QueryEvaluationError",
    "the context in a filter": "it refuses `$`, the context of a filter, in every expression",
    "child": "its startExecution.sync:2 looks for a parameter that it has renamed before, and fails with a KeyError",
}
"""What that engine does otherwise than AWS says, and so cannot show."""


def ended(run: Ran | OtherRun, tasks: Tasks) -> Any:
    undone = sorted(json.dumps(each, sort_keys=True) for each in tasks.undone)
    return run.status, run.error, run.output if run.status == "SUCCEEDED" else _violations(run.cause), undone


def _violations(cause: str) -> Any:
    """What of a cause is the workflow's own: the causes of failed functions have ids and traces of their engine."""
    try:
        told = json.loads(cause)
    except ValueError:
        return cause
    return told.get("violations") if isinstance(told, dict) else told


def both(portable: Portable) -> tuple[Any, Any]:
    here, there = Tasks(), Tasks()
    ours = Ran(portable.spec, portable.input, here.functions(), here.answer, children=portable.children)
    return ended(ours, here), ended(OtherRun(portable, there), there)


@pytest.mark.parametrize("name", [name for name in SPECS if name not in DIFFERENT])
def test_it_ends_as_it_does_here(name: str) -> None:
    ours, theirs = both(SPECS[name])
    assert ours == theirs


@pytest.mark.parametrize("name", DIFFERENT)
def test_what_it_does_otherwise_is_still_so(name: str) -> None:
    ours, theirs = both(SPECS[name])
    assert ours != theirs, "take it out of DIFFERENT"


FAILING = "$number('x')"


def runs_there(spec: str) -> bool:
    """Without people, agents and timeouts, which take real time there; without expressions that fail, which are
    States.Runtime there; without child workflows, which fail there."""
    return spec.count('"workflow"') == 1 and not any(
        each in spec for each in ("gate", "agent", "timeout", "soon", FAILING)
    )


class Played(Tasks):
    """The tasks of a made-up spec, which come out as its plan says."""

    def __init__(self, world: World):
        super().__init__()
        self._world = world

    def functions(self) -> dict[str, Any]:
        return {"m.do": self._world.do, "m.undo": self._world.undo}

    def answer(self, item: dict[str, Any]) -> Any:
        return self._world.answer(item)


@settings(
    max_examples=MADE_UP, derandomize=True, database=None, deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example, HealthCheck.filter_too_much],
)  # fmt: skip
@given(specs().filter(lambda made: runs_there(json.dumps(made[0]))))
def test_made_up_specs_end_as_they_do_here(made: tuple[dict[str, Any], dict[str, list[str]]]) -> None:
    spec, plan = made
    here, there = World(plan), World(plan)
    text = json.dumps(spec)
    ours = Ran(text, {"n": 3}, {"m.do": here.do, "m.undo": here.undo}, clock=here.clock)
    theirs = OtherRun(Portable(text, {"n": 3}), Played(there))
    assert (ours.status, ours.error) == (theirs.status, theirs.error), (text, theirs.cause)
    assert sorted(here.undone) == sorted(there.undone), text


ORDER = {
    "id": "o",
    "items": [{"sku": "lamp", "qty": 1}, {"sku": "desk", "qty": 2}],
    "total": 40,
    "email": "a@example.com",
}
SHOP: dict[str, list[Any]] = {
    "orders.validate": [{"ok": True, "errors": []}], "stock.reserve": [{"id": "r-1", "items": 3}],
    "payments.charge": [{"charge_id": "c-1", "amount": 40}], "parcel.label": ["label"], "mail.receipt": [True],
    "mail.declined": [True], "stock.release": [None], "payments.refund": [None], "stock.pack_gift": ["gift"],
    "shipping.ship": [{"tracking": "AB123456", "carrier": "post"}], "mail.shipped": [None], "mail.out_of_stock": [None],
}  # fmt: skip
PURCHASE = {
    "id": "o",
    "customer": "a@example.com",
    "card": "4111",
    "total": 100,
    "items": [{"sku": "lamp", "qty": 5}],
}
ETL = {
    "pipeline.load": [{"path": "raw.csv", "rows": 400, "digest": "0" * 64}],
    "pipeline.clean": [{"path": "clean.csv", "rows": 395, "dropped": 5}],
    "pipeline.features": [{"path": "f.json", "rows": 395, "latitude": {"minimum": -77, "maximum": 79},
                           "longitude": {"minimum": -176, "maximum": 179}, "countries": 246, "without_comment": 0.4}],
    "pipeline.write": [{"path": "/out/zones.json", "bytes": 1, "digest": "d"}],
}  # fmt: skip
SHIP = {
    "ship.test": [{"passed": 12, "seconds": 0.5}], "ship.build": [{"file": "g.pyz", "digest": "0" * 64, "bytes": 4096}],
    "ship.stage": [{"release": "1.2.0-0", "previous": "1.1.0-c"}], "ship.roll_back": [None],
    "ship.health": [{"status": "starting", "version": "1.2.0"}, {"status": "ok", "version": "1.2.0"}],
}  # fmt: skip


class CardDeclined(Exception):
    pass


class Throttled(Exception):
    pass


@pytest.mark.parametrize(
    ("example", "input", "answers"),
    [
        ("orders", PURCHASE, SHOP),
        ("orders", PURCHASE, {**SHOP, "payments.charge": [CardDeclined("no")]}),
        ("orders", PURCHASE, {**SHOP, "orders.validate": [{"ok": False, "errors": ["no card", "it's \"odd\""]}]}),
        ("fulfilment", ORDER, {**SHOP, "payments.charge": [Throttled("wait"), {"charge_id": "c-1", "amount": 40}]}),
        ("fulfilment", {**ORDER, "total": 1500}, SHOP),
        ("fulfilment", {**ORDER, "total": 6000}, SHOP),
        ("fulfilment", ORDER, {**SHOP, "payments.charge": [CardDeclined("no")]}),
        ("fulfilment", ORDER, {**SHOP, "parcel.label": [OSError("no parcel")]}),
        ("etl", json.loads((EXAMPLES / "etl" / "input.json").read_text()), ETL),
        ("release", {"version": "1.2.0"}, SHIP),
        ("release", {"version": "1.2.0"}, {**SHIP, "ship.health": [{"status": "broken", "version": "1.2.0"}]}),
    ],
)  # fmt: skip
def test_the_examples_end_as_they_do_here(example: str, input: Any, answers: dict[str, list[Any]]) -> None:
    path = next(
        path for name in (example, "order") if (path := EXAMPLES / example / f"{name}.yaml").is_file()
    )
    text = path.read_text()
    used = text[
        text.index("stratum:", text.startswith("#") and text.index("\n")) :
    ]  # without the comments above it
    mocks: dict[str, Any] = {
        name.replace(".", "-"): sequence(*values) if len(values) > 1 else values[0]
        for name, values in answers.items()
        if name in used
    }
    if example == "fulfilment":
        mocks |= {"approve": "approve", "manual": {"charge_id": "m", "amount": 6000}, "put": {}}
    # The cloud of a test answers Lambda for the whole process: the other engine runs when it has closed.
    with TestCloud([EXAMPLES]) as stratum:
        ours = stratum.run(path, input, mocks=mocks)
    theirs = OtherRun(Portable(used, input), Tasks(answers), tables=("orders",))
    assert (ours.status, ours.error) == (theirs.status, theirs.error), theirs.cause
    assert ours.output == theirs.output
    if ours.status == "FAILED":
        assert _violations(ours.cause or "") == _violations(theirs.cause)

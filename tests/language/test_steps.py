"""Every kind of step with what it may have: success, each failure, retry, timeout; each run in one go, and by processes
that die after every commit, of which the next goes on from the store. Both come to the same."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from runs import Busy, Fatal, Late, Ran, decided
from stratum.local.clock import EPOCH


@dataclass
class Fails:
    """How a workflow ends that fails; `cause` has this in it."""

    error: str
    cause: str = ""


@dataclass
class Row:
    """`functions`: by task, the outcomes of its calls one after the other, the last of them from then on. `people`: what
    people and agents say to each work item in turn; None is silence. `seconds` it takes, `calls` by task it makes."""

    spec: str
    ends: Any
    functions: dict[str, list[Any]] = field(default_factory=dict)
    input: Any = None
    people: list[Any] = field(default_factory=list)
    seconds: float = 0
    calls: dict[str, int] = field(default_factory=dict)
    children: dict[str, str] = field(default_factory=dict)
    told: Callable[[Ran], Any] | None = None


def handler(outcomes: list[Any]) -> Callable[[Any, Any], Any]:
    rest = list(outcomes)

    def call(event: Any, context: Any) -> Any:
        value = rest.pop(0) if len(rest) > 1 else rest[0]
        if isinstance(value, Exception):
            raise value
        return value(event) if callable(value) else value

    return call


def sayings(outcomes: list[Any]) -> Callable[[dict[str, Any]], Any]:
    rest = list(outcomes)

    def say(item: dict[str, Any]) -> Any:
        value = rest.pop(0) if len(rest) > 1 else rest[0]
        if value is None or isinstance(value, Exception):
            return value
        if item["kind"] == "gate":
            return decided(value, item, comment="hm")
        return {"result": value, "by": {"agent": "claude"}, "at": "now", "usage": {"usd": 1, "tokens": 10}}

    return say


def play(row: Row, restarts: bool) -> Ran:
    functions = {name: handler(outcomes) for name, outcomes in row.functions.items()}
    return Ran(
        row.spec, row.input, functions, sayings(row.people) if row.people else None, restarts=restarts,
        children=row.children,
    )  # fmt: skip


def check(row: Row) -> None:
    ran = play(row, False)
    if isinstance(row.ends, Fails):
        assert (ran.status, ran.error) == (
            "TIMED_OUT" if row.ends.cause == "timed out" else "FAILED",
            row.ends.error,
        )
        assert row.ends.cause == "timed out" or row.ends.cause in ran.cause, ran.cause
    else:
        assert ran.output == row.ends
    assert ran.seconds == row.seconds
    assert {name: ran.count(name) for name in row.calls} == row.calls
    if row.told is not None:
        assert row.told(ran)
    again = play(row, True)
    assert again.commits > 0
    assert (again.status, again.error, again.cause) == (ran.status, ran.error, ran.cause)
    assert again.ended.snapshot.get("output") == ran.ended.snapshot.get("output")
    assert again.seconds == ran.seconds
    assert sorted(map(json.dumps, again.calls)) == sorted(map(json.dumps, ran.calls))
    assert happened(again) == happened(ran)


def happened(ran: Ran) -> list[str]:
    """The history's events; that a child was begun is told by whoever begins it, and may die with them."""
    return [event["type"] for event in ran.events if event["type"] != "TaskSubmitted"]


TASK = "steps:\n  - {id: a, task: m.a%s}\n"
SORRY = (
    "steps:\n  - {id: a, task: m.a, next: end%s}\n  - {id: sorry, succeed: {error: '{%% $error.Error %%}'}}\n"
)
RETRY = ", retry: {attempts: 3, delay: 10s, backoff: %s}"
CHECKED = ", output: {n: integer}, ensure: [$result.n > 5]"
GOOD, LOW, ODD = {"n": 9}, {"n": 3}, {"n": "x"}

TASKS = {
    "succeeds": Row(TASK % "", 1, {"m.a": [1]}),
    "fails": Row(TASK % "", Fails("Busy", "why"), {"m.a": [Busy("why")]}),
    "fails and is caught": Row(SORRY % ", on_error: [{match: [Busy], next: sorry}]", {"error": "Busy"}, {"m.a": [Busy()]}),
    "fails and is caught by nothing": Row(SORRY % ", on_error: [{match: [Busy], next: sorry}]", Fails("Fatal"), {"m.a": [Fatal()]}),
    "is caught by every error": Row(SORRY % ", on_error: [{next: sorry}]", {"error": "Fatal"}, {"m.a": [Fatal()]}),
    "takes the second route": Row(
        SORRY % ", on_error: [{match: [Busy], next: end}, {next: sorry}]", {"error": "Fatal"}, {"m.a": [Fatal()]}
    ),
    "takes too long": Row(TASK % ", timeout: 5s", Fails("States.Timeout"), {"m.a": [Late(9, 1)]}, seconds=5),
    "takes too long and is caught": Row(
        SORRY % ", timeout: 5s, on_error: [{match: [States.Timeout], next: sorry}]", {"error": "States.Timeout"},
        {"m.a": [Late(9, 1)]}, seconds=5,
    ),
    "takes too long and is tried again": Row(
        TASK % ", timeout: 5s, retry: {attempts: 2, delay: 3s}", 2, {"m.a": [Late(9, 1), 2]}, seconds=8
    ),
    "takes the default timeout": Row("defaults: {timeout: 5s}\n" + TASK % "", Fails("States.Timeout"), {"m.a": [Late(9)]}, seconds=5),
    "takes its time": Row(TASK % ", timeout: 9s", 1, {"m.a": [Late(9, 1)]}, seconds=9),
    "takes the default retry": Row("defaults: {retry: {attempts: 2, delay: 4s}}\n" + TASK % "", 2, {"m.a": [Busy(), 2]}, seconds=4),
    "takes no retry": Row("defaults: {retry: {attempts: 2}}\n" + TASK % ", retry: none", Fails("Busy"), {"m.a": [Busy(), 2]}),
    "is fatal at once": Row(
        TASK % ", retry: {attempts: 3, never: [Fatal]}", Fails("Fatal"), {"m.a": [Fatal(), 1]}, calls={"m.a": 1}
    ),
    "is tried again for what is listed": Row(
        TASK % ", retry: {on: [Busy], attempts: 3, delay: 1s, backoff: fixed}", Fails("Fatal"), {"m.a": [Busy(), Fatal(), 1]},
        calls={"m.a": 2}, seconds=1,
    ),
    "has a contract that holds": Row(TASK % CHECKED, GOOD, {"m.a": [GOOD]}),
    "breaks its contract": Row(TASK % CHECKED, Fails("Stratum.ContractViolated", "$.n"), {"m.a": [ODD]}),
    "breaks a postcondition": Row(TASK % CHECKED, Fails("Stratum.PostconditionFailed", "$result.n > 5"), {"m.a": [LOW]}),
    "breaks its contract and is caught": Row(
        SORRY % (CHECKED + ", on_error: [{match: [Stratum.ContractViolated], next: sorry}]"), {"error": "Stratum.ContractViolated"}, {"m.a": [ODD]}
    ),
    "is tried again until it is as ensured": Row(
        TASK % (CHECKED + RETRY % "fixed"), GOOD, {"m.a": [ODD, LOW, GOOD]}, seconds=20, calls={"m.a": 3}
    ),
    "is never as ensured": Row(
        TASK % (CHECKED + RETRY % "fixed"), Fails("Stratum.PostconditionFailed", '"attempt":3'), {"m.a": [ODD, Busy(), LOW]}, seconds=20
    ),
    "is skipped": Row(TASK % ", when: $input.go", None, {"m.a": [1]}, calls={"m.a": 0}),
    "is not skipped": Row(TASK % ", when: $input.go", 1, {"m.a": [1]}, {"go": True}),
    "has a condition that fails": Row(TASK % ", when: $number($input.go) > 1", Fails("States.QueryEvaluationError"), {"m.a": [1]}, {"go": "x"}),
    "is ready": Row(TASK % ", needs: $input.go", 1, {"m.a": [1]}, {"go": True}),
    "is not ready": Row(TASK % ", needs: {that: $input.go, otherwise: closed}", Fails("Stratum.PreconditionFailed", "closed"), {"m.a": [1]}),
    "is not ready and is caught": Row(
        SORRY % ", needs: $input.go, on_error: [{match: [Stratum.PreconditionFailed], next: sorry}]", {"error": "Stratum.PreconditionFailed"}, {"m.a": [1]}
    ),
    "waits to be ready": Row(TASK % f", needs: {{that: $millis() > {EPOCH + 60_000}, within: 5m, every: 25s}}", 1, {"m.a": [1]}, seconds=75),
    "waits in vain": Row(TASK % ", needs: {that: $input.go, within: 1m, every: 30s}", Fails("Stratum.PreconditionFailed"), {"m.a": [1]}, seconds=60),
    "has an input that fails": Row(TASK % ", input: '{% $number($input.n) %}'", Fails("States.QueryEvaluationError"), {"m.a": [1]}, {"n": "x"}),
    "leads on": Row("steps:\n  - {id: a, task: m.a, next: c}\n  - {id: b, fail: No}\n  - {id: c, set: {x: 1}, next: end}\n".replace("  - {id: b, fail: No}\n", ""), {"x": 1}, {"m.a": [1]}),
    "gets the workflow's input where it is not as promised": Row("input: {n: integer}\n" + TASK % "", Fails("Stratum.ContractViolated", "$.n"), {"m.a": [1]}, {"n": "x"}),
}  # fmt: skip
for _backoff, _waits in (("fixed", (10, 10)), ("linear", (10, 20)), ("exponential", (10, 20))):
    TASKS |= {
        f"is tried again, {_backoff}": Row(
            TASK % RETRY % _backoff, 1, {"m.a": [Busy(), Busy(), 1]}, seconds=sum(_waits), calls={"m.a": 3}
        ),
        f"is tried again in vain, {_backoff}": Row(
            TASK % RETRY % _backoff, Fails("Busy", "still"), {"m.a": [Busy("still")]}, seconds=sum(_waits), calls={"m.a": 3}
        ),
        f"is tried again in vain and caught, {_backoff}": Row(
            SORRY % (RETRY % _backoff + ", on_error: [{next: sorry}]"), {"error": "Busy"}, {"m.a": [Busy()]}, seconds=sum(_waits)
        ),
    }  # fmt: skip

DECIDE = """
steps:
  - {id: route, decision: [{when: $number($input.n) > 10, next: big}, {when: $number($input.n) > 5, next: middle}, {next: small}]}
  - {id: big, succeed: big}
  - {id: middle, succeed: {n: "{% $input.n %}", more: "{% $number($input.n) + 1 %}"}}
  - {id: small, fail: TooSmall, because: "{% 'only ' & $input.n %}"}
"""
PLAIN = {
    "a decision, first": Row(DECIDE, "big", input={"n": 11}),
    "a decision, second": Row(DECIDE, {"n": 6, "more": 7}, input={"n": 6}),
    "a decision, default, and a fail": Row(DECIDE, Fails("TooSmall", "only 1"), input={"n": 1}),
    "a decision that cannot be made": Row(DECIDE, Fails("States.QueryEvaluationError"), input={"n": "x"}),
    "a decision that is skipped": Row(
        "steps:\n  - {id: d, when: $input.go, decision: [{next: b}]}\n  - {id: a, succeed: a}\n  - {id: b, succeed: b}\n", "a"
    ),
    "a decision whose need is not met": Row(DECIDE.replace("route,", "route, needs: $input.go,"), Fails("Stratum.PreconditionFailed"), input={"n": 1}),
    "a fail without a cause": Row("steps: [{id: a, fail: Sorry}]\n", Fails("Sorry")),
    "a fail that is skipped": Row("steps: [{id: a, fail: Sorry, when: $input.go}, {id: b, succeed: 1}]\n", 1),
    "a succeed that is skipped": Row("steps: [{id: a, succeed: 1, when: $input.go}, {id: b, succeed: 2}]\n", 2),
    "a succeed that cannot be computed": Row("steps: [{id: a, succeed: '{% $number($input.n) %}'}]\n", Fails("States.QueryEvaluationError"), input={"n": "x"}),
    "a set": Row("steps: [{id: a, set: {n: '{% $input.n %}', list: [1, '{% $input.n %}']}}, {id: b, set: {more: '{% $a.n + 1 %}'}}]\nresult: {a: '{% $a %}', b: '{% $b.more %}'}\n", {"a": {"n": 3, "list": [1, 3]}, "b": 4}, input={"n": 3}),
    "a set that cannot be computed": Row("steps: [{id: a, set: {n: '{% $number($input.n) %}'}}]\n", Fails("States.QueryEvaluationError"), input={"n": "x"}),
    "a wait": Row("steps: [{id: a, wait: 1h30m}]\n", None, seconds=5400),
    "a wait that is computed": Row("steps: [{id: a, wait: '{% $input.n * 2 %}'}]\n", None, input={"n": 4}, seconds=8),
    "a wait until": Row("steps: [{id: a, wait: {until: '{% $fromMillis($millis() + 5000) %}'}}]\n", None, seconds=5),
    "a wait until a time that is over": Row("steps: [{id: a, wait: {until: '2020-01-01T00:00:00Z'}}]\n", None),
    "a wait for no number": Row("steps: [{id: a, wait: '{% $input.n %}'}]\n", Fails("States.QueryEvaluationError"), input={"n": "soon"}),
    "a wait that is skipped": Row("steps: [{id: a, wait: 1h, when: $input.go}, {id: b, succeed: 1}]\n", 1),
    "a wait that the workflow's timeout ends": Row("timeout: 1h\nsteps: [{id: a, wait: 2h}]\n", Fails("States.Timeout", "timed out"), seconds=3600),
    "a wait that the deadline ends": Row(
        "timeout: 1h\nsteps: [{id: a, task: m.a, compensate: {task: m.undo}}, {id: b, wait: 2h}]\n",
        Fails("Stratum.WorkflowTimedOut"), {"m.a": [1], "m.undo": [1]}, seconds=3600, calls={"m.undo": 1},
    ),
    "a result": Row("steps: [{id: a, set: {n: 1}, when: $input.go}]\nresult: {a: '{% $a %}', had: '{% $a != null %}'}\n", {"a": None, "had": False}),
}  # fmt: skip

BRANCHES = """
steps:
  - {id: both%s, parallel: {left: [{id: l, task: m.l%s}], right: [{id: nap, wait: 10s}, {id: r, task: m.r}]}}
  - {id: fine, succeed: "{%% $both %%}"}
  - {id: sorry, succeed: {error: "{%% $error.Error %%}"}}
"""
CAUGHT = ", on_error: [{match: [Busy, States.Timeout], next: sorry}]"
PARALLEL = {
    "succeeds": Row(BRANCHES % (CAUGHT, ""), {"left": 1, "right": 2}, {"m.l": [1], "m.r": [2]}, seconds=10),
    "fails in a branch": Row((BRANCHES % ("", "")).replace("  - {id: sorry, succeed: {error: \"{% $error.Error %}\"}}\n", ""), Fails("Busy"), {"m.l": [Busy()], "m.r": [2]}, calls={"m.r": 0}),
    "fails in a branch and is caught": Row(BRANCHES % (CAUGHT, ""), {"error": "Busy"}, {"m.l": [Busy()], "m.r": [2]}),
    "fails late": Row(BRANCHES % (CAUGHT, ""), {"error": "Busy"}, {"m.l": [1], "m.r": [Busy()]}, seconds=10),
    "is caught by nothing": Row(BRANCHES % (CAUGHT, ""), Fails("Fatal"), {"m.l": [Fatal()], "m.r": [2]}),
    "tries again in a branch": Row(BRANCHES % (CAUGHT, RETRY % "linear"), {"left": 1, "right": 2}, {"m.l": [Busy(), Busy(), 1], "m.r": [2]}, seconds=30),
    "takes too long in a branch": Row(BRANCHES % (CAUGHT, ", timeout: 5s"), {"error": "States.Timeout"}, {"m.l": [Late(9)], "m.r": [2]}, seconds=5),
    "is skipped": Row(BRANCHES % (", when: $input.go" + CAUGHT, ""), None, {"m.l": [1], "m.r": [2]}),
    "has a need that is not met": Row(BRANCHES % (", needs: $input.go" + CAUGHT, ""), Fails("Stratum.PreconditionFailed"), {"m.l": [1], "m.r": [2]}),
}  # fmt: skip

ITEMS = """
steps:
  - {id: all%s, map: {items: $input.items%s}, steps: [{id: a, task: m.a, input: "{%% $item %%}"%s}]}
  - {id: fine, succeed: "{%% $all %%}"}
  - {id: sorry, succeed: {error: "{%% $error.Error %%}"}}
"""


def double(n: Any) -> Any:
    if n == 13:
        raise Busy("thirteen")
    return n * 2


MAPS = {}
for _mode in ("inline", "distributed"):
    _one = f", mode: {_mode}, max_concurrency: 1"
    _all = ", on_error: [{next: sorry}]"
    _failed = "Busy" if _mode == "inline" else "States.ExceedToleratedFailureThreshold"
    MAPS |= {
        f"{_mode}, succeeds": Row(ITEMS % (_all, _one, ""), [2, 4], {"m.a": [double]}, {"items": [1, 2]}),
        f"{_mode}, has no items": Row(ITEMS % (_all, _one, ""), [], {"m.a": [double]}, {"items": []}),
        f"{_mode}, fails in an item": Row(ITEMS % (_all, _one, ""), {"error": _failed}, {"m.a": [double]}, {"items": [1, 13, 2]}, calls={"m.a": 2}),
        f"{_mode}, tolerates an item": Row(ITEMS % (_all, _one + ", tolerate: 34%", ""), [2, 4], {"m.a": [double]}, {"items": [1, 13, 2]}),
        f"{_mode}, tolerates no more": Row(ITEMS % (_all, _one + ", tolerate: 1", ""), {"error": "States.ExceedToleratedFailureThreshold"}, {"m.a": [double]}, {"items": [13, 1, 13]}),
        f"{_mode}, tries again in an item": Row(ITEMS % (_all, _one, RETRY % "fixed"), [7, 4], {"m.a": [Busy(), 7, double]}, {"items": [1, 2]}, seconds=10),
        f"{_mode}, takes too long in an item": Row(ITEMS % (_all, _one, ", timeout: 5s"), {"error": "States.Timeout" if _mode == "inline" else _failed}, {"m.a": [Late(9)]}, {"items": [1]}, seconds=5),
        f"{_mode}, goes through no array": Row(ITEMS % (_all, _one, ""), {"error": "States.QueryEvaluationError"}, {"m.a": [double]}, {"items": 5}),
        f"{_mode}, is skipped": Row(ITEMS % (_all + ", when: $input.go", _one, ""), None, {"m.a": [double]}, {"items": [1]}),
    }  # fmt: skip

ROUNDS = """
steps:
  - {id: again%s, repeat: {max: 3%s}, steps: [{id: a, task: m.a, input: "{%% $round %%}"%s}]}
  - {id: fine, succeed: "{%% $again %%}"}
  - {id: sorry, succeed: {error: "{%% $error.Error %%}"}}
"""
_all = ", on_error: [{next: sorry}]"
REPEATS = {
    "ends when it is done": Row(ROUNDS % (_all, ", until: $result = 4", ""), 4, {"m.a": [double]}, calls={"m.a": 2}),
    "is never done": Row(ROUNDS % (_all, ", until: $result = 5", ""), {"error": "Stratum.RepeatExhausted"}, {"m.a": [double]}, calls={"m.a": 3}),
    "is never done, which is no error": Row(ROUNDS % (_all, ", until: $result = 5, on_max: end", ""), 6, {"m.a": [double]}, calls={"m.a": 3}),
    "runs so often": Row(ROUNDS % (_all, "", ""), 6, {"m.a": [double]}, calls={"m.a": 3}),
    "collects until nothing is new": Row(ROUNDS % (_all, ", collect: {items: $result, key: $item.id}", ""), [{"id": 1}, {"id": 2}], {"m.a": [[{"id": 1}], [{"id": 2}, {"id": 1}], []]}, calls={"m.a": 3}),
    "fails in a round": Row(ROUNDS % (_all, "", ""), {"error": "Busy"}, {"m.a": [1, Busy()]}, calls={"m.a": 2}),
    "tries again in a round": Row(ROUNDS % (_all, "", RETRY % "exponential"), 3, {"m.a": [1, Busy(), 2, 3]}, seconds=10),
    "takes too long in a round": Row(ROUNDS % (_all, "", ", timeout: 5s"), {"error": "States.Timeout"}, {"m.a": [Late(9)]}, seconds=5),
    "has an end that cannot be computed": Row(ROUNDS % (_all, ", until: $number($result) = 1", ""), {"error": "States.QueryEvaluationError"}, {"m.a": ["x"]}),
    "is skipped": Row(ROUNDS % (_all + ", when: $input.go", "", ""), None, {"m.a": [1]}),
}  # fmt: skip

ASK = """
steps:
  - {id: draft, task: m.draft, input: {wrong: "%s"}}
  - {id: ask%s, gate: {approvers: [ada], timeout: 10h%s}}
  - {id: fine, succeed: "{%% $ask.outcome & ' by ' & $ask.by.user %%}"}
  - {id: sorry, succeed: {error: "{%% $error.Error %%}"}}
"""
_gate = ("", _all)
_draft = {"m.draft": [1]}
GATES = {
    "is approved": Row(ASK % (*_gate, ""), "approve by ada", _draft, people=["approve"]),
    "asks whom the input names": Row(ASK.replace("[ada]", "['{%% $input.who %%}', bob]") % (*_gate, ", on_timeout: escalate, escalate: {to: ['{% $input.boss %}'], timeout: 2h}"), "approve by ada", _draft, {"who": "ada", "boss": "eve"}, people=[None, "approve"], seconds=36_000, told=lambda ran: [item["approvers"] for item in ran.desk.of("gate")] == [["ada", "bob"], ["ada", "bob", "eve"]]),
    "is rejected": Row(ASK % (*_gate, ""), {"error": "Stratum.Rejected"}, _draft, people=["reject"]),
    "is rejected and caught by nothing": Row(ASK % ("", ", on_error: [{match: [Busy], next: sorry}]", ""), Fails("Stratum.Rejected", "rejected by ada: hm"), _draft, people=["reject"]),
    "is answered by nobody": Row(ASK % (*_gate, ""), {"error": "Stratum.Rejected"}, _draft, people=[None], seconds=36_000),
    "is approved by silence": Row(ASK % (*_gate, ", on_timeout: approve"), "approve by nobody", _draft, people=[None], seconds=36_000),
    "is silence an error": Row(ASK % (*_gate, ", on_timeout: error"), {"error": "Stratum.GateTimedOut"}, _draft, people=[None], seconds=36_000),
    "reminds": Row(ASK % (*_gate, ", reminders: [1h, 4h]"), "approve by ada", _draft, people=[None, None, "approve"], seconds=4 * 3600, told=lambda ran: len(ran.desk.of("reminder")) == 2),
    "escalates": Row(ASK % (*_gate, ", on_timeout: escalate, escalate: {to: [bob], timeout: 2h}"), "approve by ada", _draft, people=[None, "approve"], seconds=36_000, told=lambda ran: ran.desk.of("gate")[-1]["approvers"] == ["ada", "bob"]),
    "escalates in vain": Row(ASK % (*_gate, ", on_timeout: escalate, escalate: {to: [bob], timeout: 2h, on_timeout: error}"), {"error": "Stratum.GateTimedOut"}, _draft, people=[None], seconds=43_200),
    "is revised": Row(ASK % ("{% $ask != null ? $ask.comment : 'nothing' %}", _all, ", revise: {to: draft, rounds: 2}"), "approve by ada", _draft, people=["revise", "approve"], calls={"m.draft": 2}, told=lambda ran: [call["wrong"] for call in ran.calls] == ["nothing", "hm"]),
    "is revised too often": Row(ASK % ("", _all, ", revise: {to: draft, rounds: 1}"), {"error": "Stratum.Rejected"}, _draft, people=["revise", "revise"], calls={"m.draft": 2}),
    "is one of two that are revised, and end": Row(
        "steps:\n  - {id: draft, task: m.draft}\n"
        + "".join(f"  - {{id: {id}, gate: {{approvers: [ada], timeout: 1h, revise: {{to: draft, rounds: 2}}}}}}\n" for id in ("one", "two")),
        Fails("Stratum.Rejected"), _draft, people=["revise", "revise", "approve", "revise"] * 9 + ["reject"], calls={"m.draft": 9},
    ),
    "gets an answer of another form": Row(ASK % (*_gate, ", form: {n: integer}, values: {n: 1}"), {"error": "Stratum.ContractViolated"}, _draft, people=["maybe"]),
    "cannot be asked": Row(ASK % (*_gate, ""), {"error": "Busy"}, _draft, people=[Busy("no")]),
    "is skipped": Row((ASK % ("", _all + ", when: $input.go", "")).replace("$ask.outcome & ' by ' & $ask.by.user", "$ask"), None, _draft, people=["approve"]),
    "has a need that is not met": Row(ASK % ("", _all + ", needs: $input.go", ""), {"error": "Stratum.PreconditionFailed"}, _draft, people=["approve"]),
}  # fmt: skip

WORK = """
steps:
  - {id: write, agent: claude, intent: write it, input: {wrong: "{%% $violations %%}"}, output: {n: integer}, ensure: [$result.n > 5], timeout: 1h%s}
  - {id: fine, succeed: "{%% $write.n %%}"}
  - {id: sorry, succeed: {error: "{%% $error.Error %%}"}}
"""
AGENTS = {
    "does it": Row(WORK % _all, 9, people=[GOOD]),
    "does it at the third attempt": Row(WORK % (_all + ", attempts: 3"), 9, people=[LOW, ODD, GOOD], told=lambda ran: [item["attempt"] for item in ran.desk.of("agent")] == [1, 2, 3]),
    "never does it": Row(WORK % (_all + ", attempts: 2"), {"error": "Stratum.PostconditionFailed"}, people=[ODD, LOW]),
    "has conditions in braces": Row(WORK.replace("[$result.n > 5]", "['{%% $result.n > 5 %%}']") % _all, 9, people=[GOOD], told=lambda ran: ran.desk.items[0]["ensure"] == ["$result.n > 5"]),
    "is lost": Row(WORK % _all, {"error": "States.Timeout"}, people=[None], seconds=3600),
    "is lost, and another does it": Row(WORK % (_all + ", attempts: 2"), 9, people=[None, GOOD], seconds=3600),
    "is silent": Row(WORK % (_all + ", heartbeat: 5m"), {"error": "States.Timeout"}, people=[None], seconds=300),
    "is silent, and caught for that": Row(WORK % (", on_error: [{match: [States.HeartbeatTimeout], next: sorry}], heartbeat: 5m"), {"error": "States.HeartbeatTimeout"}, people=[None], seconds=300),
    "says that it cannot": Row(WORK % (_all + ", attempts: 3"), {"error": "Fatal"}, people=[Fatal("no")]),
    "uses up its budget and gets another": Row(WORK % (_all + ", attempts: 3, budget: {usd: 2}"), 9, people=[LOW, LOW, "approve", GOOD]),
    "uses up its budget": Row(WORK % (_all + ", attempts: 3, budget: {tokens: 10}"), {"error": "Stratum.BudgetExceeded"}, people=[LOW, "reject"]),
    "is skipped": Row((WORK % (_all + ", when: $input.go")).replace("$write.n", "$write"), None, people=[GOOD]),
}  # fmt: skip
AGENTS["uses up its time, and nobody gives more"] = Row(
    WORK % (_all + ", attempts: 3, budget: {time: 30m, timeout: 2h}"), {"error": "Stratum.BudgetExceeded"}, people=[None], seconds=1800 + 7200
)  # fmt: skip

CHILD = 'stratum: "1"\nworkflow: child\nversion: 1.0.0\nsteps:\n  - {id: c, task: m.c}\n'
PARENT = "steps:\n  - {id: a, workflow: child, next: end%s}\n  - {id: sorry, succeed: {error: '{%% $error.Error %%}'}}\n"
_child = {"child": CHILD}
CHILDREN = {
    "succeeds": Row(PARENT % _all, 1, {"m.c": [1]}, children=_child),
    "fails": Row(PARENT % ", on_error: [{match: [Busy], next: sorry}]", Fails("States.TaskFailed", "Busy"), {"m.c": [Busy()]}, children=_child),
    "fails and is caught": Row(PARENT % _all, {"error": "States.TaskFailed"}, {"m.c": [Busy()]}, children=_child),
    "is tried again": Row(PARENT % (RETRY % "linear" + _all), 7, {"m.c": [Busy(), Busy(), 7]}, children=_child, seconds=30),
    "takes too long": Row(PARENT % (", timeout: 1m" + _all), {"error": "States.Timeout"}, children={"child": CHILD.replace("task: m.c", "wait: 2m")}, seconds=60),
    "breaks its contract": Row(PARENT % (CHECKED + _all), {"error": "Stratum.ContractViolated"}, {"m.c": [ODD]}, children=_child),
    "breaks a postcondition, then does not": Row(PARENT % (CHECKED + RETRY % "fixed" + _all), GOOD, {"m.c": [LOW, GOOD]}, children=_child, seconds=10),
    "is not there": Row(PARENT % _all, {"error": "StepFunctions.StateMachineDoesNotExistException"}),
    "is skipped": Row((PARENT % (_all + ", when: $input.go")).replace(", next: end", ", next: fine").replace("  - {id: sorry", "  - {id: fine, succeed: '{% $a %}'}\n  - {id: sorry"), None, children=_child),
}  # fmt: skip

LATE = """
timeout: 1h
steps:
  - {id: made, task: m.made, compensate: {task: m.undo, input: {n: "{%% $made %%}"}}}
  - {id: late, %s}
"""
_forever = "agent: claude, intent: write, timeout: 1d"
DEADLINES = {
    name: Row(
        LATE % step, Fails("Stratum.WorkflowTimedOut", "3600"), {"m.made": [7], "m.undo": [1], "m.late": [Late(9999)], "m.busy": [Busy()]},
        people=[None], seconds=3600, calls={"m.undo": 1}, children={"child": CHILD.replace("task: m.c", "wait: 2d")},
    )
    for name, step in {
        "a task": "task: m.late, timeout: 2h",
        "a task without a timeout": "task: m.late",
        "a task that is tried again": "task: m.busy, retry: {attempts: 99, delay: 7m, backoff: fixed}",
        "a task that is tried again and caught": "task: m.busy, retry: {attempts: 99, delay: 7m}, on_error: [{match: [Fatal], next: end}]",
        "a need": "needs: {that: $input.never, within: 5h, every: 7m}, task: m.late",
        "a wait": "wait: 1d",
        "a wait until": "wait: {until: '2100-01-01T00:00:00Z'}",
        "a gate": "gate: {approvers: [ada], timeout: 2d}",
        "a gate with reminders": "gate: {approvers: [ada], timeout: 2d, reminders: [7m, 20m], on_timeout: escalate, escalate: {to: [bob], timeout: 1d}}",
        "an agent": _forever,
        "an agent that is lost and lost": f"{_forever.replace('1d', '25m')}, attempts: 9",
        "a child": "workflow: child",
        "a branch": f"parallel: {{one: [{{id: x, {_forever}}}], two: [{{id: y, wait: 1s}}]}}",
        "an item": f"map: {{items: '[1..2]'}}, steps: [{{id: x, {_forever}}}]",
        "an item of a distributed map": f"map: {{items: '[1..2]', mode: distributed}}, steps: [{{id: x, {_forever}}}]",
        "a round": "repeat: {max: 99}, steps: [{id: x, wait: 7m}]",
    }.items()
}  # fmt: skip

TABLE = [
    pytest.param(row, id=f"{kind} {name}")
    for kind, rows in {
        "a task": TASKS, "plain:": PLAIN, "a parallel": PARALLEL, "a map": MAPS, "a repeat": REPEATS, "a gate": GATES,
        "an agent": AGENTS, "a child": CHILDREN, "a deadline ends": DEADLINES,
    }.items()
    for name, row in rows.items()
]  # fmt: skip


@pytest.mark.parametrize("row", TABLE)
def test_a_step_comes_to_the_same_whatever_dies(row: Row) -> None:
    check(row)

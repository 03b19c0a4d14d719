"""Specs of every kind of step, each with an input, what its tasks answer, and what people and agents say.

`SPECS` is what is shown to validators, and run on other engines beside ours. Functions answer by their event alone, or
count by what they are given, so that they say the same wherever and in whatever order they are called.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from runs import decided

Handler = Callable[[Any, Any], Any]
HEAD = 'stratum: "1"\nworkflow: w\nversion: 1.0.0\n'


class Busy(Exception):
    pass


class Fatal(Exception):
    pass


class Tasks:
    """The tasks that specs call: `m.echo`, `m.grow`, … Each run has its own, as some of them count.

    `answers` has more of them, by name, and what they answer in turn; an exception is raised.
    """

    def __init__(self, answers: Mapping[str, list[Any]] | None = None) -> None:
        self._answers = answers or {}
        self._lock = threading.Lock()
        self._calls: dict[str, int] = {}
        self.undone: list[Any] = []

    def functions(self) -> dict[str, Handler]:
        named = {
            name.removeprefix("do_"): getattr(self, name) for name in dir(self) if name.startswith("do_")
        }
        given = {name: partial(self._next, name, values) for name, values in self._answers.items()}
        return {**{f"m.{name}": handler for name, handler in named.items()}, **given}

    def _next(self, name: str, values: list[Any], event: Any, context: Any) -> Any:
        value = values[min(self._count(name), len(values)) - 1]
        if isinstance(value, Exception):
            raise value
        return value

    def _count(self, what: str) -> int:
        with self._lock:
            self._calls[what] = self._calls.get(what, 0) + 1
            return self._calls[what]

    def do_echo(self, event: Any, context: Any) -> Any:
        return event

    def do_fail(self, event: Any, context: Any) -> Any:
        raise Fatal(event.get("why", "no"))

    def do_busy(self, event: Any, context: Any) -> Any:
        """Busy for the first `times` calls."""
        if self._count(event["what"]) <= event["times"]:
            raise Busy(event["what"])
        return {"n": event.get("n", 1), "calls": self._calls[event["what"]]}

    def do_grow(self, event: Any, context: Any) -> Any:
        """One more at every call, up to what is asked."""
        calls = self._count(event["what"])
        return {"n": calls, "found": [{"key": f"k{n}"} for n in range(min(calls, event.get("most", 3)))]}

    def do_undo(self, event: Any, context: Any) -> Any:
        with self._lock:
            self.undone.append(event)

    def answer(self, item: dict[str, Any]) -> Any:
        """What people and agents say: the first revises where that may be, agents are wrong at first."""
        if item["kind"] == "gate":
            if "revise" in item["outcomes"] and self._count(item["step"]) == 1:
                return decided("revise", item, comment="better")
            return decided("reject" if item["step"] == "refused" else "approve", item)
        work = (
            {"charge_id": "m", "amount": 6000}
            if item["step"] == "manual"
            else {"n": self._count(item["step"])}
        )
        return {"result": work, "by": {"agent": "a"}, "at": "now"}


@dataclass(frozen=True, slots=True)
class Portable:
    spec: str
    input: Any = None
    children: dict[str, str] | None = None


def _spec(steps: str, input: Any = None, head: str = "", **children: str) -> Portable:
    return Portable(f"{HEAD}{head}steps:\n{steps}", input, {name: f"{HEAD.replace(': w', f': {name}')}{text}" for name, text in children.items()})  # fmt: skip


_N = "input: {n: integer, items: [integer]}\n"
_THREE = {"n": 3, "items": [1, 2, 3]}

SPECS: dict[str, Portable] = {
    "task": _spec("- {id: a, task: m.echo, input: {n: '{% $input.n + 1 %}'}, output: {n: integer}}", _THREE, _N),
    "input refused": _spec("- {id: a, task: m.echo}", {"n": "three", "items": [1, "x"]}, _N),
    "result": _spec("- {id: a, task: m.echo, input: {n: 1}}", None, "result: {is: '{% $a.n %}', text: \"it's {% a\"}\n"),
    "contract refused": _spec("- {id: a, task: m.echo, input: {n: x}, output: {n: integer, m: {type: string, minLength: 2}}}"),
    "ensure": _spec("- {id: a, task: m.echo, input: {n: 3}, ensure: [$result.n > 1, {that: $result.n > 5, otherwise: \"{% 'only ' & $result.n %}\"}]}"),
    "ensure, tried again": _spec("- {id: a, task: m.grow, input: {what: a}, ensure: [$result.n > 2], retry: {attempts: 4, delay: 1s}}"),
    "retry": _spec("- {id: a, task: m.busy, input: {what: a, times: 2}, retry: {on: [Busy], attempts: 3, delay: 1s, backoff: fixed}}"),
    "linear retry": _spec("- {id: a, task: m.busy, input: {what: a, times: 2, n: '{% $attempt %}'}, retry: {on: [Busy], attempts: 3, delay: 1s, backoff: linear}}"),
    "retry given up": _spec("- {id: a, task: m.busy, input: {what: a, times: 9}, retry: {on: [Busy], attempts: 2, delay: 1s}}"),
    "never retried": _spec("- {id: a, task: m.fail, input: {why: never}, retry: {never: [Fatal], attempts: 3}}"),
    "on_error": _spec(
        "- {id: a, task: m.fail, input: {why: told}, on_error: [{match: [Busy], next: b}, {next: c}]}\n"
        "- {id: b, succeed: busy}\n- {id: c, set: {error: '{% $error.Error %}'}}\n- {id: d, succeed: '{% $c %}'}"
    ),
    "when": _spec("- {id: a, when: $input.n > 5, task: m.echo}\n- {id: b, succeed: {skipped: '{% $a = null %}'}}", _THREE, _N),
    "needs": _spec("- {id: a, needs: [{that: $input.n > 5, otherwise: too few}], task: m.echo}", _THREE, _N),
    "needs, waited for": _spec("- id: a\n  needs: [{that: '$toMillis($context.State.EnteredTime) > 0', within: 5s, every: 1s}]\n  set: {ok: true}"),
    "decision": _spec(
        "- {id: a, decision: [{when: $input.n > 5, next: b}, {when: $input.n = 3, next: c}, {next: d}]}\n"
        "- {id: b, succeed: more}\n- {id: c, succeed: three}\n- {id: d, fail: Other, because: '{% $string($input.n) %}'}", _THREE, _N),
    "texts": _spec('- {id: a, set: {empty: "", lines: "one\\ntwo", odd: "it\'s \\u2028 {% x"}}\n- {id: b, task: m.echo, input: {all: ["", "x\\ny", [1, ["{% $a.lines %}", "two"]]], many: "{% (\\n  $x := $a.lines; /* it\'s */\\n $x & \'!\\n\' ) %}"}}\n- {id: c, succeed: ["{% $b.all %}", "", 1, [2, [3]], "{% $a %}"]}'),
    "a text": _spec("- {id: a, succeed: ''}"),
    "a list of nothing": _spec("- {id: a, succeed: [1, '{% $input.none %}']}"),
    "no text": _spec("- {id: a, fail: No, because: \"one\\ntwo\"}"),
    "fail": _spec("- {id: a, fail: No.Way, because: \"{% 'with ' & $string($input.n) %}\"}", _THREE, _N),
    "set and wait": _spec(
        "- {id: a, set: {n: '{% $input.n * 2 %}', all: '{% $filter($input.items, function($v){$v > 1}) %}', none: null, deep: {x: [1, '{% $input.n %}']}}}\n"
        "- {id: b, wait: 1s}\n- {id: c, wait: {until: '2020-01-01T00:00:00Z'}}\n- {id: d, succeed: '{% $a %}'}", _THREE, _N),
    "parallel": _spec(
        "- id: a\n  parallel:\n    x: [{id: b, task: m.echo, input: {n: 1}}, {id: c, set: {n: '{% $b.n + 1 %}'}}]\n    y: [{id: d, task: m.echo, input: '{% $input.n %}'}]\n"
        "- {id: e, succeed: '{% $a %}'}", _THREE, _N),
    "parallel that fails": _spec(
        "- id: a\n  parallel:\n    x: [{id: b, task: m.fail, input: {why: x}}]\n    y: [{id: c, set: {n: 1}}]\n  on_error: [{match: [Fatal], next: e}]\n"
        "- {id: d, succeed: no}\n- {id: e, succeed: '{% $error.Error %}'}"),
    "map": _spec(
        "- id: a\n  map: {items: $input.items, as: item, max_concurrency: 2}\n  steps: [{id: b, task: m.echo, input: {n: '{% $item * 2 + $index %}'}}, {id: c, set: {n: '{% $b.n %}', at: '{% $index %}'}}]\n"
        "- {id: d, succeed: '{% $a %}'}", _THREE, _N),
    "map of nothing": _spec("- id: a\n  map: {items: '[$filter($input.items, function($v){$v > 9})]', as: item}\n  steps: [{id: b, task: m.fail}]\n- {id: d, succeed: '{% $a %}'}", _THREE, _N),
    "map, tolerant": _spec(
        "- id: a\n  map: {items: $input.items, as: item, tolerate: 40%}\n  steps: [{id: b, when: $item = 2, task: m.fail, input: {why: two}}, {id: c, succeed: '{% $item %}'}]\n"
        "- {id: d, succeed: '{% $a %}'}", _THREE, _N),
    "map, not tolerant enough": _spec(
        "- id: a\n  map: {items: $input.items, as: item, tolerate: 1}\n  steps: [{id: b, when: $item > 1, task: m.fail, input: {why: more}}]", _THREE, _N),
    "map, distributed": _spec("- id: a\n  map: {items: $input.items, as: item, mode: distributed}\n  steps: [{id: b, task: m.echo, input: '{% $item %}'}]\n- {id: d, succeed: '{% $a %}'}", _THREE, _N),
    "map in a map": _spec(
        "- id: a\n  map: {items: $input.items, as: x}\n  steps:\n  - id: b\n    map: {items: '[$x, $x + 1]', as: y}\n    steps: [{id: c, set: {n: '{% $x * $y %}'}}]\n"
        "- {id: d, succeed: '{% $a %}'}", _THREE, _N),
    "repeat": _spec("- id: a\n  repeat: {max: 5, until: $b.n >= 3}\n  steps: [{id: b, task: m.grow, input: {what: b, round: '{% $round %}'}}]\n- {id: c, succeed: '{% $a %}'}"),
    "repeat, collecting": _spec(
        "- id: a\n  repeat: {max: 9, collect: {items: $b.found, key: $item.key}}\n  steps: [{id: b, task: m.grow, input: {what: b}, output: {found: [{key: string}]}}]\n"
        "- {id: c, succeed: '{% $a %}'}"),
    "repeat without end": _spec("- id: a\n  repeat: {max: 2, until: $b.n > 9}\n  steps: [{id: b, task: m.grow, input: {what: b}}]"),
    "gate": _spec(
        "- {id: a, set: {n: 1}}\n- id: g\n  gate: {approvers: [ada@example.com], timeout: 1h, message: \"{% 'May ' & $string($a.n) & ' go?' %}\", shows: {n: '{% $a.n %}'}, form: {n: integer}, values: {n: '{% $a.n %}'}}\n"
        "- {id: b, succeed: {outcome: '{% $g.outcome %}', n: '{% $g.form.n %}', by: '{% $g.by.user %}'}}"),
    "gate refused": _spec("- {id: a, task: m.echo, input: {n: 1}, compensate: {task: m.undo, input: {n: '{% $a.n %}'}}}\n- id: refused\n  gate: {approvers: [ada@example.com], timeout: 1h}"),
    "gate, revised": _spec(
        "- {id: a, task: m.grow, input: {what: a, remarks: '{% $exists($g.comment) ? $g.comment : null %}'}}\n- id: g\n  gate: {approvers: [ada@example.com], timeout: 1h, revise: a}\n- {id: b, succeed: '{% $a.n %}'}"),
    "agent": _spec(
        "- id: a\n  agent: claude\n  intent: Count.\n  input: {n: 1}\n  output: {n: integer}\n  ensure: [$result.n > 1]\n  attempts: 3\n  budget: {usd: 1, tokens: 1000}\n- {id: b, succeed: '{% $a %}'}"),
    "child": _spec("- {id: a, workflow: child, input: {n: 2}}\n- {id: b, succeed: '{% $a %}'}", child="input: {n: integer}\nsteps:\n- {id: x, succeed: {n: '{% $input.n * 2 %}'}}\n"),
    "saga": _spec(
        "- {id: a, task: m.echo, input: {n: 1}, compensate: {task: m.undo, input: {what: a, n: '{% $a.n %}'}}}\n"
        "- {id: b, task: m.echo, input: {n: 2}, compensate: {task: m.undo, input: {what: b, n: '{% $b.n %}'}}}\n"
        "- {id: c, task: m.fail, input: {why: the end}}"),
    "saga over a parallel": _spec(
        "- {id: a, task: m.echo, input: {n: 1}, compensate: {task: m.undo, input: {what: a}}}\n"
        "- id: p\n  parallel:\n    x: [{id: b, task: m.echo, input: {n: 2}, compensate: {task: m.undo, input: {what: b}}}, {id: c, task: m.echo, input: {n: 3}, compensate: {task: m.undo, input: {what: c}}}]\n"
        "    y: [{id: d, wait: 1s}, {id: e, task: m.fail, input: {why: y}}]\n    z: [{id: f, set: {n: 1}}]"),
    "saga over a map": _spec(
        "- id: a\n  map: {items: $input.items, as: item, max_concurrency: 1}\n  steps:\n  - {id: b, task: m.echo, input: {n: '{% $item %}'}, compensate: {task: m.undo, input: {n: '{% $b.n %}'}}}\n  - {id: c, when: $item = 2, task: m.fail, input: {why: two}}", _THREE, _N),
    "the context in a filter": _spec("- id: a\n  map: {items: '[$input.items[$ = 3]]', as: item}\n  steps: [{id: b, set: {n: '{% $item %}'}}]\n- {id: c, succeed: '{% $a %}'}", _THREE, _N),
    "deadline": _spec("- {id: a, task: m.echo, input: {n: 1}, timeout: 5s}\n- {id: b, succeed: '{% $a.n %}'}", None, "timeout: 1h\n"),
}  # fmt: skip

SERVICES: dict[str, Portable] = {
    "any service": _spec("- {id: a, task: 'aws-sdk:dynamodb:putItem', input: {TableName: orders, Item: {id: {S: '{% $input.id %}'}}}}", {"id": "1"}, "input: {id: string}\n"),
    "a function": _spec("- {id: a, task: 'arn:aws:lambda:eu-west-1:123456789012:function:mails-welcome:live', input: {n: 1}, retry: {attempts: 3}}"),
    "a queue": _spec("- {id: a, task: 'arn:aws:states:::sqs:sendMessage', input: {QueueUrl: 'https://sqs.eu-west-1.amazonaws.com/123456789012/q', MessageBody: {n: 1}}}"),
    "a job": _spec("- {id: a, task: 'arn:aws:states:::glue:startJobRun.sync', input: {JobName: nightly}, timeout: 2h, compensate: {task: m.undo, input: {run: '{% $a.JobRunId %}'}}}"),
    "an activity": _spec("- {id: a, task: 'arn:aws:states:eu-west-1:123456789012:activity:paint', input: {n: 1}, timeout: 1h, heartbeat: 5m}"),
}  # fmt: skip
"""What only validators are shown: no engine but AWS's has these services."""

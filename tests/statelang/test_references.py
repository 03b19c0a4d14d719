"""References into results, through every kind of step: what is there, what it has, and what may be missing."""

from __future__ import annotations

import pytest
from stratum.statelang.spec import contracts_of, load

HEAD = """\
stratum: "1"
workflow: w
version: 1.0.0
types: {C: {good: boolean, n: number}, Item: {sku: string}}
input: {items: "optional [Item]", n: number, maybe: optional string}
"""
EXTRA = "steps:\n  - {id: extra, when: $input.n > 1, task: m.x, output: C}\n"
"""A step that may not have run."""


def found(text: str) -> list[str]:
    """Code and place in the line of everything that is wrong."""
    loaded = load(HEAD + text)
    assert all(each.position for each in loaded.diagnostics)
    return [each.code for each in loaded.diagnostics]


@pytest.mark.parametrize(
    "step",
    [
        "task: m.a, input: {x: ['{% $extra.good %}']}",
        "task: m.a, when: $extra.good",
        "task: m.a, needs: $extra.good",
        "task: m.a, needs: {that: $input.n > 1, otherwise: '{% $extra.n %}'}",
        "task: m.a, ensure: [$extra.good]",
        "task: m.a, ensure: {that: $result, otherwise: '{% $extra.n %}'}",
        "task: m.a, compensate: {task: m.b, input: '{% $extra.n %}'}",
        "agent: x, intent: '{% $extra.n %}'",
        "agent: x, intent: y, input: {a: '{% $extra.n %}'}",
        "agent: x, intent: y, ensure: [$extra.good]",
        "workflow: other, input: {a: '{% $extra.n %}'}",
        "gate: {approvers: [a], timeout: 1h, message: '{% $extra.n %}'}",
        "gate: {approvers: [a], timeout: 1h, shows: {n: '{% $extra.n %}'}}",
        "gate: {approvers: [a], timeout: 1h, form: {n: number}, values: {n: '{% $extra.n %}'}}",
        "decision: [{when: $extra.good, next: z}, {next: z}]",
        "wait: '{% $extra.n %}'",
        "wait: {until: '{% $extra.n %}'}",
        "set: {n: '{% $extra.n %}'}",
        "succeed: '{% $extra.n %}', when: $input.n > 2",
        "fail: No, because: '{% $extra.n %}', when: $input.n > 2",
        "map: {items: $extra.n}, steps: [{id: b, task: m.b}]",
        "map: {items: ['{% $extra.n %}']}, steps: [{id: b, task: m.b}]",
        "map: {items: '[1]'}, steps: [{id: b, task: m.b, input: '{% $extra.n %}'}]",
        "parallel: {p: [{id: b, task: m.b, input: '{% $extra.n %}'}]}",
        "repeat: {max: 2}, steps: [{id: b, task: m.b, input: '{% $extra.n %}'}]",
        "repeat: {max: 2, until: $extra.good}, steps: [{id: b, task: m.b}]",
        "repeat: {max: 2, collect: {items: '[$extra.n]'}}, steps: [{id: b, task: m.b}]",
        "repeat: {max: 2, collect: {items: '[1]', key: $extra.n}}, steps: [{id: b, task: m.b}]",
    ],
)
def test_a_step_that_may_not_have_run_is_told_wherever_it_is_referred_to(step: str) -> None:
    text = f"{EXTRA}  - {{id: a, {step}}}\n  - {{id: z, wait: 1s}}\n"
    assert [code for code in found(text) if code != "S304"] == ["S506"]
    assert "S506" not in found(text.replace("when: $input.n > 1, ", ""))


def test_the_result_may_be_of_a_step_that_has_not_run() -> None:
    assert found(EXTRA + "result: {n: '{% $extra.n %}'}\n") == ["S506"]


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        # after decisions, which tell that a step has run
        (EXTRA + "  - {id: d, decision: [{when: $extra != null, next: a}, {next: b}]}\n  - {id: a, succeed: '{% $extra.good %}'}\n  - {id: b, succeed: 1}\n", []),
        (EXTRA + "  - {id: d, decision: [{when: $extra = null, next: a}, {next: b}]}\n  - {id: a, succeed: 1}\n  - {id: b, succeed: '{% $extra.good %}'}\n", []),
        (EXTRA + "  - {id: d, decision: [{when: $extra != null, next: a}, {next: b}]}\n  - {id: a, wait: 1s}\n  - {id: b, succeed: '{% $extra.good %}'}\n", ["S506"]),
        (EXTRA + "  - {id: a, when: $extra.n > 1, set: {n: '{% $extra.n %}'}}\n", ["S506"]),
        (EXTRA + "  - {id: a, when: $extra and $extra.n > 1, set: {n: '{% $extra.n %}'}}\n", []),
        # routes
        ("steps:\n  - {id: a, task: m.a, output: C, on_error: [{next: b}]}\n  - {id: b, set: {x: '{% $a.good %}'}}\n", ["S506"]),
        ("steps:\n  - {id: a, task: m.a, on_error: [{next: b}], next: end}\n  - {id: b, set: {x: '{% $a %}'}}\n", ["S505"]),
        ("steps:\n  - {id: a, task: m.a, on_error: [{next: b}], next: end}\n  - {id: b, set: {x: '{% $error.message %}'}}\n", ["S305"]),
        # what steps that hold others come to
        ("steps:\n  - {id: p, parallel: {l: [{id: a, when: $input.n > 1, task: m.a, output: C}], r: [{id: b, task: m.b, output: C}]}}\n  - {id: c, set: {x: '{% $p.l.god %}', y: '{% $p.r.god %}', z: '{% $p.m %}'}}\n", ["S305", "S305", "S305"]),
        ("steps:\n  - {id: p, parallel: {l: [{id: a, when: $input.n > 1, succeed: {x: 1}}, {id: b, succeed: {x: '2', y: 3}}]}}\n  - {id: c, set: {x: '{% $p.l.x %}', y: '{% $p.l.y %}'}}\n", []),
        ("steps:\n  - {id: p, parallel: {l: [{id: a, when: $input.n > 1, succeed: {x: 1}}, {id: b, succeed: {x: '2', y: 3}}]}}\n  - {id: c, set: {z: '{% $p.l.z %}'}}\n", ["S305"]),
        ("steps:\n  - {id: all, map: {items: '[1..3]'}, steps: [{id: a, task: m.a, output: C}]}\n  - {id: b, set: {x: '{% $all.god %}', y: '{% $all[0].good %}'}}\n", ["S305"]),
        ("steps:\n  - {id: all, map: {items: $input.items, as: line}, when: $input.items != null, steps: [{id: a, task: m.a, input: '{% $line.skuu %}'}]}\n", ["S305"]),
        ("steps:\n  - {id: r, repeat: {max: 3, until: $result.god}, steps: [{id: a, task: m.a, output: C}]}\n", ["S305"]),
        ("steps:\n  - {id: r, repeat: {max: 3, collect: {items: $a, key: $item.god}}, steps: [{id: a, task: m.a, output: [C]}]}\n  - {id: b, set: {x: '{% $r.god %}'}}\n", ["S305", "S305"]),
        ("steps:\n  - {id: w1, workflow: other, output: {total: number}}\n  - {id: b, set: {x: '{% $w1.totl %}', y: '{% $w1.total.x %}'}}\n", ["S305", "S305"]),
        ("steps:\n  - {id: g, gate: {approvers: [a], timeout: 1h, form: {note: string}}}\n  - {id: b, set: {x: '{% $g.form.not %}', y: '{% $g.outcom %}'}}\n", ["S305", "S305"]),
        ("steps:\n  - {id: s, set: {n: '{% $count($input.items) %}', t: \"{% 'a' & $input.n %}\"}}\n  - {id: b, set: {x: '{% $s.n.x %}', y: '{% $s.m %}'}}\n", ["S305", "S305"]),
        # what a contract wants
        ("output: {a: C}\n" + EXTRA + "result: {a: '{% $extra %}'}\n", ["W902"]),
        ("output: {a: optional C}\n" + EXTRA + "result: {a: '{% $extra %}'}\n", []),
        ("output: {a: string}\nsteps: [{id: a, wait: 1s}]\nresult: {a: '{% $input.maybe %}'}\n", ["W902"]),
        ("output: {a: string, b: number}\nsteps: [{id: a, wait: 1s}]\nresult: {a: '{% $input.n + 1 %}', b: '{% $string($input.n) %}'}\n", ["S304", "S304"]),
        ("output: {a: boolean}\nsteps: [{id: a, succeed: {a: '{% $input.n > 3 and $exists($input.maybe) %}'}}]\n", []),
        ("steps:\n  - {id: all, map: {items: $input.items}, steps: [{id: a, task: m.a}]}\n", ["W902"]),
        ("steps:\n  - {id: all, map: {items: \"$type($input.items) = 'array' ? $input.items : []\"}, steps: [{id: a, task: m.a}]}\n", []),
        ("steps:\n  - {id: all, map: {items: $count($input.items)}, steps: [{id: a, task: m.a}]}\n", ["S304"]),
    ],
)  # fmt: skip
def test_what_is_there_and_what_it_has(text: str, codes: list[str]) -> None:
    assert found(text) == codes


def test_what_steps_come_to() -> None:
    loaded = load(
        HEAD
        + """\
steps:
  - id: p
    parallel:
      l: [{id: a, when: $input.n > 1, task: m.a, output: C}]
      r: [{id: b, wait: 1s}]
  - {id: m, map: {items: "[1..3]"}, steps: [{id: c, when: $item > 1, task: m.c, output: {n: number}}]}
  - {id: s, set: {n: "{% $input.n * 2 %}", ok: "{% $input.n > 1 %}", said: "{% 'n' & $input.n %}", who: "{% $input.maybe %}"}}
  - {id: r, repeat: {max: 2}, steps: [{id: d, set: {round: "{% $round %}"}}]}
"""
    )
    assert loaded.spec is not None
    assert loaded.diagnostics == []
    contracts = {id: str(each) for id, each in contracts_of(loaded.spec, []).steps.items()}
    assert contracts["p"] == "{l: optional C, r: null}"
    assert contracts["m"] == "[optional {n: number}]"
    assert contracts["s"] == "{n: number, ok: boolean, said: string, who: optional string}"
    assert contracts["r"] == "{round: integer}"

"""The language's front: every mistake told at its place, whatever the file is."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stratum.statelang.spec import CODES, Loaded, json_schema, load, mermaid, violations
from stratum.statelang.spec.contracts import TypeReader

GOOD = """\
stratum: "1"
workflow: orders
version: 1.0.0
types:
  Item: {sku: string, qty: {type: integer, minimum: 1}}
  Order: {id: string, items: [Item], total: number, email: optional string}
  Checked: {ok: boolean, errors: [string]}
input: Order
output: {id: string, checked: Checked}
defaults: {retry: {on: [Transient], attempts: 3}}
steps:
  - id: check
    task: orders.check
    input: {order: "{% $input %}"}
    output: Checked
    ensure: [$result.ok]
  - id: extra
    when: $input.total > 100
    task: orders.extra
    on_error: [{next: sorry}]
  - id: route
    decision:
      - {when: "$extra != null and $extra.good", next: done}
      - {next: pause}
  - {id: pause, wait: 10m}
  - id: done
    succeed: {id: "{% $input.id %}", checked: "{% $check %}"}
  - {id: sorry, fail: NotToday, because: "{% $error.Cause %}"}
"""


def found(text: str | bytes) -> list[tuple[str, int, int]]:
    """Code, line and column of everything that is wrong."""
    return [
        (each.code, each.position.line, each.position.column) if each.position else (each.code, 0, 0)
        for each in load(text).diagnostics
    ]


def test_a_good_spec_has_nothing_wrong_with_it() -> None:
    loaded = load(GOOD, "orders.yaml")
    assert loaded.diagnostics == []
    assert loaded.ok
    assert loaded.spec is not None
    assert [step.kind for step in loaded.spec.steps] == [
        "task",
        "task",
        "decision",
        "wait",
        "succeed",
        "fail",
    ]
    assert "step_route -->|otherwise| step_pause" in mermaid(loaded.spec)


EIGHT = """\
stratum: "1"
workflow: orders
version: 1.0
types:
  Order: {id: strin, total: number}
input: Order
steps:
  - id: first
    task: orders.check
    inpt: {a: 1}
    output: {ok: boolean}
  - id: second
    task: orders.more
    input: {a: "{% $firs.ok %}", b: "{% $input.totl %}"}
    ensure: [$result.x = ]
    retry: {attempts: many}
  - id: third
    decision:
      - {when: $first.ok, next: nowhere}
      - {next: end}
"""


def test_eight_mistakes_are_eight_findings_at_their_places() -> None:
    assert found(EIGHT) == [
        ("S203", 3, 10),
        ("S301", 5, 15),
        ("S201", 10, 5),
        ("S502", 14, 20),
        ("S305", 14, 48),
        ("S501", 15, 24),
        ("S203", 16, 23),
        ("S401", 19, 33),
    ]


def test_a_finding_shows_the_line_a_caret_and_a_way_on() -> None:
    loaded = load(EIGHT, "orders.yaml")
    text = loaded.source.render(next(each for each in loaded.diagnostics if each.code == "S305"))
    assert text == (
        "orders.yaml:14:48: error S305: Order has no field `totl`\n"
        '        input: {a: "{% $firs.ok %}", b: "{% $input.totl %}"}\n'
        "                                                   ^^^^\n"
        "    did you mean `total`?"
    )


def changed(old: str, new: str) -> list[str]:
    """The codes of what is wrong once `old` is written as `new`."""
    assert old in GOOD
    return [each.code for each in load(GOOD.replace(old, new, 1)).diagnostics]


@pytest.mark.parametrize(
    ("old", "new", "codes"),
    [
        ("workflow: orders\n", "", ["S202"]),
        ("task: orders.check", "taks: orders.check", ["S201"]),
        ("id: check\n", "id: count\n", ["S206", "S502"]),
        ("id: extra\n", "id: check\n", ["S207"]),
        ("wait: 10m", "wait: soon", ["S203"]),
        ("wait: 10m", "wait: 500ms", ["S203"]),
        ("wait: 10m", "wait: 10m, timeout: 5s", ["S208"]),
        ("wait: 10m", "gate: {approvers: [a]}", ["S202"]),
        ("attempts: 3", "attempts: 0", ["S203"]),
        ("[Item]", "[Itme]", ["S301"]),
        ("Item: {sku", "Item: {more: Order, sku", ["S303"]),
        ("next: pause", "next: check", ["S403", "S402"]),
        ("      - {next: pause}\n", "", ["S404", "S402"]),
        ("$extra != null and $extra.good", "$extra.good", ["S506"]),
        ("$extra != null and $extra.good", "$pause", ["S502"]),
        ("$result.ok", "$result.okay", ["S305"]),
        ("$result.ok", "result.ok", ["S504"]),
        ("$result.ok", "$states.result.ok", ["S503"]),
        ("$result.ok", "$error.Cause", ["S507"]),
        ("$input.total > 100", "$done.x", ["S502"]),
        ("$input.total > 100", "$extra != null", ["S505"]),
        ("$input.total > 100", "$input.total >", ["S501"]),
        ('checked: "{% $check %}"', 'checkd: "{% $check %}"', ["S306", "S305"]),
        ('checked: "{% $check %}"', "checked: 5", ["S304"]),
        ('id: "{% $input.id %}"', 'id: "{% $check %}"', ["S304"]),
        ("minimum: 1", "minLength: 1", ["S302"]),
        ("  - {id: pause", "  - {id: lost, wait: 1s, next: done}\n  - {id: pause", ["S402"]),
        ("input: Order\n", "input: Order\nresult: {id: x, checked: '{% $check %}'}\n", ["S402"]),
        ("version: 1.0.0", "version: 1.0.0\nversion: 1.0.1", ["S106"]),
    ],
)
def test_each_mistake_has_its_code(old: str, new: str, codes: list[str]) -> None:
    assert changed(old, new) == codes
    assert set(codes) <= set(CODES)


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("task: m.a, input: {a: 'Hello, {% $input %}!'}", "S508"),
        ("task: m.a, input: {a: '{% $input'}", "S508"),
        ("task: m.a, input: {a: '$input %}'}", "S508"),
        ("task: m.a, input: {'{% $input %}': 1}", "S508"),
        ("task: m.a, input: {'a.$': $.name}", "S508"),
        ("task: m.a, input: '{% $eval(1) %}'", "S502"),
        ("task: m.a, on_error: [{match: [], next: end}]", "S203"),
        ("task: m.a, on_error: [{match: [A, B], next: end}, {match: [B], next: end}]", "S405"),
        ("task: m.a, retry: {on: []}", "W901"),
        ("task: m.a, output: {type: number, multipleOf: 0}", "S302"),
        (f"task: m.a, output: {'[' * 30}string{']' * 30}", "S302"),
        ("fail: '{% $input.error %}'", "S203"),
        ("fail: ''", "S203"),
        ("agent: '{% $input.who %}', intent: x", "S203"),
        ("gate: {approvers: ['{% $who %}'], timeout: 1h}", "S502"),
        ("gate: {approvers: [a], timeout: 1h, notify: ['{% $who %}']}", "S502"),
    ],
)
def test_what_would_come_out_otherwise_than_it_looks_is_told(written: str, code: str) -> None:
    text = f'stratum: "1"\nworkflow: w\nversion: 1.0.0\nsteps:\n  - {{id: a, {written}}}\n'
    assert [each.code for each in load(text).diagnostics] == [code]


@pytest.mark.parametrize("written", ["{{ $input.id }}", "${input.id}", "$input.id", "Hello {{ input.id }}!"])
def test_a_text_that_would_be_an_expression_elsewhere_is_told(written: str) -> None:
    text = f'stratum: "1"\nworkflow: w\nversion: 1.0.0\nsteps:\n  - id: a\n    task: m.f\n    input: {{id: "{written}", other: "$5 for {{{{ him }}}}"}}\n'
    loaded = load(text)
    assert loaded.ok
    assert [each.code for each in loaded.diagnostics] == ["W905"]
    assert loaded.diagnostics[0].suggestion == (
        None if "Hello" in written else 'did you mean "{% $input.id %}"?'
    )


def test_operators_of_other_languages_have_a_hint() -> None:
    for condition, hint in (
        ("$input.a == 1", "`=`"),
        ("$input.a && true", "`and`"),
        ("!$input.a", "`$not(…)`"),
    ):
        text = (
            f'stratum: "1"\nworkflow: w\nversion: 1.0.0\nsteps: [{{id: a, task: m.f, when: "{condition}"}}]\n'
        )
        [each] = load(text).diagnostics
        assert (each.code, hint in str(each.suggestion)) == ("S501", True)


def test_a_guard_tells_that_a_step_has_run() -> None:
    for guard in (
        "$extra != null ? $extra.good : false",
        "$exists($extra.good)",
        "$extra and $extra.good",
        "$extra = null or $extra.good",
        "$not($extra = null) and $extra.good",
    ):
        assert changed("$extra != null and $extra.good", guard) == [], guard


def test_words_of_yaml_1_1_stay_words() -> None:
    loaded = load(GOOD.replace("on: [Transient]", "on: [yes, no, off]"))
    assert loaded.ok
    assert loaded.spec is not None
    assert loaded.spec.defaults.retry is not None
    assert loaded.spec.defaults.retry.on == ["yes", "no", "off"]


BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join([f'*{chr(97 + n)}'] * 9)}]\n" for n in range(12)
)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "S105"),
        ("   \n\n# nothing\n", "S105"),
        ("just words", "S105"),
        ("- a\n- list", "S105"),
        (BOMB, "S104"),
        ("a: &a [*a]", "S104"),
        ("[" * 5000, "S104"),
        ("a:\n" + "".join(" " * n + "- \n" for n in range(1, 200)), "S104"),
        ("{" * 100_000, "S104"),
        ("a: 1\n---\nb: 2\n", "S105"),
        (bytes(range(256)), "S102"),
        (b"\xff\xfe\x00\x01", "S102"),
        ("a: \x00b", "S103"),
        ("a: [1, 2", "S103"),
        ("a: b: c", "S103"),
        ("a:\n\t- b", "S103"),
        ("x" * 2_000_000, "S101"),
        ("? [a]\n: b", "S203"),
        ("a: .inf", "S203"),
        ("a: 1e999", "S203"),
    ],
)
def test_whatever_the_file_is_it_is_told(text: str | bytes, code: str) -> None:
    loaded = load(text)
    assert not loaded.ok
    assert code in [each.code for each in loaded.diagnostics]
    assert all(loaded.source.render(each) for each in loaded.diagnostics)


def test_crlf_and_unicode_keep_their_places() -> None:
    text = GOOD.replace("orders.extra", "ordérs.extra").replace("\n", "\r\n")
    assert [(code, line) for code, line, _ in found(text.encode())] == [("S203", 19)]
    assert [code for code, *_ in found("\ufeff" + GOOD)] == [] or found(("\ufeff" + GOOD).encode()) == []


@settings(max_examples=150, deadline=None)
@given(st.randoms(use_true_random=False))
def test_no_change_to_a_spec_makes_load_raise(chance: random.Random) -> None:
    lines: list[str] = [*GOOD.split("\n")]
    for _ in range(chance.randint(1, 3)):
        at = chance.randrange(len(lines))
        line = lines[at]
        kind = chance.randrange(6)
        if kind == 0:
            del lines[at]
        elif kind == 1:
            lines.insert(chance.randrange(len(lines)), line)
        elif kind == 2 and line:
            cut = chance.randrange(len(line))
            lines[at] = line[:cut] + chance.choice("{}[]:,'\"%$&*!|>\t\x7fü€0") + line[cut:]
        elif kind == 3 and line:
            cut = chance.randrange(len(line))
            lines[at] = line[:cut] + line[cut + chance.randint(1, 5) :]
        elif kind == 4:
            lines[at] = line.replace(
                ": ", ": " + chance.choice(["null", "1", "[]", "{}", "true", "-5", '""', "~"]) + " #", 1
            )
        else:
            lines[at] = chance.choice(["", "  ", "-"]) + line
        if not lines:
            lines = [""]
    loaded = load("\n".join(lines))
    assert isinstance(loaded, Loaded)
    for each in loaded.diagnostics:
        assert each.code in CODES
        assert loaded.source.render(each)


def contract(written: Any) -> Any:
    problems: list[Any] = []
    made = TypeReader({}, problems).read(written, ())
    assert problems == []
    return made


@pytest.mark.parametrize(
    ("written", "good", "bad"),
    [
        ("string", ["", "x"], [1, None, [], {}]),
        ("integer", [1, 2.0], [1.5, "1", True]),
        ("boolean", [True], [0, "true"]),
        ("optional string", [None, "x"], [1]),
        ("string | null", [None, "x"], [1]),
        (["integer"], [[], [1]], [["a"], 1]),
        ({"a": "string", "b": "optional number"}, [{"a": ""}, {"a": "", "b": None, "c": 1}], [{}, {"a": 1}, {"a": "", "b": "x"}]),
        ({"type": "number", "minimum": 0, "exclusiveMaximum": 1}, [0, 0.5], [-1, 1]),
        ({"type": "string", "pattern": "^a+$"}, ["aa"], ["b"]),
        ({"enum": ["a", 1, None]}, ["a", 1, None], ["b", True]),
        ("date-time", ["2026-01-02T03:04:05Z"], ["yesterday", 5]),
    ],
)  # fmt: skip
def test_contracts(written: Any, good: list[Any], bad: list[Any]) -> None:
    for value in good:
        assert violations(contract(written), value) == [], value
    for value in bad:
        assert violations(contract(written), value) != [], value


def test_violations_name_the_place() -> None:
    order = contract({"items": [{"sku": "string", "qty": {"type": "integer", "minimum": 1}}]})
    wrong = {"items": [{"sku": "a", "qty": 1}, {"sku": 5}, {"sku": "c", "qty": 0}]}
    assert [each.path for each in violations(order, wrong)] == [
        "$.items[1].sku",
        "$.items[1].qty",
        "$.items[2].qty",
    ]


def test_the_schema_knows_every_kind_of_step() -> None:
    schema = json_schema()
    assert schema["$schema"].endswith("2020-12/schema")
    assert {"TaskStep", "DecisionStep", "WaitStep", "SetStep", "SucceedStep", "FailStep"} <= set(
        schema["$defs"]
    )


def test_the_schema_beside_the_examples_is_the_one_that_is_generated() -> None:
    beside = Path(__file__).resolve().parents[2] / "local" / "examples" / "stratum.schema.json"
    assert json.loads(beside.read_text()) == json_schema(), (
        "run: stratum schema > local/examples/stratum.schema.json"
    )

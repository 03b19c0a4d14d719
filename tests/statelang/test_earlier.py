"""Specs of the earlier Stratum, rewritten: they compile, say what was lost, and conditions mean what they meant."""

from __future__ import annotations

import copy
import random
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from stratum.statelang import jsonata
from stratum.statelang.asl.validation import validate
from stratum.statelang.compiler import compile_spec
from stratum.statelang.earlier import Rewritten, rewrite
from stratum.statelang.earlier.conditions import Term, Untranslatable, translate
from stratum.statelang.spec import CODES, load
from stratum.statelang.spec.contracts import TypeReader

CORPUS = Path(__file__).parent / "earlier"
FILES = sorted(CORPUS.glob("*.stratum.yaml"))


def rewritten(name: str) -> Rewritten:
    return rewrite((CORPUS / f"{name}.stratum.yaml").read_bytes(), name)


def told(made: Rewritten) -> set[tuple[str, int, str]]:
    """Code, line, and the first words of what was not carried over."""
    return {
        (each.code, each.position.line if each.position else 0, each.message.removeprefix("not carried over: ").split(":")[0])
        for each in made.findings
    }  # fmt: skip


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_what_is_rewritten_compiles(file: Path) -> None:
    made = rewrite(file.read_bytes(), file.name)
    assert made.specs
    assert not made.faults
    for text in made.specs.values():
        loaded = load(text)
        assert loaded.ok, loaded.diagnostics
        assert loaded.spec is not None
        definition = compile_spec(loaded.spec, loaded.source).definition
        assert [each for each in validate(definition) if each.severity == "ERROR"] == []
        for finding in made.findings:
            assert finding.severity == "warning"
            assert finding.code in CODES
    comments = " ".join(
        line.strip(" #") for text in made.specs.values() for line in text.split("\n") if "#" in line
    )
    for finding in made.findings:
        assert finding.position is not None
        assert f"line {finding.position.line}: {finding.message}" in comments


def test_what_is_not_carried_over_is_named_with_its_line() -> None:
    assert told(rewritten("ticket-0.1")) == {
        ("W911", 21, "`model"),
        ("W911", 31, "`usd` for the whole flow"),
        ("W912", 34, "`polish` was computed in the agent's session"),
    }
    names = {(code, line) for code, line, _ in told(rewritten("build-0.2"))}
    assert {("W911", 40), ("W911", 50), ("W911", 59), ("W911", 85), ("W911", 90), ("W912", 92)} <= names
    assert ("W911", 27, "ensure `no_file_conflicts(result.tasks)`") in told(rewritten("tasks-0.3"))


def test_steps_mean_what_they_meant() -> None:
    data = yaml.safe_load(rewritten("build-0.2").specs["build"])
    steps = {step["id"]: step for step in data["steps"]}
    assert steps["design"]["attempts"] == 2
    assert steps["design_gate"]["gate"]["timeout"] == "1d"
    assert steps["design_gate"]["gate"]["revise"] == {"to": "design", "rounds": 4}
    assert steps["implement"]["on_error"] == [
        {"match": ["Stratum.PostconditionFailed", "Stratum.ContractViolated"], "next": "rescue"}
    ]
    assert steps["check"] == {
        "id": "check", "workflow": "review_check", "input": {"task": "{% $implement.summary %}"}, "output": "Review", "next": "ship",
    }  # fmt: skip
    assert steps["ship_gate"]["on_error"] == [{"match": ["Stratum.Rejected"], "next": "cleanup"}]
    assert steps["ship_gate"]["next"] == "end"
    loop = yaml.safe_load(rewritten("build-0.2").specs["review_check"])["steps"][0]
    assert loop["repeat"] == {"until": "$result.clean = true", "max": 10, "on_max": "end"}
    release = {step["id"]: step for step in yaml.safe_load(rewritten("release-0.2").specs["main"])["steps"]}
    assert (
        release["result_step"]["when"] == "$not($input.fast = true and $count($collect_changes.changes) < 3)"
    )
    assert release["ask"]["gate"]["shows"]["judged"] == "{% $result_step != null ? $result_step.ok : null %}"


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("", "S105", "empty"),
        ("[1]", "S601", "a mapping"),
        ("flows: {}", "S601", "`version` is missing"),
        ("version: 1\nflows: {}", "S601", "TypeScript"),
        ('version: "0.4"', "S601", "0.1, 0.2, 0.3"),
        ('stratum: "1"\nworkflow: w', "S601", "already"),
        ("StartAt: A\nStates: {}", "S601", "Amazon States Language"),
        ('version: "0.2"', "S602", "no `flows`"),
        ('version: "0.2"\nflows: {a: {steps: []}}', "S602", "is empty"),
        ('version: "0.2"\nflows: {a: {steps: [1]}}', "S602", "a step is a mapping"),
        ('version: "0.2"\nflows: {a: {steps: [{id: x}]}}', "S602", "one of `function`, `intent` and `flow`"),
        ('version: "0.2"\nflows: {a: {steps: [{id: x, flow: a}]}}', "S602", "runs itself"),
        ('version: "0.2"\nflows: {a: {steps: [{id: x, function: f}]}}', "S602", "no function `f`"),
        ('version: "0.2"\nflows: {a: {steps: [{id: x, intent: y, next: [z]}]}}', "S602", "no step"),
        ('version: "0.2"\nfunctions: {f: {mode: magic}}\nflows: {a: {steps: [{id: x, intent: y}]}}', "S602", "magic"),
        ("version: [", "S103", "expected here"),
        ("a: " + "[" * 100 + "]" * 100, "S104", "deeper"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_rewritten_is_told(text: str, code: str, words: str) -> None:
    made = rewrite(text, "old.yaml")
    assert made.specs == {}
    assert code in [each.code for each in made.findings]
    assert any(words in made.source.render(each) + str(each.suggestion) for each in made.findings)


JUNK: list[Any] = [
    None, 0, True, "", "x", [], {}, [1], {"a": 1}, [["x"]], "$.steps.nope.output.a", "{% 1 %}", "a" * 3000, "\u2028x: #",
    {"type": "object"}, "result.x in [", "é\n b", 1e308,
]  # fmt: skip


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path] * bool(path) + [found for key, part in inner for found in places(part, (*path, key))]


@settings(max_examples=15, deadline=None)
@given(st.sampled_from(FILES), st.randoms(use_true_random=False))
def test_whatever_is_wrong_with_a_file_it_is_told_or_rewritten(file: Path, chance: random.Random) -> None:
    data = copy.deepcopy(yaml.safe_load(file.read_text()))
    for _ in range(chance.choice([1, 2])):
        path = chance.choice(places(data))
        at = data
        for key in path[:-1]:
            at = at[key]
        if chance.random() < 0.3:
            del at[path[-1]]
        else:
            at[path[-1]] = copy.deepcopy(chance.choice(JUNK))
        if not places(data):
            break
    made = rewrite(yaml.safe_dump(data, allow_unicode=True), "x.yaml")
    assert made.specs or any(each.severity == "error" for each in made.findings)
    for each in made.findings:
        made.source.render(each)
    for text in made.specs.values():
        assert load(text).ok or made.faults


# -- conditions --------------------------------------------------------------------------------------------------

VALUE = {
    "rows": [{"ok": True, "name": "a", "n": 1}, {"ok": False, "name": "", "n": 5}],
    "none": [], "score": 0.7, "label": " pos ", "ok": True, "meta": {"a": "x"}, "some": [1, 2], "nothing": None,
}  # fmt: skip
TYPE = {
    "rows": [{"ok": "boolean", "name": "string", "n": "integer"}], "none": ["string"], "score": "number", "label": "string",
    "ok": "boolean", "meta": {"a": "string"}, "some": "any", "nothing": "optional string",
}  # fmt: skip
NAMES = {"result": Term("$result", contract=TypeReader({}, []).read(TYPE, ()))}


class Attributes(dict[str, Any]):
    __getattr__ = dict.__getitem__


def with_attributes(value: Any) -> Any:
    if isinstance(value, dict):
        return Attributes({key: with_attributes(part) for key, part in value.items()})
    return [with_attributes(part) for part in value] if isinstance(value, list) else value


def same_in_both(condition: str) -> None:
    wanted = bool(eval(condition, {"result": with_attributes(VALUE)}))
    for negated in (False, True):
        text = translate(condition, NAMES, negated=negated)
        found = jsonata.compile(text).evaluate({"result": VALUE}, input=None)
        assert found is (wanted is not negated), text


@pytest.mark.parametrize(
    "condition",
    [
        "len(result.rows) > 0 and result.score >= 0.7", "0 <= result.score <= 1", "result.label in ['a', 'b'] or not result.ok",
        "result.label is not None", "result.nothing is None", "all(r.ok for r in result.rows)", "any(r.ok and r.name for r in result.rows)",
        "len([r for r in result.rows if r.ok]) == 1", "sum(r.n for r in result.rows) == 6", "[r.n for r in result.rows if r.n > 1] == [5]",
        "'pos' in result.label", "1 in result.some", "'x' not in result.none", "'a' in result.meta", "len(result.some) == 2",
        "result.label.strip().startswith('po')", "result.label.endswith('s ')", "result.label.strip().upper() == 'POS'",
        "result.meta['a'] == 'x'", "result.rows[-1].n == 5", "result.rows[0].ok", "result.meta.get('b', 3) == 3",
        "(result.meta.get('b') or 'q') == 'q'", "max(1, len(result.rows)) == 2", "-7 % 3 == 2", "7 // 2 == 3", "2 ** 3 == 8",
        "result.score * 2 - 1 > 0.3", "not (result.ok and result.score > 1)", "('x' if result.ok else 'y') == 'x'",
        "f'{result.meta.a}!' == 'x!'", "int(result.score) == 0", "isinstance(result.label, str)", "result.label[:2] == ' p'",
        "not result.rows", "result.none", "bool(result.label) == True", "all(result.none)", "not any(result.none)", "not result.meta",
        "result.score == 0.7 if result.ok else False", "\"it's\" != 'its'", "all(count.n < 9 for count in result.rows)",
    ],
)  # fmt: skip
def test_a_condition_means_what_it_meant(condition: str) -> None:
    same_in_both(condition)


atoms = st.sampled_from([
    "result.score", "result.rows[0].n", "len(result.rows)", "1", "0", "2.5", "-1", "len(result.label)", "len(result.none)",
])  # fmt: skip
numbers = st.recursive(
    atoms,
    lambda inner: st.tuples(inner, st.sampled_from("+-*"), inner).map(lambda each: f"({each[0]} {each[1]} {each[2]})"),
    max_leaves=4,
)  # fmt: skip
comparisons = st.one_of(
    st.tuples(numbers, st.sampled_from(["<", "<=", "==", "!=", ">", ">="]), numbers).map(" ".join),
    st.tuples(numbers, numbers, numbers).map(lambda each: f"{each[0]} < {each[1]} <= {each[2]}"),
    st.sampled_from(["result.ok", "result.label", "result.none", "result.meta", "'p' in result.label", "not result.rows"]),
)  # fmt: skip
conditions = st.recursive(
    comparisons,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(lambda each: f"({' '.join(each)})"),
        inner.map(lambda each: f"(not {each})"),
        st.tuples(inner, inner, inner).map(lambda each: f"({each[0]} if {each[1]} else {each[2]})"),
    ),
    max_leaves=5,
)


@settings(max_examples=60, deadline=None)
@given(conditions)
def test_conditions_mean_what_they_meant(condition: str) -> None:
    same_in_both(condition)


@pytest.mark.parametrize(
    "condition",
    [
        "file_exists('x')", "no_file_conflicts(result.rows)", "lambda: 1", "result.__class__", "(" * 300 + ")" * 300, "\0", "other.a",
        "x := 1", "max(*result.rows)", "1+" * 1500 + "1", "-" * 3000 + "1", "b'1' == 1", "", "1 if", "result.rows | 1",
        "len(result.rows, 2)", "result.rows[1:2]", "'%s' % 1", "9" * 400, "1e999", "...", "print(1)", "a" * 5000,
    ],
)  # fmt: skip
def test_what_has_no_counterpart_is_named(condition: str) -> None:
    with pytest.raises(Untranslatable, match=r"."):
        translate(condition, NAMES)

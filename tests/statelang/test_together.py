"""Specs that are known together: child workflows against their own contracts, and circles through others."""

from __future__ import annotations

from stratum.statelang.spec import load
from stratum.statelang.spec.loading import check_together


def spec(name: str, steps: str, more: str = "") -> str:
    return f'stratum: "1"\nworkflow: {name}\nversion: 1.0.0\n{more}steps:\n{steps}'


def told(*texts: str) -> list[list[tuple[str, int, str]]]:
    """Of each, code, line and message of what is wrong."""
    loaded = [load(text, "w.yaml") for text in texts]
    assert [each.diagnostics for each in loaded] == [[] for _ in texts]
    check_together(loaded)
    return [
        [
            (found.code, found.position.line if found.position else 0, found.message)
            for found in each.diagnostics
        ]
        for each in loaded
    ]


def test_workflows_that_run_each_other_are_told_where_they_do() -> None:
    a = spec("a", "  - {id: x, parallel: {p: [{id: one, workflow: 'b:prod'}]}}\n")
    b = spec("b", "  - {id: y, map: {items: '[1]'}, steps: [{id: two, workflow: c}]}\n")
    c = spec(
        "c", "  - {id: three, workflow: 'arn:aws:states:us-east-1:1:stateMachine:a', when: $input.more}\n"
    )
    end = "these workflows would run each other without end: "
    assert told(a, b, c) == [
        [("S407", 5, f"{end}a -> b -> c -> a")],
        [("S407", 5, f"{end}b -> c -> a -> b")],
        [("S407", 5, f"{end}c -> a -> b -> c")],
    ]
    assert told(a, b) == [[], []]


CHILD = spec(
    "child", "  - {id: c, task: m.c, output: {sum: number}}\n", "input: {n: number}\noutput: {sum: number}\n"
)


def test_what_a_child_is_given_and_gives() -> None:
    parent = spec(
        "parent",
        "  - {id: a, workflow: child, input: {n: '{% $input.n %}'}, output: {sum: number}}\n"
        "  - {id: b, workflow: child, input: {n: '{% $input.n %}', m: 1}, output: {total: number}}\n"
        "  - {id: c, workflow: child, when: $a.sum > 3}\n"
        "  - {id: d, workflow: child, input: {n: '{% $input.name %}'}}\n",
        "input: {n: number, name: string}\n",
    )
    found, own = told(parent, CHILD)
    assert own == []
    who = "the workflow child"
    assert found == [
        ("S305", 7, f"{who} has no field `m`"),
        ("S304", 7, f"{who} comes to {{sum: number}}, and the contract wants {{total: number}}"),
        ("S306", 8, f"`n` is missing, which {who} wants (number)"),
        ("S304", 9, f"this is string, and {who} wants number"),
    ]

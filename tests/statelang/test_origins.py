"""The source map ties every way out of a state to the part of the step that it stands for."""

from __future__ import annotations

from typing import Any

from stratum.statelang.compiler import compile_spec
from stratum.statelang.spec import load

SPEC = """\
stratum: "1"
workflow: w
version: 1.0.0
input: {total: number}
defaults: {timeout: 30s}
steps:
  - id: first
    task: m.first
    output: {n: integer}
    ensure:
      - $result.n > 1
      - that: $result.n < 9
        otherwise: too many
    retry: {on: [Busy], attempts: 3, backoff: linear}
    on_error:
      - {match: [Busy], next: last}
      - {next: other}
  - id: choose
    decision:
      - {when: $input.total > 1, next: other}
      - {when: $input.total > 2, next: other}
      - {next: last}
  - id: other
    when: $input.total > 3
    needs:
      - {that: $first != null, within: 1m}
      - $input.total < 100
    task: m.other
    heartbeat: 5s
    retry: {attempts: 2, delay: 1s}
    on_error: [{next: last}]
  - {id: last, succeed: 1}
"""


def ways(step: str) -> list[tuple[str, int, str, list[str]]]:
    loaded = load(SPEC, "w.yaml")
    assert loaded.spec is not None, loaded.diagnostics
    compiled = compile_spec(loaded.spec, loaded.source)
    for entry in compiled.source_map["steps"].values():
        for way in entry["ways"]:
            for state, place in way["states"]:
                assert place.startswith("violated: ") or has(compiled.definition["States"][state], place)
    return [
        (way["what"], way["line"], way["text"], [f"{state}/{place}" for state, place in way["states"]])
        for way in compiled.source_map["steps"][step]["ways"]
    ]


def has(state: dict[str, Any], place: str) -> bool:
    key, _, index = place.rstrip("]").partition("[")
    return key in state and (not index or int(index) < len(state[key]))


def test_a_task_with_a_loop() -> None:
    assert ways("first") == [
        ("output", 9, "", ["first/violated: output"]),
        ("ensure", 11, "$result.n > 1", ["first/violated: $result.n > 1"]),
        ("ensure", 12, "$result.n < 9", ["first/violated: $result.n < 9"]),
        ("timeout", 7, "", ["first/TimeoutSeconds"]),
        (
            "on_error",
            17,
            "every error",
            ["first/Catch[1]", "first: check/Choices[1]", "first: again/Default"],
        ),
        ("retry", 14, "", ["first: again/Choices[0]"]),
        ("on_error", 16, "Busy", ["first: again/Choices[1]"]),
    ]


def test_a_decision() -> None:
    assert ways("choose") == [
        ("branch", 20, "$input.total > 1", ["choose/Choices[0]"]),
        ("branch", 21, "$input.total > 2", ["choose/Choices[1]"]),
        ("branch", 22, "otherwise", ["choose/Default"]),
    ]


def test_what_stands_before_a_step() -> None:
    assert ways("other") == [
        ("when", 24, "$input.total > 3", ["other: when/Choices[0]"]),
        ("skipped", 24, "$input.total > 3", ["other: when/Default"]),
        ("ready", 26, "", ["other: needs/Default"]),
        ("waiting", 26, "$first != null", ["other: needs/Choices[0]"]),
        ("not ready", 26, "$first != null", ["other: needs/Choices[1]"]),
        ("on_error", 31, "every error", ["other: needs/Choices[1]", "other: needs/Choices[2]", "other/Catch[0]"]),
        ("not ready", 27, "$input.total < 100", ["other: needs/Choices[2]"]),
        ("timeout", 23, "", ["other/TimeoutSeconds"]),
        ("heartbeat", 29, "", ["other/HeartbeatSeconds"]),
        ("retry", 30, "", ["other/Retry[0]"]),
    ]  # fmt: skip

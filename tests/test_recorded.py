"""Executions that AWS itself recorded, where they are at hand: every field of history and answer compared.

Those that need what the engine does not have yet (JSONPath, Parallel, Map, other operations) are left out; the rest
must agree.
"""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from stratum.handlers.api.front_door import OPERATIONS
from stratum.local.clock import VirtualClock
from stratum.local.cloud import CallFailed, LocalCloud
from stratum.local.functions import InProcessFunctions
from stratum.local.stores import open_store
from stratum.statelang.asl import InvalidDefinition, load_definition

CASES = Path(__file__).resolve().parents[2] / "shared" / "asl-cases"
pytestmark = pytest.mark.skipif(not CASES.exists(), reason="the recorded cases are not beside this checkout")


def cases() -> Iterator[dict[str, Any]]:
    """Cases of the interpreter alone whose every call and definition is supported."""
    for path in sorted(CASES.glob("*.json")):
        for case in json.loads(path.read_text()):
            if case["class"] == "a" and _supported(case):
                yield case


def _supported(case: dict[str, Any]) -> bool:
    calls = [step for step in case["steps"] if "call" in step]
    for step in calls:
        service, _, operation = step["call"].partition(".")
        if service != "stepfunctions" or operation not in OPERATIONS or "fails" in step:
            return False
        if operation == "CreateStateMachine":
            try:
                load_definition(step["params"]["definition"])
            except InvalidDefinition:
                return False
            if step["params"].get("type") == "EXPRESS":
                return False
    return bool(calls)


def play(case: dict[str, Any], difference: Any) -> str | None:
    """Makes the calls of the case; answers the first difference from what AWS answered."""
    names: dict[str, Any] = {}
    replaced: dict[str, str] = {}
    answers: list[Any] = []
    with LocalCloud(
        open_store("sqlite:///:memory:"), InProcessFunctions(), clock=VirtualClock(), workers=0
    ) as cloud:
        for step in case["steps"]:
            if "match" in step:
                answer = answers[step["of"]]
                for part in step.get("path") or []:
                    answer = answer[part]
                if found := difference(step["expected"], answer, names):
                    return f"{step['match']}{found}"
                answers.append(None)
                continue
            text = json.dumps(step["params"])
            for recorded, ours in replaced.items():
                text = text.replace(recorded, ours)
            if step.get("until"):
                cloud.drain()
            try:
                answer = cloud.call(step["call"].partition(".")[2], **json.loads(text))
            except CallFailed as failed:
                return f"{step['call']}: {failed}"
            for name, recorded in (step.get("returned") or {}).items():
                if isinstance(answer.get(name), str):
                    replaced[recorded] = answer[name]
            answers.append(answer)
    return None


def test_recorded_executions(capsys: pytest.CaptureFixture[str]) -> None:
    spec = importlib.util.spec_from_file_location("compare", CASES / "compare.py")
    assert spec is not None
    assert spec.loader is not None
    compare = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(compare)
    differs: dict[str, str] = {}
    count = 0
    for case in cases():
        count += 1
        if found := play(case, compare.difference):
            differs[case["id"]] = found
    with capsys.disabled():
        print(f"\nrecorded executions: {count - len(differs)} of {count} agree")
        for id, found in differs.items():
            print(f"  {id.rpartition('::')[2]}: {found[:300]}")
    assert count > 15
    assert differs == {}

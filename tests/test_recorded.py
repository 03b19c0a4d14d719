"""Executions and API answers that AWS itself recorded, where they are at hand: every field compared.

Of the interpreter alone (class a), of the API's surface (d), of mocked integrations (m).
"""

from __future__ import annotations

from collections import Counter

import pytest
from recorded import CASES, cases, load_compare, play

pytestmark = pytest.mark.skipif(not CASES.exists(), reason="the recorded cases are not beside this checkout")

CONTRADICTED = "other recordings of the same kind say otherwise"
DIFFERS = {
    "test_map_state_config_distributed_items_path_from_previous": f"the exit of a distributed map, recorded in 2025, follows the start of its map run; {CONTRADICTED} (2024)",
    "test_map_state_nested_config_distributed": f"as above, recorded in December 2024; {CONTRADICTED}",
    "test_map_state_label": f"the first state's input is printed anew; {CONTRADICTED} (three of February 2024 keep its spaces)",
    "test_map_state_config_distributed_reentrant": "one placeholder stands for the ARNs of three map runs",
    "test_max_concurrency_path_negative": "the recording ends after ExecutionStarted: AWS failed without saying how",
}
"""Cases in which our answer is not AWS's, and why."""

LEAST = 0.97
LEAST_OF_A_GROUP = 0.90


def test_recorded_cases(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    compare = load_compare()
    total: Counter[str] = Counter()
    agree: Counter[str] = Counter()
    differs: dict[str, str] = {}
    for group, case in cases("adm"):
        total[group] += 1
        found = play(case, compare.difference)
        if found is None:
            agree[group] += 1
        else:
            differs[case["id"].rpartition("::")[2]] = found
    with capsys.disabled():
        print("\nrecorded cases that agree with AWS in every field:")
        for group in sorted(total):
            print(f"  {group:34} {agree[group]:4} of {total[group]:4}")
        print(f"  {'all':34} {agree.total():4} of {total.total():4}")
        for name, found in differs.items():
            print(f"  {name}: {DIFFERS.get(name, found[:300])}")
    assert {name: found for name, found in differs.items() if name not in DIFFERS} == {}
    assert agree.total() >= LEAST * total.total()
    assert {group: agree[group] for group in total if agree[group] < LEAST_OF_A_GROUP * total[group]} == {}

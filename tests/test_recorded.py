"""Executions and API answers that AWS itself recorded, where they are at hand: every field compared.

Of the interpreter alone (class a), of the API's surface (d), of mocked integrations (m); with Lambda functions that
really run (b), and with other services, which moto has (c).
"""

from __future__ import annotations

from collections import Counter

import pytest
from endpoint import Everything
from recorded import CASES, cases, load_compare, play

pytestmark = pytest.mark.skipif(not CASES.exists(), reason="the recorded cases are not beside this checkout")

CONTRADICTED = "other recordings of the same kind say otherwise"
DIFFERS = {
    "test_map_state_config_distributed_items_path_from_previous": f"the exit of a distributed map, recorded in 2025, follows the start of its map run; {CONTRADICTED} (2024)",
    "test_map_state_nested_config_distributed": f"as above, recorded in December 2024; {CONTRADICTED}",
    "test_map_state_label": f"the first state's input is printed anew; {CONTRADICTED} (three of February 2024 keep its spaces)",
    "test_map_state_config_distributed_reentrant": "one placeholder stands for the ARNs of three map runs",
    "test_max_concurrency_path_negative": "the recording ends after ExecutionStarted: AWS failed without saying how",
    "test_map_state_config_distributed_reentrant_lambda": "as above",
    "test_map_item_reader_base_json_with_items_path[VALID_ITEMS_PATH_FROM_PREVIOUS]": f"the start of a map run comes before the run, recorded in 2025; {CONTRADICTED} (2023, 2024)",
    "test_map_state_result_writer": f"the first state's input is printed anew; {CONTRADICTED}",
    "test_invalid_secret_name": "moto takes any name for a secret",
    "test_fifo_message_attribute[input_params0-True]": "moto says otherwise what a message of a FIFO topic lacks",
}
"""Cases in which our answer is not AWS's, and why."""

LEAST = 0.97
LEAST_OF_MOTO = 0.85
LEAST_OF_A_GROUP = 0.90


def test_recorded_cases(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    total, agree = _played("adm", capsys)
    assert agree.total() >= LEAST * total.total()
    assert {group: agree[group] for group in total if agree[group] < LEAST_OF_A_GROUP * total[group]} == {}


def test_recorded_cases_with_functions_and_services(capsys: pytest.CaptureFixture[str]) -> None:
    everything = Everything()
    try:
        total, agree = _played("b", capsys, everything)
        assert agree.total() >= LEAST * total.total()
        total, agree = _played("c", capsys, everything)
        assert agree.total() >= LEAST_OF_MOTO * total.total()
    finally:
        everything.close()


def _played(
    classes: str, capsys: pytest.CaptureFixture[str], everything: Everything | None = None
) -> tuple[Counter[str], Counter[str]]:
    """How many cases of each group there are, and how many agree; those that differ are known to."""
    compare = load_compare()
    total: Counter[str] = Counter()
    agree: Counter[str] = Counter()
    differs: dict[str, str] = {}
    for group, case in cases(classes):
        total[group] += 1
        found = play(case, compare.difference, everything and everything.fresh())
        if found is None:
            agree[group] += 1
        else:
            differs[case["id"].rpartition("::")[2]] = found
    with capsys.disabled():
        print(f"\nrecorded cases of class {', '.join(classes)} that agree with AWS in every field:")
        for group in sorted(total):
            print(f"  {group:34} {agree[group]:4} of {total[group]:4}")
        print(f"  {'all':34} {agree.total():4} of {total.total():4}")
        for name, found in differs.items():
            print(f"  {name}: {DIFFERS.get(name, found[:300])}")
    assert {name: found for name, found in differs.items() if name not in DIFFERS} == {}
    return total, agree

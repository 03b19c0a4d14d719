"""`stratum cost`: of a file before it runs, of an execution after it did."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from stratum.local.cli import main
from stratum.local.cost import load_prices, of_execution
from stratum.local.stores import open_store

EXAMPLES = Path(__file__).resolve().parents[2] / "local" / "examples"
ASL = {
    "StartAt": "M",
    "States": {
        "M": {
            "Type": "Map", "End": True,
            "ItemProcessor": {
                "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "EXPRESS"},
                "StartAt": "W", "States": {"W": {"Type": "Pass", "Next": "X"}, "X": {"Type": "Pass", "End": True}},
            },
        }
    },
}  # fmt: skip


class Command:
    """`stratum` in a folder, in this process."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]):
        self.folder = folder
        self._capsys = capsys
        self.errors = ""

    def __call__(self, *arguments: str, code: int = 0) -> str:
        """What it printed on stdout; `errors` is what it did on stderr."""
        given = main(arguments)
        printed = self._capsys.readouterr()
        self.errors = printed.err
        assert given == code, printed.err
        return printed.out

    def figures(self, *arguments: str) -> dict[str, Any]:
        return json.loads(self("cost", *arguments, "--json"))["figures"]


@pytest.fixture
def stratum(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "m.json").write_text(json.dumps(ASL))
    return Command(tmp_path, capsys)


def test_a_spec_before_it_runs(stratum: Command) -> None:
    printed = stratum("cost", str(EXAMPLES / "orders" / "orders.yaml"))
    lines = [" ".join(line.split()) for line in printed.splitlines()]
    assert lines[0].startswith("orders, estimated: 1,000,000 executions in us-east-1, at prices of 2")
    assert lines[2] == "least typical most"
    least, typical, _ = lines[3].removeprefix("transitions of one execution ").split()
    assert lines[4].startswith(f"AWS Step Functions, Standard ${int(least) * 25}.00 ${int(typical) * 25}.00")


def test_items_and_task_seconds_are_taken(stratum: Command) -> None:
    found = stratum.figures("m.json", "--items", "3")["most"]["counts"]
    assert (found["transitions"], found["express_children"]) == (4, 3)
    assert stratum.figures("m.json", "--items", "3", "--items", "M=5")["least"]["counts"]["children"] == 5


def test_an_execution_after_it_ran_and_the_line_after_a_run(stratum: Command) -> None:
    stratum("run", "m.json", "--input", "[1, 2]", "--name", "first")
    assert "cost: 3 transitions; a million such runs are $" in stratum.errors
    counted = stratum.figures("--execution", "first")["counted"]
    assert (counted["counts"]["transitions"], counted["counts"]["express_children"]) == (3, 2)
    bill = next(bill for bill in counted["bills"] if bill["name"] == "AWS Step Functions, Standard")
    assert bill["items"][0]["dollars"] == pytest.approx(3 * 0.000025)
    store = open_store(f"sqlite:///{stratum.folder}/.stratum/stratum.db")
    head = next(head for head in store.heads().items if head.name == "first")
    twice = of_execution(load_prices(), store, head, executions=2)
    assert twice.bills[2].dollars == pytest.approx(2 * counted["bills"][2]["dollars"])
    store.close()
    printed = stratum("cost", "--execution", "first")
    assert "m first, counted: 1 execution in us-east-1" in printed


def test_prices_of_ones_own(stratum: Command) -> None:
    (stratum.folder / "own.yaml").write_text(
        "as_of: our contract\nregions: {eu-west-1: {standard_transition: 1}}\n"
    )
    shown = stratum("cost", "m.json", "--region", "eu-west-1", "--prices", "own.yaml", "--executions", "1")  # fmt: skip
    assert "1 execution in eu-west-1, at prices of our contract" in shown
    assert "$11.00" in shown


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "give a FILE to estimate, or --execution NAME"),
        (["m.json", "--execution", "x"], "give a FILE to estimate, or --execution NAME"),
        (["m.json", "--executions", "0"], "--executions is a number from 1"),
        (["m.json", "--executions", "nan"], "--executions is a number from 1"),
        (["m.json", "--items", "many"], "--items many: give a number of items, or NAME=N"),
        (["m.json", "--items", "M=-1"], "--items M=-1: give"),
        (["m.json", "--task-seconds", "inf"], "--task-seconds is a number of seconds"),
        (["m.json", "--region", "moon"], "there are no prices for moon; there are for us-east-1"),
        (["m.json", "--prices", "none.yaml"], "none.yaml cannot be read: No such file or directory"),
        (["m.json", "--prices", "bad.yaml"], "bad.yaml:2:1: error S103"),
        (["--execution", "x"], "there is no store at"),
        (["none.json"], "there is no file none.json"),
    ],
)
def test_wrong_requests(stratum: Command, arguments: list[str], said: str) -> None:
    (stratum.folder / "bad.yaml").write_text("a: [\n")
    stratum("cost", *arguments, code=2)
    assert said in stratum.errors

"""Test cases in YAML: what `stratum test` says of them, and pytest."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

import pytest
from machines import RETRY, call, callback, machine, wait
from stratum.local.cli import main
from stratum.local.testing.cases.models import json_schema
from stratum.local.testing.cases.reading import CODES, read

EXAMPLES = Path(__file__).resolve().parents[2] / "local" / "examples"
FLOW = machine(
    Pay=call("shop.pay", Retry=RETRY),
    Ask=callback(HeartbeatSeconds=60),
    Wait=wait(86400),
    End={"Type": "Pass"},
)
SHOP = """
def pay(event, context):
    print("paying", event["amount"])
    return {"paid": event["amount"], "items": [1, 2]}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "flow.asl.json").write_text(json.dumps(FLOW))
    (tmp_path / "shop.py").write_text(SHOP)
    return tmp_path


def write(folder: Path, cases: str, name: str = "flow.test.yaml") -> Path:
    path = folder / name
    path.write_text(f'stratum_test: "1"\n{textwrap.dedent(cases)}')
    return path


def stratum_test(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    capsys.readouterr()
    code = main(["test", *arguments])
    told = capsys.readouterr()
    return code, told.out, told.err


def test_the_examples_pass(tmp_path: Path) -> None:
    command = [str(Path(sys.executable).with_name("stratum")), "test", str(EXAMPLES), "--junit", "out.xml"]
    environ = {**os.environ, "STRATUM_EXAMPLE_DATA": str(tmp_path)}
    done = subprocess.run(
        command, cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    suites = ElementTree.parse(tmp_path / "out.xml").getroot()
    assert int(suites.attrib["tests"]) >= 29
    assert suites.attrib["failures"] == "0"
    assert len(suites) == 4


def test_everything_that_a_case_can_say(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "input.json").write_text('{"amount": 5}')
    write(
        folder,
        """
        input_file: input.json
        mocks: {Ask: {return: {ok: true}}}
        cases:
          - name: with the function beside the workflow
            expect:
              path: [Pay, Ask, Wait, End]
              output: {ok: true}
              duration: 24h
              that: [$seconds = 86400, "$count($path) = 4", $steps.Pay.output.paid = $input.amount]
              steps:
                Pay: {attempts: 1, input: {amount: 5}, output_has: {items: [1, 2]}, status: SUCCEEDED}
          - name: tried again, then late
            mocks:
              shop.pay: {sequence: [{throw: Busy}], then: {return: {paid: 1}}}
              Ask: {return: 3, after: 1h, heartbeat: 50s}
            all_mocks_used: true
            expect:
              output: 3
              steps: {Pay: {attempts: 2, error: Busy}, Ask: {input_has: {input: {paid: 1}}}}
              duration: {at_least: 26h, at_most: 27h}
          - name: nobody answers
            input: {amount: 1}
            mocks: {Ask: never}
            expect: {error: States.Timeout, steps: {Ask: {status: FAILED}, Wait: {ran: false}}}
          - name: not now
            skip: because
        """,
    )
    code, out, err = stratum_test(capsys, "flow.asl.json")
    assert (code, err) == (0, "")
    assert "skipped  not now: because" in out
    assert "3 passed, 1 skipped" in out
    assert "paying" not in out  # what functions print is shown where a case fails


def test_maps_with_iterations(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    each = {"Type": "Map", "ItemProcessor": machine(Inner=call("f", Retry=RETRY))}
    (folder / "each.asl.json").write_text(json.dumps(machine(Each=each)))
    write(
        folder,
        """
        input: [1, 2, 3]
        cases:
          - name: by iteration
            mocks: {Inner: {iterations: [{return: a}, [{throw: Busy}, {return: b}]], then: {return: c}}}
            expect: {output: [a, b, c], steps: {Inner: {attempts: 4}}, path: [Each, Inner, Inner, Inner]}
        """,
        "each.test.yaml",
    )
    code, out, _ = stratum_test(capsys)
    assert code == 0, out


def test_what_is_otherwise_than_wanted_is_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(
        folder,
        """
        input: {amount: 5}
        mocks: {Ask: {return: {ok: true, n: [1]}}}
        cases:
          - name: wrong all over
            expect:
              status: TIMED_OUT
              path: [Pay, Wait]
              output: {ok: false, n: [1], x: 1}
              output_has: {n: [2]}
              error: E
              cause: why
              that: [$output.n = 2, $nothing, "$number('x')"]
              duration: 1h
              steps: {Pay: {attempts: 2, input: {amount: 6}}, End: {ran: false}}
          - name: the function breaks
            input: {}
          - name: the mock is used up
            mocks: {Pay: [{throw: Busy}]}
          - name: nobody gave the function
            tasks: {Ask: shop.nothing}
            real: [Ask]
        """,
    )
    code, out, _ = stratum_test(capsys, "flow.test.yaml", "--junit", "out.xml")
    assert code == 1
    for text in (
        "flow.test.yaml:6: wrong all over",
        "the status is SUCCEEDED, TIMED_OUT was wanted",
        "the error is none, E was wanted",
        "the cause is '', 'why' was wanted in it",
        "+ Ask   there, and not wanted",
        "$.ok: true, wanted false",
        "$.x: missing, wanted 1",
        "$.n[0]: 1, wanted 2",
        "$output.n = 2: is false, true was wanted",
        "$nothing: is nothing, true was wanted",
        "it took 1 day, 0:00:00, 1:00:00 was wanted",
        "Pay: attempts is 1, 2 was wanted",
        "$.amount: 5, wanted 6",
        "End: ran is true, false was wanted",
        "KeyError: 'amount'",  # with the line of the function that raised it
        'print("paying", event["amount"])',
        "the mock of 'Pay' has 1 outcome, and this is try 2",
        "shop has no function 'nothing'",
        "4 failed",
    ):
        assert text in out, text
    suites = ElementTree.parse(folder / "out.xml").getroot()
    assert suites.attrib["failures"] == "4"
    assert "paying 5" in (suites.findtext(".//system-out") or "")


def test_options(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(
        folder,
        "mocks: {Ask: {return: 1}}\ncases: [{name: fails, input: {}}, {name: Works, input: {amount: 1}}]\n",
    )
    code, out, _ = stratum_test(capsys, "-k", "works")
    assert (code, "fails" in out) == (0, False)
    assert stratum_test(capsys, "-x")[1].count("Works") == 0
    code, out, err = stratum_test(capsys, "--json")
    assert code == 1
    assert [(each["name"], each["status"]) for each in json.loads(out)] == [
        ("fails", "failed"),
        ("Works", "passed"),
    ]
    assert "1 passed, 1 failed" in err
    assert stratum_test(capsys, "-k", "nothing")[0] == 2
    assert stratum_test(capsys, "--junit", "no/such/folder.xml")[0] == 2


@pytest.mark.parametrize(
    ("cases", "told"),
    [
        ("cases: [{name: a, expct: {}}]", ["2:19", "T201", "did you mean `expect`?"]),
        ("mocks: {Pay: {retrun: 1}}\ncases: [{name: a}]", ["2:15", "T201", "did you mean `return`?"]),
        ("mocks: {Pay: [{return: 1}, {trow: E}]}\ncases: [{name: a}]", ["2:29", "did you mean `throw`?"]),
        (
            "mocks: {Pay: {return: 1, throw: E}}\ncases: [{name: a}]",
            ["2:14", "T203", "not `return` and `throw`"],
        ),
        ("mocks: {Pay: {}}\ncases: [{name: a}]", ["T203", "not none"]),
        ("mocks: {Pay: {return: 1, then: {return: 2}}}\ncases: [{name: a}]", ["`then` goes with"]),
        ("mocks: {pay: {return: 1}}\ncases: [{name: a}]", ["2:9", "T302", "did you mean 'Pay'?"]),
        ("mocks: {Wait: {return: 1}}\ncases: [{name: a}]", ["2:9", "T302", "is a Wait state"]),
        ("tasks: {Wait: a.b}\ncases: [{name: a}]", ["2:9", "T302"]),
        ("cases: [{name: a, expect: {path: [Pay, Aks]}}]", ["2:40", "did you mean 'Ask'?"]),
        ("cases: [{name: a, expect: {steps: {Pya: {}}}}]", ["2:36", "did you mean 'Pay'?"]),
        ("cases: [{name: a, expect: {that: '$a +'}}]", ["T304", "does not parse"]),
        ("cases: [{name: a, expect: {duration: 1y}}]", ["2:38", "no duration"]),
        ("cases: [{name: a}, {name: a}]", ["2:27", "T204", "on line 2 already"]),
        ("cases: [{name: a, input_file: no.json}]", ["2:31", "T303"]),
        ("cases: [{name: a, input: 1, input_file: x}]", ["either `input` or `input_file`"]),
        ("cases: [{name: a, workflow: no.yaml}]", ["2:29", "T301", "there is no file no.yaml"]),
        ("cases: [{name: a, real: [Pay]}]", ["2:26", "the file mocks no 'Pay'"]),
        ("cases: [{name: a, now: '2026-01-01'}]", ["a timestamp has its zone"]),
        ("cases: [{name: a, test_case: Happy}]", ["goes with `mock_config`"]),
        ("cases: []", ["T203", "`cases`"]),
        ("cases: 3", ["T203", "a list, not a number"]),
        ("cases: [{name: é, expect: {status: DONE}}]", ["`status` is", "'DONE'"]),
        ("cases: [", ["S103"]),
        ("x: &a [*a]", ["S104"]),
    ],
)
def test_a_wrong_file_is_told_with_its_places(folder: Path, cases: str, told: Sequence[str]) -> None:
    path = write(folder, cases)
    found = read(path)
    assert not found.ok
    text = "\n".join(found.texts())
    for each in told:
        assert each in text, text


def test_all_errors_of_all_files_are_told_and_nothing_is_run(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(folder, "cases: [{name: a, mocks: {X: {return: 1}, Y: {return: 1}}}]")
    write(folder, "workflow: flow.asl.json\ncases: [{name: b}, {nam: c}]", "other.test.yaml")
    (folder / "others.test.yaml").write_text("rules: [not ours]\n")
    code, out, err = stratum_test(capsys)
    assert (code, out) == (2, "")
    assert "4 errors; nothing was run" in err
    for arguments, text in (
        (["no.test.yaml"], "there is no file no.test.yaml"),
        (["shop.py"], "there is no shop.test.yaml beside it"),
        ([str(EXAMPLES / "release" / "package")], "no test files in"),
    ):
        code, _, err = stratum_test(capsys, *arguments)
        assert code == 2
        assert text in err


def test_pytest_collects_test_files(folder: Path) -> None:
    write(
        folder,
        "mocks: {Ask: {return: 1}}\ncases: [{name: fails, input: {}}, {name: works, input: {amount: 1}}]\n",
    )
    write(folder, "workflow: flow.asl.json\ncases: [{nam: c}]", "wrong.test.yaml")
    (folder / "others.test.yaml").write_text("rules: [not ours]\n")

    def run(*arguments: str) -> tuple[int, str]:
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
        return done.returncode, done.stdout

    code, told = run("--ignore", "wrong.test.yaml")
    assert code == 1
    assert "1 failed, 1 passed" in told
    assert "SUCCEEDED was wanted" in told
    code, told = run("wrong.test.yaml")
    assert code == 2
    assert "did you mean `name`?" in told


def test_the_schema_is_there_for_editors() -> None:
    schema = json_schema()
    assert schema["$defs"]["Mock"]["properties"]["return"]
    assert json.loads((EXAMPLES / "stratum.test.schema.json").read_text()) == schema, (
        "run: stratum schema --tests > local/examples/stratum.test.schema.json"
    )
    assert all(code[0] == "T" for code in CODES)

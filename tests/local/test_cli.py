"""The command line, as a process of its own."""

from __future__ import annotations

import json
import os
import pty
import subprocess
from pathlib import Path
from typing import Any

import pytest
from command_line import COMMAND, stratum
from stratum.local.cli import main

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "local" / "examples"

HELLO = 'stratum: "1"\nworkflow: hello\nversion: 1.0.0\nsteps:\n  - {id: greet, task: hello.greet, input: {name: "{% $input.name %}"}}\n'
HANDLER = "def greet(event, context):\n    print('greeting')\n    return 'Hello, ' + event['name']\n"
ASL = {
    "StartAt": "A",
    "QueryLanguage": "JSONata",
    "States": {"A": {"Type": "Pass", "Output": "{% $states.input.n + 1 %}", "End": True}},
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "hello.yaml").write_text(HELLO)
    (tmp_path / "hello.py").write_text(HANDLER)
    (tmp_path / "asl.json").write_text(json.dumps(ASL))
    return tmp_path


def test_run_prints_the_result_alone_on_stdout(folder: Path) -> None:
    done = stratum(folder, "run", "hello.yaml", "--input", '{"name": "Ada"}', "--name", "one")
    assert (done.returncode, json.loads(done.stdout)) == (0, "Hello, Ada")
    assert "greet" in done.stderr
    assert "stratum history one" in done.stderr
    again = stratum(folder, "run", "hello.yaml", "--name", "one")
    assert again.returncode == 2
    assert "stratum show one" in again.stderr


def test_run_as_json(folder: Path) -> None:
    done = stratum(folder, "run", "hello.yaml", "--input", '{"name": "Ada"}', "--json")
    outcome = json.loads(done.stdout)
    assert (outcome["status"], outcome["output"]) == ("SUCCEEDED", "Hello, Ada")


def test_a_workflow_that_fails_is_1_and_says_why(folder: Path) -> None:
    done = stratum(folder, "run", "hello.yaml", "--input", '{"name": 5}')
    assert (done.returncode, done.stdout) == (1, "")
    assert "TypeError" in done.stderr
    assert "hello.py" in done.stderr


@pytest.mark.parametrize("name", ["asl.json", "asl.yaml"])
def test_asl_runs_just_the_same(folder: Path, name: str) -> None:
    (folder / "asl.yaml").write_text(
        "StartAt: A\nQueryLanguage: JSONata\nStates:\n  A: {Type: Pass, Output: '{% $states.input.n + 1 %}', End: true}\n"
    )
    done = stratum(folder, "run", name, "--input", '{"n": 41}')
    assert (done.returncode, done.stdout.strip()) == (0, "42"), done.stderr


def test_asl_is_validated_with_its_places_and_warnings(folder: Path) -> None:
    (folder / "order.asl.json").write_text(
        '{"StartAt": "Ask a/b",\n "States": {\n  "Ask a/b": {"Type": "Task", "End": true,\n'
        '    "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",\n'
        '    "Parameters": {"QueueUrl": "q", "MessageBody.$": "$$.Task.Token"}}\n }\n}\n'
    )
    done = stratum(folder, "validate", "order.asl.json")
    assert (done.returncode, done.stdout) == (0, "order.asl.json: ok\n")
    assert "order.asl.json:3:3: warning CALLBACK_WITHOUT_TIMEOUT" in done.stderr
    assert '\n      "Ask a/b": {' in done.stderr
    assert "\n      ^^^^^^^^^\n" in done.stderr

    broken = (folder / "order.asl.json").read_text().replace('"End": true', '"Next": "Nowhere"')
    (folder / "order.asl.json").write_text(broken)
    done = stratum(folder, "validate", "order.asl.json", "--json")
    findings = {finding["code"]: finding for finding in json.loads(done.stdout)["findings"]}
    assert done.returncode == 2
    target = findings["MISSING_TRANSITION_TARGET"]
    assert (target["line"], target["location"], target["severity"]) == (3, "/States/Ask a/b/Next", "error")
    assert stratum(folder, "run", "order.asl.json").returncode == 2

    (folder / "order.asl.json").write_text('{"States": {}}')
    done = stratum(folder, "validate", "order.asl.json")
    assert (done.returncode, "These fields are required: [StartAt]" in done.stderr) == (2, True)


def test_what_was_run_can_be_looked_at(folder: Path) -> None:
    stratum(folder, "run", "hello.yaml", "--input", '{"name": "Ada"}', "--name", "first")
    assert "first" in stratum(folder, "list").stdout
    assert json.loads(stratum(folder, "list", "--json").stdout)[0]["status"] == "SUCCEEDED"
    shown = stratum(folder, "show", "fir").stdout
    assert "greet" in shown
    assert "every digest is right" in shown
    events = json.loads(stratum(folder, "history", "first", "--json").stdout)
    assert [event["id"] for event in events] == list(range(1, len(events) + 1))
    assert events[0]["type"] == "ExecutionStarted"
    assert "TaskSucceeded" in stratum(folder, "history", "first").stdout
    stop = stratum(folder, "stop", "first")
    assert (stop.returncode, "ended already" in stop.stderr) == (2, True)
    assert "did you mean first" in stratum(folder, "show", "frist").stderr


def test_compile_graph_and_schema(folder: Path) -> None:
    definition = json.loads(stratum(folder, "compile", "hello.yaml").stdout)
    assert definition["States"]["greet"]["Type"] == "Task"
    source_map = json.loads(stratum(folder, "compile", "hello.yaml", "--source-map").stdout)
    assert source_map["states"]["greet"] == {"step": "greet", "role": "task", "line": 5, "column": 5}
    stratum(folder, "compile", "hello.yaml", "-o", "out.json")
    assert json.loads((folder / "out.json").read_text()) == definition
    assert stratum(folder, "graph", "hello.yaml").stdout.startswith("flowchart TD")
    assert stratum(folder, "graph", "asl.json").stdout.startswith("flowchart TD")
    assert json.loads(stratum(folder, "schema").stdout)["title"] == "A Stratum workflow"


@pytest.mark.parametrize("example", ["orders", "etl", "release"])
def test_the_examples_are_valid(example: str, tmp_path: Path) -> None:
    file = str(EXAMPLES / example / f"{example}.yaml")
    assert stratum(tmp_path, "validate", file).returncode == 0
    assert json.loads(stratum(tmp_path, "compile", file).stdout)["StartAt"] == "workflow: start"


@pytest.mark.parametrize(
    ("example", "input", "code", "said"),
    [
        ("orders", "input", 0, "tracking"),
        ("orders", "declined", 1, "CardDeclined"),
        ("orders", "out-of-stock", 1, "OutOfStock"),
        ("etl", "input", 0, "zones.csv"),
        ("etl", "dirty", 1, "of the zones have no comment"),
        ("release", "input", 0, '"status": "ok"'),
        ("release", "broken", 1, "ReleaseRolledBack"),
    ],
)
def test_the_examples_run(example: str, input: str, code: int, said: str, tmp_path: Path) -> None:
    folder = EXAMPLES / example
    done = stratum(tmp_path, "run", str(folder / f"{example}.yaml"), "--input", f"@{folder / input}.json")
    assert done.returncode == code, done.stderr
    assert said in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("bomb.yaml", b"a: &a [x,x,x,x,x,x,x,x,x]\n" + b"".join(b"%c: &%c [%s]\n" % (98 + n, 98 + n, b",".join([b"*%c" % (97 + n)] * 9)) for n in range(12))),
        ("empty.yaml", b""),
        ("binary.yaml", bytes(range(256)) * 100),
        ("huge.yaml", b"a: " + b"x" * 50_000_000),
        ("deep.json", b"[" * 100_000),
        ("wrong.json", b'{"StartAt": "A", "States": {"A": {"Type": "Sleep"}}}'),
    ],
)  # fmt: skip
def test_whatever_the_file_is_there_is_an_answer(name: str, content: bytes, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    for command in ("validate", "run", "compile"):
        done = stratum(tmp_path, command, name)
        assert done.returncode == 2
        assert name in done.stderr
        assert "Traceback" not in done.stderr
    findings = json.loads(stratum(tmp_path, "validate", name, "--json").stdout)
    assert not findings["ok"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run", "helo.yaml"], "did you mean hello.yaml?"),
        (["run", "."], "is a folder"),
        (["run", "hello.yaml", "--input", "{"], "not JSON"),
        (["run", "hello.yaml", "--input", "@none.json"], "there is no file none.json"),
        (["run", "hello.yaml", "--input", "hello.json"], "--input @hello.json"),
        (["run", "hello.yaml", "--name", "a b"], "Invalid Name"),
        (["run", "hello.yaml", "--store", "mysql://x"], "is not the address of a store"),
        (["show", "x"], "there is no store"),
        (["list", "--status", "DONE", "--store", "sqlite:///:memory:"], "is no status"),
        (["compile", "asl.json", "--source-map"], "only a spec has a source map"),
        (["frobnicate"], "invalid choice"),
    ],
)
def test_a_wrong_request_is_2_and_says_how_to_go_on(arguments: list[str], said: str, folder: Path) -> None:
    done = stratum(folder, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_an_input_that_the_contract_refuses_starts_nothing(tmp_path: Path) -> None:
    done = stratum(tmp_path, "run", str(EXAMPLES / "orders" / "orders.yaml"), "--input", '{"id": 5}')
    assert done.returncode == 2
    assert "$.id" in done.stderr
    assert "$.card" in done.stderr
    assert not (tmp_path / ".stratum").exists()


def test_another_process_can_stop_a_run(folder: Path) -> None:
    (folder / "long.yaml").write_text(
        'stratum: "1"\nworkflow: long\nversion: 1.0.0\nsteps: [{id: nap, wait: 1h}]\n'
    )
    run = subprocess.Popen(
        [*COMMAND, "run", "long.yaml", "--name", "nap"], cwd=folder, stderr=subprocess.PIPE, text=True
    )
    assert run.stderr is not None
    while "nap " not in run.stderr.readline():
        pass  # the line of the step comes once the execution is in the store
    assert "another process is running it" in stratum(folder, "resume").stderr
    assert stratum(folder, "stop", "nap", "--error", "Enough").returncode == 0
    assert run.wait(timeout=20) == 1
    assert "ABORTED" in run.stderr.read()


def test_a_terminal_gets_a_live_tree(folder: Path) -> None:
    ours, theirs = pty.openpty()
    arguments: dict[str, Any] = {
        "cwd": folder,
        "stdout": subprocess.PIPE,
        "stderr": theirs,
        "env": {**os.environ, "TERM": "xterm"},
    }
    run = subprocess.Popen([*COMMAND, "run", "hello.yaml", "--input", '{"name": "Ada"}'], **arguments)
    os.close(theirs)
    shown = b""
    while True:
        try:
            chunk = os.read(ours, 4096)
        except OSError:
            break
        if not chunk:
            break
        shown += chunk
    os.close(ours)
    assert run.wait(timeout=20) == 0
    assert "✓".encode() in shown
    assert run.stdout is not None
    assert json.loads(run.stdout.read()) == "Hello, Ada"


def test_a_damaged_store_is_told_and_left_alone(folder: Path) -> None:
    stratum(folder, "run", "hello.yaml", "--input", '{"name": "Ada"}')
    store = folder / ".stratum" / "stratum.db"
    damaged = bytearray(store.read_bytes())
    damaged[4096:] = b"\x55" * (len(damaged) - 4096)
    store.write_bytes(damaged)
    for arguments in (["list"], ["run", "hello.yaml", "--input", '{"name": "Ada"}']):
        done = stratum(folder, *arguments)
        assert done.returncode in (1, 2)
        assert "Traceback" not in done.stderr
        assert "store" in done.stderr


def test_one_name_is_run_by_one_process(folder: Path) -> None:
    (folder / "long.yaml").write_text(
        'stratum: "1"\nworkflow: long\nversion: 1.0.0\nsteps: [{id: nap, wait: 1h}]\n'
    )
    run = subprocess.Popen(
        [*COMMAND, "run", "long.yaml", "--name", "nap"], cwd=folder, stderr=subprocess.PIPE, text=True
    )
    assert run.stderr is not None
    while "nap " not in run.stderr.readline():
        pass  # the line of the step comes once the execution is in the store
    again = stratum(folder, "run", "long.yaml", "--name", "nap")
    run.kill()
    run.communicate()
    assert (again.returncode, "another process is running 'nap'" in again.stderr) == (2, True)


@pytest.mark.parametrize(
    "input", ['"\\ud800"', "123456789012345678901234567890", '"h\u00e9llo \u2603"', "null", "[]", "1e-7"]
)
def test_odd_inputs_come_out_as_they_went_in(folder: Path, input: str) -> None:
    (folder / "pass.json").write_text(json.dumps({**ASL, "States": {"A": {"Type": "Pass", "End": True}}}))
    done = stratum(folder, "run", "pass.json", "--input", input)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == json.loads(input)


def test_an_input_that_is_too_large_is_refused(folder: Path) -> None:
    (folder / "big.json").write_text(json.dumps("x" * 300_000))
    done = stratum(folder, "run", "asl.json", "--input", "@big.json")
    assert (done.returncode, "262144" in done.stderr) == (2, True)


def test_a_json_schema_file_is_a_contract(folder: Path) -> None:
    (folder / "order.schema.json").write_text(
        '{"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"], "not": {}}'
    )
    (folder / "hello.yaml").write_text(
        HELLO.replace("steps:", "types: {Order: {$ref: order.schema.json}}\ninput: Order\nsteps:")
    )
    done = stratum(folder, "run", "hello.yaml", "--input", '{"name": 1}')
    assert done.returncode == 2
    assert "$.name: expected string, got number" in done.stderr
    done = stratum(folder, "run", "hello.yaml", "--input", '{"name": "Ada"}')
    assert (done.returncode, json.loads(done.stdout)) == (0, "Hello, Ada")
    assert "W903: order.schema.json#: `not` is not checked" in done.stderr
    (folder / "order.schema.json").write_text("{")
    done = stratum(folder, "validate", "hello.yaml")
    assert done.returncode == 2
    assert "order.schema.json is neither JSON nor YAML" in done.stderr


def test_test_cases_are_validated_as_such_and_run_as_nothing_else(folder: Path) -> None:
    cases = folder / "hello.test.yaml"
    cases.write_text(
        'stratum_test: "1"\ncases: [{name: fine, input: {name: Ada}, expect: {path: [greet]}}]\n'
    )
    done = stratum(folder, "validate", "hello.yaml", "hello.test.yaml")
    assert (done.returncode, done.stdout) == (0, "hello.yaml: ok\nhello.test.yaml: ok\n"), done.stderr
    assert "these are test cases, not a spec" in stratum(folder, "run", "hello.test.yaml").stderr
    cases.write_text(cases.read_text().replace("expect", "expekt"))
    done = stratum(folder, "validate", "hello.yaml", "hello.test.yaml")
    assert done.returncode == 2
    assert "did you mean `expect`?" in done.stderr


def test_files_that_are_validated_together_are_checked_against_each_other(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, other in (("one", "two"), ("two", "one")):
        text = f'stratum: "1"\nworkflow: {name}\nversion: 1.0.0\nsteps: [{{id: a, workflow: {other}}}]\n'
        (tmp_path / f"{name}.yaml").write_text(text)
    files = [str(tmp_path / f"{name}.yaml") for name in ("one", "two")]
    assert [main(["validate", file]) for file in files] == [0, 0]
    assert main(["validate", *files]) == 2
    assert "run each other without end: one -> two -> one" in capsys.readouterr().err

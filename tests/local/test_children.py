"""Workflows that workflows run: found beside them, deployed with them; and how nested steps are shown."""

from __future__ import annotations

import contextlib
import io
import json
from pathlib import Path

import pytest
from runs import HEAD as RUN_HEAD
from runs import Ran, answers
from stratum import Stratum, Workflow
from stratum.handlers.steps import Steps
from stratum.local.cli import main
from stratum.local.client.errors import StateMachineDoesNotExist, StratumError
from stratum.local.testing import TestCloud
from stratum.statelang.compiler import compile_spec
from stratum.statelang.spec import load

HEAD = 'stratum: "1"\nversion: 1.0.0\nworkflow: '
PARENT = HEAD + (
    "parent\ninput: {all: [integer]}\nsteps:\n"
    "  - id: every\n    map: {items: $input.all, as: n}\n    steps: [{id: one, workflow: child, input: {n: '{% $n %}'}}]\n"
    "  - {id: done, succeed: '{% $every %}'}\n"
)
CHILD = HEAD + "'child'   # of parent\ninput: {n: integer}\nsteps:\n  - {id: out, workflow: grandchild, input: {n: '{% $input.n * 2 %}'}}\nresult: '{% $out %}'\n"  # fmt: skip
GRANDCHILD = {
    "QueryLanguage": "JSONata",
    "StartAt": "A",
    "States": {"A": {"Type": "Pass", "Output": "{% $states.input.n + 1 %}", "End": True}},
}
INPUT = {"all": [1, 2]}


@pytest.fixture
def family(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "parent.yaml").write_text(PARENT)
    (tmp_path / "other.yml").write_text(CHILD)
    (tmp_path / "child.test.yaml").write_text("stratum_test: '1'\nworkflow: child\ncases: []\n")
    (tmp_path / "grandchild.asl.json").write_text(json.dumps(GRANDCHILD))
    return tmp_path


def run(*arguments: str) -> tuple[int, str, str]:
    out, err = io.StringIO(), io.StringIO()
    for stream in (out, err):
        stream.reconfigure = lambda **_: None  # pyright: ignore[reportAttributeAccessIssue]
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(arguments)
    return code, out.getvalue(), err.getvalue()


def test_children_are_deployed_with_what_runs_them(family: Path) -> None:
    code, out, err = run("run", "parent.yaml", "--input", json.dumps(INPUT))
    assert (code, json.loads(out or "null")) == (0, [3, 5]), err
    shown = [line.split()[:2] for line in err.splitlines() if line.startswith("  ")]
    assert shown == [["ok", "every"], ["ok", "one"], ["ok", "done"]]
    assert "  ok       one " in err
    assert "2 times" in err


def test_the_client_and_tests_find_them_too(family: Path, stratum: TestCloud) -> None:
    assert stratum.run(family / "parent.yaml", INPUT).succeeded().output == [3, 5]
    assert stratum.run(family / "parent.yaml", INPUT, mocks={"one": 7}).succeeded().output == [
        7,
        7,
    ]
    with Stratum(f"sqlite:///{family}/s.db") as client:
        assert client.result(client.start(family / "parent.yaml", INPUT)) == [3, 5]


def test_a_child_that_is_nowhere_is_told_with_a_way_on(family: Path, stratum: TestCloud) -> None:
    (family / "grandchild.asl.json").unlink()
    code, _, err = run("run", "parent.yaml", "--input", json.dumps(INPUT))
    assert code == 2
    assert "other.yml:6:5: the step `out` runs the workflow `grandchild`, which no file in" in err
    assert "put its spec there (`workflow: grandchild`)" in err
    with Stratum(f"sqlite:///{family}/s.db") as client:
        with pytest.raises(StateMachineDoesNotExist, match="the step `out` runs the workflow `grandchild`"):
            client.start(family / "parent.yaml", INPUT)
        client.backend.call("CreateStateMachine", name="grandchild", definition=json.dumps(GRANDCHILD), roleArn="arn:aws:iam::123456789012:role/r")  # fmt: skip
        assert client.result(client.start(family / "parent.yaml", INPUT)) == [3, 5]


def test_workflows_that_run_each_other_and_names_that_are_two_are_refused(family: Path) -> None:
    (family / "parent2.yaml").write_text(PARENT.replace("parent", "parent2").replace("child", "parent"))
    (family / "other.yml").write_text(CHILD.replace("grandchild", "parent2"))
    code, _, err = run("run", "parent.yaml", "--input", json.dumps(INPUT))
    assert code == 2
    assert "would run workflows without end: parent runs child runs parent2 runs parent" in err
    (family / "again.yaml").write_text(CHILD)
    code, _, err = run("run", "parent.yaml", "--input", json.dumps(INPUT))
    assert (code, "several files are one: again.yaml, other.yml" in err) == (2, True)
    (family / "other.yml").write_text("workflow: child\nsteps: []\n")
    (family / "again.yaml").unlink()
    code, _, err = run("run", "parent.yaml", "--input", json.dumps(INPUT))
    assert (code, "other.yml has" in err) == (2, True)


def test_a_workflow_in_python_brings_its_children(tmp_path: Path) -> None:
    child = Workflow("child", version="1.0.0", input={"n": int})
    child.returns({"n": child.input.n})
    child.set("none", {})
    parent = Workflow("parent", version="1.0.0")
    made = parent.workflow("one", child, input={"n": 4})
    parent.succeed("done", made.n)
    with Stratum(f"sqlite:///{tmp_path}/s.db") as client:
        assert client.result(client.start(parent)) == 4
        child.workflow("back", parent)
        with pytest.raises(StratumError, match="parent runs child runs parent"):
            client.start(parent)


NESTED = """
steps:
- id: p
  parallel:
    x: [{id: a, task: m.do}, {id: b, wait: 5s}]
    y: [{id: c, task: m.do}]
- {id: skipped, when: 1 = 2, task: m.do}
- id: every
  map: {items: "[1, 2, 3]", as: n}
  steps: [{id: d, task: m.do, retry: {attempts: 2}}, {id: e, set: {n: 1}}]
- {id: f, task: m.undone, compensate: {task: m.do}}
- id: q
  parallel:
    x: [{id: g, wait: 1h}]
    y: [{id: h, task: m.fail}]
"""


def test_nested_steps_have_states_of_their_own() -> None:
    busy = OSError("busy")
    functions = {"m.do": answers(1, 1, busy, 1), "m.undone": answers(1), "m.fail": answers(KeyError("no"))}
    ran = Ran(NESTED, None, functions)
    loaded = load(f"{RUN_HEAD}{NESTED}")
    assert loaded.spec is not None
    mapped = compile_spec(loaded.spec).source_map
    whole, told = Steps(mapped), Steps(mapped)
    whole.feed(ran.events)
    for event in ran.events:
        told.feed([event])
    rows = {
        step.id: (step.kind, step.status, step.within, step.runs, step.tries) for step in whole.steps.values()
    }
    assert rows == {
        "p": ("parallel", "done", None, 1, 0),
        "a": ("task", "done", "p", 1, 1),
        "c": ("task", "done", "p", 1, 1),
        "b": ("wait", "done", "p", 1, 0),
        "skipped": ("task", "skipped", None, 1, 0),
        "every": ("map", "done", None, 1, 0),
        "d": ("task", "done", "every", 3, 4),
        "e": ("set", "done", "every", 3, 0),
        "f": ("task", "done", None, 1, 1),
        "q": ("parallel", "failed", None, 1, 0),
        "g": ("wait", "stopped", "q", 1, 0),
        "h": ("task", "failed", "q", 1, 1),
        "f: compensate": ("compensate", "done", None, 1, 1),
    }
    seconds = {step.id: (step.ended or 0) - step.started for step in whole.steps.values()}
    assert (seconds["b"], seconds["c"], seconds["p"]) == (5, 0, 5)
    assert told.of_events == whole.of_events

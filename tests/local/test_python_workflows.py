"""Workflows in Python at the command line: the twins of the examples, and what is told of files that are none."""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import os
import shutil
import sys
from pathlib import Path

import pytest
from stratum.local.cli import main

EXAMPLES = Path(__file__).resolve().parents[2] / "local" / "examples"


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Runs a command in a folder of its own, in this process; what it imports is forgotten."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    before = set(sys.modules)

    def command(*arguments: str) -> tuple[int, str, str]:
        out, err = io.StringIO(), io.StringIO()
        for stream in (out, err):
            stream.reconfigure = lambda **_: None  # pyright: ignore[reportAttributeAccessIssue]
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = main(arguments)
        for name in set(sys.modules) - before:
            if not name.startswith(("stratum", "pydantic")):
                del sys.modules[name]
        return code, out.getvalue(), err.getvalue()

    return command


@pytest.mark.parametrize("name", ["orders", "etl", "release"])
def test_an_example_and_its_twin_compile_to_equal_documents(run, name: str) -> None:
    folder = EXAMPLES / name
    assert run("validate", str(folder / "flow.py"))[0] == 0
    yaml, python = (
        run("compile", str(folder / f"{name}.yaml"))[1],
        run("compile", f"{folder / 'flow.py'}:{name}")[1],
    )
    assert json.loads(yaml) == json.loads(python)
    assert yaml == python
    maps = [
        json.loads(run("compile", "--source-map", str(folder / file))[1])
        for file in (f"{name}.yaml", "flow.py")
    ]
    assert maps[0]["digest"] == maps[1]["digest"]
    lines = [*(folder / "flow.py").read_text().splitlines(), ""]
    for id, step in maps[1]["steps"].items():
        assert f'"{id}"' in lines[step["line"] - 1] + lines[step["line"]], id
    assert run("graph", str(folder / "flow.py"))[1] == run("graph", str(folder / f"{name}.yaml"))[1]


def test_a_twin_runs(run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STRATUM_EXAMPLE_DATA", str(tmp_path / "data"))
    shutil.copytree(EXAMPLES / "etl", tmp_path / "etl")
    code, out, _ = run("run", "etl/flow.py", "--input", "@etl/input.json", "--name", "first")
    assert (code, json.loads(out)["rows"] > 300) == (0, True)
    shown = json.loads(run("show", "first", "--json")[1])
    assert [step["step"] for step in shown["steps"]] == ["load", "clean", "features", "write"]


TYPED = """\
from dataclasses import dataclass
from stratum import task, Workflow

print("a module may print")

@dataclass
class Greeting:
    text: str
    words: int

@task(ensure=lambda result: result.words < 10)
def greet(name: str) -> Greeting:
    text = f"Hello, {name}!"
    return Greeting(text, len(text.split()))

hello = Workflow("hello", version="1.0.0", input={"name": str})
greeting = hello.task("greet", greet, input={"name": hello.input.name})
hello.returns(greeting.text)
"""


def test_tasks_and_workflow_in_one_file(run, tmp_path: Path) -> None:
    (tmp_path / "hello.py").write_text(TYPED)
    code, out, err = run("run", "hello:hello", "--input", '{"name": "Ada"}')
    assert (code, json.loads(out)) == (0, "Hello, Ada!"), err
    code, out, err = run("run", "hello.py", "--input", '{"name": 7}')
    assert (code, out) == (2, "")
    assert "$.name: expected string, got number" in err
    (tmp_path / "hello.py").write_text(TYPED.replace("len(text.split())", "str(1)"))
    code, out, err = run("run", "hello.py", "--input", '{"name": "Ada"}')
    assert code == 1
    assert "Stratum.ContractViolated: the result of hello.greet: $.words: expected integer, got string" in err


def test_a_workflow_in_a_package(run, tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "__init__.py").write_text("")
    (tmp_path / "shop" / "greetings.py").write_text(TYPED.partition("hello = ")[0])
    flow = (
        "from .greetings import greet\n"
        + "from stratum import Workflow\nhello = "
        + TYPED.partition("hello = ")[2]
    )
    (tmp_path / "shop" / "flow.py").write_text(flow)
    for given in ("shop/flow.py", "shop.flow:hello"):
        code, out, err = run("run", given, "--input", '{"name": "Ada"}')
        assert (code, json.loads(out)) == (0, "Hello, Ada!"), err
    assert "shop-greetings-greet" in run("compile", "shop/flow.py")[1]


@pytest.mark.parametrize(
    ("text", "given", "told"),
    [
        ("import nothere\n", "flow.py", "flow.py:1: ModuleNotFoundError: No module named 'nothere'\n    import nothere"),
        ("x = (\n", "flow.py", "flow.py:1: SyntaxError: '(' was never closed"),
        ("import sys\nsys.exit('bye')\n", "flow.py", "flow.py:2: SystemExit: bye"),
        ("x = 1\n", "flow.py", "flow.py has 0 workflows (none); one is made by stratum.Workflow(…)"),
        ("x = 1\n", "flow.py:x", "`x` of {flow.py} is no workflow but of the type int"),
        ("from stratum import Workflow\na, b = Workflow('a', version='1.0.0'), Workflow('b', version='1.0.0')\n", "flow.py",
         "flow.py has 2 workflows (`a`, `b`); say which: flow.py:a"),
        ("from stratum import Workflow\nshop = Workflow('a', version='1.0.0')\n", "flow.py:shoop", "did you mean `shop`?"),
        ("from stratum import Workflow\nwf = Workflow('a', version='1.0.0')\nif wf.input.x and 1:\n    pass\n", "flow.py",
         "flow.py:3: TypeError: <$input.x> has no value while the workflow is built"),
        ("from stratum import Workflow\nwf = Workflow('a', version='1')\n", "flow.py", "`steps` is a list of at least one step"),
        ("", "flwo.py", "there is no file flwo.py; did you mean flow.py?"),
        ("", "nowhere.flow:x", "there is no module nowhere in"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_place(run, tmp_path: Path, text: str, given: str, told: str) -> None:
    (tmp_path / "flow.py").write_text(text)
    code, out, err = run("validate", given)
    assert (code, out) == (2, "")
    assert told.replace("{flow.py}", os.path.realpath(tmp_path / "flow.py")) in err
    assert "Traceback" not in err


def test_a_file_that_is_called_as_another_module(run, tmp_path: Path) -> None:
    (tmp_path / "json.py").write_text("x = 1\n")
    assert (
        "json.py is called as another module is: `json`; give it another name"
        in run("validate", "json.py")[2]
    )


def test_several_files_of_one_name(run, tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "flow.py").write_text("import tasks\n" + TYPED.replace("hello", name))
        (tmp_path / name / "tasks.py").write_text(f"name = {name!r}\n")
    code, out, err = run("validate", "one/flow.py", "two/flow.py", "one/flow.py")
    assert (code, out) == (0, "one/flow.py: ok\ntwo/flow.py: ok\none/flow.py: ok\n"), err


def test_modules_of_another_folder_are_not_in_the_way(
    run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "greetings.py").write_text("nothing = None\n")
    monkeypatch.syspath_prepend(str(other))
    importlib.import_module("greetings")
    (tmp_path / "greetings.py").write_text(TYPED.partition("hello = ")[0])
    flow = (
        "from greetings import greet\nfrom stratum import Workflow\nhello = " + TYPED.partition("hello = ")[2]
    )
    (tmp_path / "flow.py").write_text(flow)
    code, out, err = run("run", "flow.py", "--input", '{"name": "Ada"}')
    assert code == 0, err
    assert json.loads(out) == "Hello, Ada!"

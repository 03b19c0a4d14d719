"""`stratum publish`, `versions`, `diff`, `alias`, `rollback`, and runs of what is published."""

from __future__ import annotations

from pathlib import Path

import pytest
from command_line import done, stratum

SPEC = """
stratum: "1"
workflow: greet
version: 1.0.0
input: {name: string}
steps:
  - {id: say, task: greet.say, input: {name: "{% $input.name %}"}, output: string}
result: {said: "{% $say %}"}
"""


@pytest.fixture
def greet(tmp_path: Path) -> Path:
    write(tmp_path, "1.0.0", "Hello")
    return tmp_path


def write(folder: Path, version: str, word: str, spec: str = SPEC) -> None:
    (folder / "greet.yaml").write_text(spec.replace("1.0.0", version))
    (folder / "greet.py").write_text(f"def say(event, context):\n    return '{word} ' + event['name']\n")


def test_a_published_version_runs_with_the_handlers_that_it_was_published_with(greet: Path) -> None:
    ada = ["--input", '{"name": "Ada"}']
    assert stratum(greet, "publish", "greet.yaml", "--reason", "the first").returncode == 0
    write(greet, "1.1.0", "Ahoy")
    assert stratum(greet, "publish", "greet.yaml").returncode == 0
    write(greet, "1.1.0", "Gone")
    assert done(greet, "run", "greet@1.0.0", *ada, "--name", "one") == {"said": "Hello Ada"}
    assert done(greet, "run", "greet@latest", *ada) == {"said": "Ahoy Ada"}
    taken = stratum(greet, "publish", "greet.yaml")
    assert (taken.returncode, "handlers of another content" in taken.stderr) == (2, True)
    assert stratum(greet, "alias", "greet", "prod", "--to", "1.0.0").returncode == 0
    assert done(greet, "run", "greet@prod", *ada) == {"said": "Hello Ada"}
    assert stratum(greet, "alias", "greet", "prod", "--to", "1.1.0").returncode == 0
    assert done(greet, "run", "greet@prod", *ada) == {"said": "Ahoy Ada"}
    rolled = stratum(greet, "rollback", "greet", "--reason", "too nautical")
    assert (rolled.returncode, "too nautical" in rolled.stdout) == (0, True)
    assert done(greet, "run", "greet@prod", *ada) == {"said": "Hello Ada"}
    told = done(greet, "versions", "greet", "--json")
    assert [(each["version"], each["aliases"]) for each in told] == [("1.1.0", {}), ("1.0.0", {"prod": 100})]
    assert told[1]["reason"] == "the first"
    # A fork of it has its handlers too.
    assert done(greet, "fork", "one", "--at", "say") == {"said": "Hello Ada"}
    kept = next((greet / ".stratum" / "code").glob("*/greet.py"))
    kept.write_text("def say(event, context): return 'changed'\n")
    assert {stratum(greet, "run", f"greet@{each}", *ada).returncode for each in ("1.0.0", "1.1.0")} == {0, 2}


def test_a_wrong_request_is_told(greet: Path) -> None:
    assert stratum(greet, "publish", "greet.yaml").returncode == 0
    for arguments, told in (
        (["run", "greet@3.0.0"], "it has 1.0.0"),
        (["run", "nothing@1.0.0"], "nothing is published"),
        (["run", "greet@1.0.0", "--input", "{}"], "the input is not as greet 1.0.0 wants it"),
        (["run", "greet@1.0.0", "--input", '{"name": 3}'], "$.name"),
        (["alias", "greet", "prod"], "has no alias 'prod'"),
        (["alias", "greet", "prod", "--to", "9.9.9"], "has no version 9.9.9"),
        (["alias", "greet", "prod", "--to", "1.0.0", "--linear", "10%"], "such as 10%/5m"),
        (["alias", "greet", "prod", "--to", "1.0.0", "--canary", "200%"], "from 1 to 100"),
        (["alias", "greet", "prod", "--approve"], "no move"),
        (["rollback", "greet", "--reason", "x"], "no alias 'prod'"),
        (["publish", "greet.yaml", "--as", "4.0.0"], "says that it is version 1.0.0"),
        (["versions", "other"], "nothing is published"),
        (["diff", "greet.yaml", "greet@7.0.0"], "has no version 7.0.0"),
    ):
        refused = stratum(greet, *arguments)
        assert refused.returncode == 2, arguments
        assert told in refused.stderr, refused.stderr
        assert "Traceback" not in refused.stderr


def test_a_break_is_refused_and_a_difference_told(greet: Path) -> None:
    assert stratum(greet, "publish", "greet.yaml").returncode == 0
    write(
        greet,
        "1.1.0",
        "Hello",
        SPEC.replace("input: {name: string}", "input: {name: string, times: integer}"),
    )
    refused = stratum(greet, "publish", "greet.yaml")
    assert (refused.returncode, "`input.times` must be given now" in refused.stderr) == (2, True)
    told = done(greet, "diff", "greet@1.0.0", "greet.yaml", "--json")
    assert told == {
        "differences": ["input.times: integer, was not there"],
        "breaks": ["`input.times` must be given now (integer)"],
    }
    shown = stratum(greet, "diff", "greet@1.0.0", "greet.yaml")
    assert "must be a major version" in shown.stdout


def test_plain_asl_is_published_under_a_number_that_is_given(greet: Path) -> None:
    (greet / "wait.asl.json").write_text('{"StartAt": "A", "States": {"A": {"Type": "Pass", "End": true}}}')
    nameless = stratum(greet, "publish", "wait.asl.json")
    assert (nameless.returncode, "--as 1.0.0" in nameless.stderr) == (2, True)
    assert stratum(greet, "publish", "wait.asl.json", "--as", "1.0.0").returncode == 0
    assert done(greet, "run", "wait@1.0.0", "--input", '{"a": 1}') == {"a": 1}

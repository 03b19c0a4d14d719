"""`stratum init`, in this process: what it writes runs with the commands that it prints."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import pytest
from stratum.local.cli import main


def test_a_new_project_runs_with_the_commands_that_are_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    assert main(["init", "my project"]) == 0
    printed = capsys.readouterr().out.partition("Try it:")[2].split("\n")
    commands = [shlex.split(line) for line in printed if line.strip()]
    assert commands[0] == ["cd", "my project"]
    monkeypatch.chdir(tmp_path / "my project")
    for command in commands[1:]:
        assert command[0] == "stratum"
        assert main(command[1:]) == 0, command
    shown = capsys.readouterr()
    assert '"Welcome, Ada! Your account is a-1471."' in shown.out
    assert "4 passed" in shown.out + shown.err
    assert main(["init"]) == 2
    assert "there already, and nothing is written over it" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["file", "file/below", "\0", "x" * 300])
def test_a_folder_that_cannot_be_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("mine")
    assert main(["init", name]) == 2
    assert "stratum init:" in capsys.readouterr().err
    assert (tmp_path / "file").read_text() == "mine"

"""`stratum import`, in this process."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from stratum.local.cli import main

OLD = Path(__file__).resolve().parents[1] / "statelang" / "earlier"


def test_one_flow_goes_to_stdout_or_into_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old, new = str(OLD / "ticket-0.1.stratum.yaml"), tmp_path / "ticket.yaml"
    assert main(["import", old]) == 0
    shown = capsys.readouterr()
    assert "\nworkflow: ticket\n" in shown.out
    assert (
        "ticket-0.1.stratum.yaml:21:12: warning W911: not carried over: `model: claude-sonnet`" in shown.err
    )
    assert "2 not carried over, 1 mean something else here" in shown.err
    assert main(["import", old, "-o", str(new)]) == 0
    assert new.read_text() == shown.out
    assert main(["import", old, "-o", str(new)]) == 2
    assert "nothing is written over it" in capsys.readouterr().err
    assert main(["validate", str(new)]) == 0


def test_several_flows_go_into_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old = str(OLD / "build-0.2.stratum.yaml")
    assert main(["import", old]) == 2
    assert "write -o FOLDER for a file each, or --flow NAME" in capsys.readouterr().err
    assert main(["import", old, "-o", str(tmp_path / "new")]) == 0
    assert [path.name for path in sorted((tmp_path / "new").iterdir())] == ["build.yaml", "review_check.yaml"]
    assert main(["import", old, "--flow", "review_check"]) == 0
    assert "workflow: review_check" in capsys.readouterr().out
    assert main(["import", old, "--flow", "no"]) == 2
    capsys.readouterr()
    assert main(["import", old, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert set(told["specs"]) == {"build", "review_check"}
    assert {"W911", "W912"} == {finding["code"] for finding in told["findings"]}


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xfe", b"a: &x [*x]", b"version: 1\n", b"[", b"a: 1\n---\nb: 2", b"\x00" * 99]
)
def test_what_is_no_such_spec_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes
) -> None:
    (tmp_path / "old.yaml").write_bytes(content)
    assert main(["import", str(tmp_path / "old.yaml")]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "error S" in shown.err
    assert main(["import", str(tmp_path / "none.yaml")]) == 2


def test_a_spec_that_needs_a_hand_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = (OLD / "build-0.2.stratum.yaml").read_text()
    (tmp_path / "old.yaml").write_text(text.replace("design.output.artifact", "design.output.artefact"))
    assert main(["import", str(tmp_path / "old.yaml"), "-o", str(tmp_path / "new")]) == 1
    shown = capsys.readouterr()
    assert "to be seen to by hand: build.yaml" in shown.err
    assert "did you mean `artifact`?" in shown.err
    assert (tmp_path / "new" / "build.yaml").exists()

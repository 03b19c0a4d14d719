"""`stratum fmt`, in this process."""

from __future__ import annotations

from pathlib import Path

import pytest
from stratum.local.cli import main

SPEC = 'stratum:   "1"   # a spec\nworkflow: w\nversion: 1.0.0\n\n\n\nsteps:\n- id: a\n  task:   a.b\n'
NEAT = 'stratum: "1"  # a spec\nworkflow: w\nversion: 1.0.0\n\nsteps:\n  - id: a\n    task: a.b\n'


def test_files_are_formatted_in_place(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["fmt"]) == 2
    spec = tmp_path / "w.yaml"
    spec.write_text(SPEC)
    spec.chmod(0o640)
    (tmp_path / "other.yaml").write_text("a:   1\n")
    assert main(["fmt", "--check"]) == 1
    assert spec.read_text() == SPEC
    assert main(["fmt"]) == 0
    assert "formatted w.yaml" in capsys.readouterr().out
    assert spec.read_text() == NEAT
    assert spec.stat().st_mode & 0o777 == 0o640
    assert (tmp_path / "other.yaml").read_text() == "a:   1\n"
    assert main(["fmt", "--check"]) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["other.yaml", "w.yaml"]


@pytest.mark.parametrize(
    "content", [b"", b"\xff", b"a: [", b"a: &x [*x]", b"%YAML 1.2\n---\na:   1\n", b"a: 1\na: 2\n"]
)
def test_what_cannot_be_formatted_is_left_as_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes
) -> None:
    good, bad = tmp_path / "good.yaml", tmp_path / "bad.yaml"
    good.write_text(SPEC)
    bad.write_bytes(content)
    assert main(["fmt", str(bad), str(good)]) == 2
    assert bad.read_bytes() == content
    assert good.read_text() == NEAT
    assert "bad.yaml" in capsys.readouterr().err

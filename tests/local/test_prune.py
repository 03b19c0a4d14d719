"""`stratum prune`: what ended long ago is forgotten, and that it was is kept."""

from __future__ import annotations

import json
from pathlib import Path

from command_line import done, stratum

PASS = {"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}}
WAITS = {"StartAt": "A", "States": {"A": {"Type": "Fail", "Error": "No"}}}


def test_what_ended_before_is_forgotten_once_somebody_says_so(tmp_path: Path) -> None:
    (tmp_path / "good.json").write_text(json.dumps(PASS))
    (tmp_path / "bad.json").write_text(json.dumps(WAITS))
    for file, name in (("good.json", "one"), ("good.json", "two"), ("bad.json", "three")):
        stratum(tmp_path, "run", file, "--name", name)
    asked = ("prune", "--older-than", "2099-01-01", "--status", "SUCCEEDED")
    assert "nothing has ended" in stratum(tmp_path, "prune", "--older-than", "1d", "--yes").stderr
    assert "is no" in stratum(tmp_path, "prune", "--older-than", "soon").stderr
    assert stratum(tmp_path, *asked).returncode == 2  # nobody can be asked
    assert "nothing was forgotten" in stratum(tmp_path, *asked, "--dry-run").stderr
    assert len(done(tmp_path, "list", "--json")) == 3
    digest = done(tmp_path, "audit", "one", "--format", "json")["digest"]
    pruned = stratum(tmp_path, *asked, "--yes")
    assert "2 executions are forgotten" in pruned.stderr
    assert [each["name"] for each in done(tmp_path, "list", "--json")] == ["three"]
    assert stratum(tmp_path, "show", "one").returncode == 2
    assert stratum(tmp_path, "audit", "verify").returncode == 0
    [note] = done(tmp_path, "audit", "refusals", "--format", "json")
    assert (note["type"], digest in [each[2] for each in note["executions"]]) == ("pruned", True)
    assert stratum(tmp_path, "run", "good.json", "--name", "one").returncode == 0  # its name is free again
    assert stratum(tmp_path, "backup", "all.gz").returncode == 0

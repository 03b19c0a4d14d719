"""Executions in the terminal: `stratum watch`, and `stratum graph` with a run drawn over it."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

from console_world import BOB, HOSTILE, SHOP, World
from stratum.local.cli import main


def finish(world: World, name: str, **changed: Any) -> None:
    _, gate = world.to_the_gate(name, **changed)
    world.who = BOB
    world.post("decide", gate=gate["handle"], outcome="approve", shown=gate["digest"])
    world.finish()


def test_one_is_watched_to_its_end(world: World, capsys: Any) -> None:
    """By another process than the one that runs it: here, another connection."""
    execution, gate = world.to_the_gate("one")
    codes: list[int] = []
    watching = threading.Thread(target=lambda: codes.append(main(["watch", "one"])))
    watching.start()
    world.who = BOB
    world.post("decide", gate=gate["handle"], outcome="approve", shown=gate["digest"])
    world.finish()
    watching.join(20)
    assert codes == [0]
    told = capsys.readouterr().err
    for step in ("quote", "approve", "parcels", "settle", "done"):
        assert step in told
    assert "one: SUCCEEDED" in told
    assert execution.endswith(":one")


def test_one_that_failed_says_why(world: World, capsys: Any) -> None:
    finish(world, "broken", items=["bad"], card="a-secret")
    assert main(["watch", "broken"]) == 1
    told = capsys.readouterr().err
    assert "broken: FAILED, ValueError" in told
    assert HOSTILE in told
    assert "a-secret" not in told
    assert main(["watch", "--limit", "0"]) == 2
    assert main(["watch"]) == 0
    assert "broken" in capsys.readouterr().out


def test_a_run_is_drawn_over_its_graph(world: World, capsys: Any) -> None:
    finish(world, "broken", items=["a", "bad"])
    assert main(["graph", "--execution", "broken", "--format", "text"]) == 0
    lines = {line.split()[1]: line for line in capsys.readouterr().out.splitlines() if len(line.split()) > 1}
    assert lines["quote"].startswith("✓ quote  task  → ↓  (1.00 s, 2 attempts)")
    assert lines["label"].startswith("    ✗ label")
    assert "ValueError" in lines["label"]
    assert lines["wait"].startswith("  settle")
    assert main(["graph", "--execution", "broken", "--format", "svg", "-o", "run.svg"]) == 0
    picture = Path("run.svg").read_text()
    assert 'class="node ran-done" data-node="step quote"' in picture
    assert 'ran-failed" data-node="step label"' in picture
    assert main(["graph", "--execution", "broken"]) == 0
    told = capsys.readouterr().out
    assert "class step_quote done" in told
    assert "class step_label failed" in told
    assert "class step_settle" not in told


def test_a_workflow_is_listed_as_text(world: World, capsys: Any) -> None:
    Path("shop.yaml").write_text(SHOP)
    assert main(["graph", "shop.yaml", "--format", "text"]) == 0
    assert capsys.readouterr().out.splitlines()[:5] == [
        "quote  task  → ↓", "approve  gate  approve → parcels", "parcels  map  → ↓", "  each item:",
        "    label  task  → ↓",
    ]  # fmt: skip
    assert main(["graph"]) == 2
    assert main(["graph", "shop.yaml", "--execution", "x"]) == 2
    assert main(["graph", "--execution", "nothing"]) == 2

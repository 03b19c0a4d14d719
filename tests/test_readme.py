"""Every command in README runs, in its order, in a folder of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
OF_CI = {"make test", "make check", "make bench", "make portability"}
"""Run by CI itself, or by hand: a test cannot run the tests."""


def blocks() -> list[str]:
    return re.findall(r"^```sh\n(.*?)^```", (ROOT / "README.md").read_text(), re.S | re.M)


def targets() -> set[str]:
    return set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))


def test_every_command_runs(tmp_path: Path) -> None:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    seen = 0
    for block in blocks():
        lines = [line.split("#")[0].strip() for line in block.splitlines()] if "make " in block else [block]
        for command in lines:
            if command in OF_CI:
                assert command.removeprefix("make ") in targets()
                continue
            where = ROOT if command.startswith("make") else tmp_path
            done = subprocess.run(
                ["bash", "-euo", "pipefail", "-c", command],
                cwd=where,
                env={**os.environ, "PATH": path},
                capture_output=True,
                text=True,
                timeout=120,
                check=False,
            )
            assert done.returncode == 0, f"{command}\n{done.stderr}"
            seen += 1
    assert seen >= 5


def test_the_finding_that_readme_shows_is_what_is_printed() -> None:
    from stratum.statelang.spec import load

    shown = re.findall(r"^```text\n(.*?)^```", (ROOT / "README.md").read_text(), re.S | re.M)[0]
    text = "\n".join(
        ['stratum: "1"', "workflow: w", "version: 1.0.0", "types:", "  Order: {id: string, total: number}", "input: Order", "steps:",
         "  - id: first", "    task: orders.check", "", "    output: {ok: boolean}", "  - id: second", "    task: orders.more",
         '    input: {a: "{% $firs.ok %}", b: "{% $input.totl %}"}'],
    )  # fmt: skip
    loaded = load(text, "orders.yaml")
    assert shown.strip() in [loaded.source.render(each).strip() for each in loaded.diagnostics]


def test_every_room_says_what_it_is_for() -> None:
    for room in ("statelang", "handlers", "local", "infra"):
        assert (ROOT / room / "__init__.py").read_text().startswith('"""The '), room

"""Everything that the compiler emits, before judges that are not ours: AWS's language service, and asl-validator.

Both come from npm: `make portability` installs them beside the environment. Without them these tests are skipped.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from corpus import specs
from hypothesis import HealthCheck, given, settings
from portable import SERVICES, SPECS
from runs import compiled
from stratum.local.cli.files import load_workflow

pytestmark = pytest.mark.portability
ROOT = Path(__file__).resolve().parents[2]
NPM = ROOT / ".venv" / "npm"
EXAMPLES = [path for path in (ROOT / "local" / "examples").glob("*/*.yaml") if ".test." not in path.name]
MADE_UP = int(os.environ.get("STRATUM_EXAMPLES", "300"))


def judged(definitions: list[tuple[str, Any]]) -> list[dict[str, str]]:
    """What the judges say against the definitions."""
    if not (NPM / "node_modules" / "asl-validator").is_dir():
        pytest.skip("the validators are not installed; `make portability` does that")
    script = Path(__file__).with_name("validators.cjs")
    environ = {**os.environ, "NODE_PATH": str(NPM / "node_modules")}
    given = json.dumps(definitions)
    done = subprocess.run(["node", str(script)], input=given, capture_output=True, text=True, env=environ)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_judges_judge() -> None:
    wrong = {"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "B"}}}
    assert {each["judge"] for each in judged([("wrong", wrong)])} == {
        "asl-validator",
        "amazon-states-language-service",
    }


@pytest.mark.parametrize("path", EXAMPLES, ids=[path.name for path in EXAMPLES])
def test_the_examples_are_valid(path: Path) -> None:
    assert judged([(path.name, load_workflow(path).definition)]) == []


def test_every_kind_of_step_is_valid() -> None:
    everything = {**SPECS, **SERVICES}.items()
    definitions = [(name, compiled(each.spec)) for name, each in everything]
    definitions += [
        (name, compiled(text)) for _, each in everything for name, text in (each.children or {}).items()
    ]
    assert judged(definitions) == []


def test_made_up_specs_are_valid() -> None:
    made: list[tuple[str, Any]] = []

    @settings(
        max_examples=MADE_UP, derandomize=True, database=None, deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
    )  # fmt: skip
    @given(specs())
    def make(spec: tuple[dict[str, Any], dict[str, list[str]]]) -> None:
        text = json.dumps(spec[0])
        made.append((text, compiled(text)))

    make()
    assert len(made) >= MADE_UP
    assert judged(made) == []

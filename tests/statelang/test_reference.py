"""The reference of the language: its generated parts are current, its examples compile, its links lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from stratum.statelang.compiler import compile_spec
from stratum.statelang.spec import load
from stratum.statelang.spec.diagnostics import CODES
from stratum.statelang.spec.models import KINDS
from stratum.statelang.spec.reference import filled

FILE = Path(__file__).resolve().parents[2] / "statelang" / "README.md"
PAGE = FILE.read_text()
EXAMPLES = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)


def test_its_generated_parts_are_current() -> None:
    assert filled(PAGE) == PAGE, "run: make reference"
    for kind in KINDS:
        assert f"<!-- generated: {kind} -->" in PAGE
    assert all(f"| `{code}` |" in PAGE for code in CODES)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda text: text.split("\n")[0])
def test_its_examples_compile(example: str) -> None:
    """What is no whole spec is a list of steps."""
    whole = (
        example
        if example.startswith("stratum:")
        else f'stratum: "1"\nworkflow: w\nversion: 1.0.0\nsteps:\n{example}'
    )
    loaded = load(whole, "README.md")
    assert loaded.diagnostics == [], "\n".join(map(loaded.source.render, loaded.diagnostics))
    assert loaded.spec is not None
    assert compile_spec(loaded.spec, loaded.source).definition["States"]


def test_its_links_lead_somewhere() -> None:
    heads = {
        re.sub(r"[^a-z0-9 -]", "", head.lower()).replace(" ", "-")
        for head in re.findall(r"^#+ (.+)$", PAGE, re.MULTILINE)
    }
    assert set(re.findall(r"\]\(#([^)]+)\)", PAGE)) <= heads

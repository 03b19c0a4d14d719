"""Where test files are: named, in folders, or beside workflows."""

from __future__ import annotations

import os
from pathlib import Path

SUFFIXES = (".test.yaml", ".test.yml")
_SKIPPED = {"node_modules", "venv", "__pycache__", "site-packages"}
_HEAD = 8192


def is_test_file(path: Path) -> bool:
    """Whether it is one of ours: others have files of that name, too."""
    try:
        with path.open("rb") as file:
            return b"stratum_test" in file.read(_HEAD)
    except OSError:
        return False


def within(folder: Path) -> list[Path]:
    """The test files in a folder and below it."""
    found: list[Path] = []
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if name not in _SKIPPED and not name.startswith("."))
        found += [Path(place) / name for name in sorted(files) if name.endswith(SUFFIXES)]
    return [path for path in found if is_test_file(path)]


def beside(workflow: Path) -> Path | None:
    """The test file of a workflow: `orders.test.yaml` of `orders.yaml`."""
    stem = workflow.name.partition(".")[0]
    places = [workflow.with_name(f"{stem}{suffix}") for suffix in SUFFIXES]
    return next((place for place in places if place.is_file()), None)


def workflow_beside(file: Path) -> str | None:
    """The name of the workflow that a test file is for, where it does not say so."""
    stem = file.name
    for suffix in SUFFIXES:
        stem = stem.removesuffix(suffix)
    endings = (
        ".yaml",
        ".yml",
        ".stratum.yaml",
        ".stratum.yml",
        ".asl.json",
        ".asl.yaml",
        ".asl.yml",
        ".json",
    )
    return next(
        (f"{stem}{ending}" for ending in endings if file.with_name(f"{stem}{ending}").is_file()), None
    )

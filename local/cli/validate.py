"""`stratum validate`: everything that is wrong with the files, all at once."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from ...handlers.workflows import Checked, check_together
from ..testing.cases.finding import SUFFIXES
from .files import check
from .problem import WrongRequest


def validate(options: argparse.Namespace) -> int:
    checked: list[Checked] = []
    unread: list[str] = []
    for path in map(Path, options.files):
        try:
            checked.append(_check_cases(path) if path.name.endswith(SUFFIXES) else check(path, imports=True))
        except WrongRequest as problem:
            unread.append(str(problem))
    if len(checked) > 1:
        checked = check_together(checked)
    ok = not unread and all(file.ok for file in checked)
    if options.json:
        findings = [finding for file in checked for finding in file.findings]
        findings += [{"code": "S100", "severity": "error", "message": text} for text in unread]
        print(json.dumps({"ok": ok, "findings": findings}, indent=2, ensure_ascii=False))
        return 0 if ok else 2
    for text in [text for file in checked for text in file.texts] + [
        f"stratum validate: {text}" for text in unread
    ]:
        print(text, end="\n\n", file=sys.stderr)
    for file in checked:
        errors = sum(finding["severity"] == "error" for finding in file.findings)
        if errors:
            print(f"{file.origin}: {errors} error{'s' if errors != 1 else ''}", file=sys.stderr)
        else:
            print(f"{file.origin}: ok")
    return 0 if ok else 2


def _check_cases(path: Path) -> Checked:
    """A file of test cases, which stands beside the workflow that it is for."""
    from ..testing.cases.reading import read

    file = read(path)
    return Checked(str(path), findings=[each.to_json() for each in file.diagnostics], texts=file.texts())

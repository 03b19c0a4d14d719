"""`stratum test`: runs test cases that are written in YAML beside workflows."""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import TextIO

from ..testing.cases import finding, reports
from ..testing.cases.reading import ReadFile, read
from ..testing.cases.running import FAILED, Outcome, run
from .problem import WrongRequest


def test(options: argparse.Namespace) -> int:
    began = time.perf_counter()
    files = [read(path) for path in _paths(options.files)]
    wrong = [file for file in files if not file.ok]
    for file in wrong:
        print("\n\n".join(file.texts()), end="\n\n", file=sys.stderr)
    if wrong:
        count = sum(len(file.diagnostics) for file in wrong)
        print(f"stratum test: {count} error{'s' if count > 1 else ''}; nothing was run", file=sys.stderr)
        return 2
    report = sys.stderr if options.json else sys.stdout
    coverage = _Coverage(options) if _measures(options) else None
    outcomes = _run(files, options, report)
    if not any(cases for _, cases in outcomes):
        raise WrongRequest(f"no case has {options.match!r} in its name")
    if options.junit is not None:
        _write(options.junit, reports.junit(outcomes))
    if options.json:
        print(json.dumps(reports.as_json(outcomes), indent=2, ensure_ascii=False))
    failed = [(path, case) for path, cases in outcomes for case in cases if case.status == FAILED]
    for path, case in failed:
        print(f"\n{reports.details(path, case)}", file=report)
    print(f"\n{reports.summary(outcomes, time.perf_counter() - began)}", file=report)
    covered = coverage is None or coverage.report(report)
    return 1 if failed or not covered else 0


def _measures(options: argparse.Namespace) -> bool:
    return options.coverage or bool(options.coverage_report) or options.coverage_fail_under is not None


class _Coverage:
    """What the cases take of workflows, from now on; of a folder that was named, of all that are in it."""

    def __init__(self, options: argparse.Namespace):
        from ..coverage.measuring import measure
        from .coverage import Reporting

        self._reporting = Reporting(options)
        self._folders = [Path(name) for name in options.files or ["."] if Path(name).is_dir()]
        self._forget = measure(self._reporting.record, self._reporting.root)

    def report(self, out: TextIO) -> bool:
        """Prints and writes what is wanted; answers whether enough is covered."""
        from ..coverage.files import offer_all

        self._forget()
        record, root = self._reporting.record, self._reporting.root
        said = [line for folder in self._folders for line in offer_all(record, folder, root)]
        print(file=out)
        return self._reporting.report(out, said)


def _run(
    files: list[ReadFile], options: argparse.Namespace, report: TextIO
) -> list[tuple[Path, list[Outcome]]]:
    found: list[tuple[Path, list[Outcome]]] = []
    for file in files:
        cases: list[Outcome] = []
        found.append((file.path, cases))
        for case in file.cases:
            if options.match is not None and options.match.lower() not in case.case.name.lower():
                continue
            if not cases:
                print(file.path, file=report)
            outcome = run(file.path, case, capture=not options.no_capture)
            cases.append(outcome)
            print(reports.line(outcome), file=report, flush=True)
            if options.exitfirst and outcome.status == FAILED:
                return found
    return found


def _paths(names: list[str]) -> list[Path]:
    """The test files that are meant: named, in a folder that is named, or beside a workflow that is."""
    found: list[Path] = []
    for name in names or ["."]:
        path = Path(name)
        if path.is_dir():
            inside = finding.within(path)
            if not inside:
                raise WrongRequest(
                    f"no test files in {path}: they are called NAME.test.yaml, and have `stratum_test` in them"
                )
            found += inside
        elif path.name.endswith(finding.SUFFIXES) or not path.exists() or finding.is_test_file(path):
            found.append(path)
        elif (tests := finding.beside(path)) is not None:
            found.append(tests)
        else:
            stem = path.name.partition(".")[0]
            raise WrongRequest(f"{path} is no test file, and there is no {stem}.test.yaml beside it")
    return list(dict.fromkeys(found))


def _write(path: str, text: str) -> None:
    try:
        Path(path).write_text(text, encoding="utf-8")
    except OSError as error:
        raise WrongRequest(f"{path} cannot be written: {error.strerror}") from None

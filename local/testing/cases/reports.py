"""The outcomes of test files: as text for people, as JUnit's XML for CI, as JSON."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from .running import FAILED, PASSED, SKIPPED, Outcome

Outcomes = Sequence[tuple[Path, Sequence[Outcome]]]
_WORDS = {PASSED: "ok", FAILED: "FAILED", SKIPPED: "skipped"}
_NO_XML = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def line(outcome: Outcome) -> str:
    """A case in one line."""
    text = f"  {_WORDS[outcome.status]:<7}  {outcome.name}"
    if outcome.status == SKIPPED:
        return f"{text}: {outcome.reason}"
    return f"{text} ({outcome.duration})" if outcome.duration else text


def details(path: Path, outcome: Outcome) -> str:
    """All that is known of a case that failed."""
    parts = [
        f"{path}:{outcome.line}: {outcome.name}",
        *(_indented(failure, "  ") for failure in outcome.failures),
    ]
    if outcome.execution:
        parts.append(_indented(outcome.execution, "  "))
    if outcome.printed.strip():
        parts += ["  what its functions printed and raised:", _indented(outcome.printed.rstrip(), "    ")]
    return "\n".join(parts)


def summary(outcomes: Outcomes, seconds: float) -> str:
    every = [outcome.status for _, cases in outcomes for outcome in cases]
    counts = [f"{every.count(status)} {status}" for status in (PASSED, FAILED, SKIPPED) if status in every]
    passed = sum((outcome.duration or timedelta() for _, cases in outcomes for outcome in cases), timedelta())
    return f"{', '.join(counts) or 'no cases'} in {seconds:.2f} s" + (
        f", for {passed} of their own time" if passed else ""
    )


def as_json(outcomes: Outcomes) -> list[dict[str, Any]]:
    return [
        {
            "file": str(path), "line": outcome.line, "name": outcome.name, "status": outcome.status,
            "failures": outcome.failures, "seconds": round(outcome.seconds, 3), "reason": outcome.reason or None,
            "duration": None if outcome.duration is None else outcome.duration.total_seconds(),
        }
        for path, cases in outcomes
        for outcome in cases
    ]  # fmt: skip


def junit(outcomes: Outcomes) -> str:
    """JUnit's XML, as CI servers read it: a suite for each file."""
    root = ElementTree.Element("testsuites", _counts([outcome for _, cases in outcomes for outcome in cases]))
    for path, cases in outcomes:
        suite = ElementTree.SubElement(root, "testsuite", {"name": str(path), **_counts(cases)})
        for outcome in cases:
            case = ElementTree.SubElement(
                suite, "testcase",
                {
                    "classname": path.name.partition(".")[0], "name": _xml(outcome.name), "file": str(path),
                    "line": str(outcome.line), "time": f"{outcome.seconds:.3f}",
                },
            )  # fmt: skip
            if outcome.status == SKIPPED:
                ElementTree.SubElement(case, "skipped", {"message": _xml(outcome.reason)})
            elif outcome.status == FAILED:
                message = _xml(outcome.failures[0].splitlines()[0])
                failure = ElementTree.SubElement(case, "failure", {"message": message})
                failure.text = _xml("\n".join([*outcome.failures, outcome.execution]))
            if outcome.printed:
                ElementTree.SubElement(case, "system-out").text = _xml(outcome.printed)
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _counts(cases: Iterable[Outcome]) -> dict[str, str]:
    every = list(cases)
    statuses = [outcome.status for outcome in every]
    return {
        "tests": str(len(every)), "failures": str(statuses.count(FAILED)), "errors": "0",
        "skipped": str(statuses.count(SKIPPED)), "time": f"{sum(outcome.seconds for outcome in every):.3f}",
    }  # fmt: skip


def _xml(text: str) -> str:
    """Without the characters that no XML can hold."""
    return _NO_XML.sub("�", text)


def _indented(text: str, margin: str) -> str:
    return "\n".join(f"{margin}{each}" if each else each for each in text.splitlines())

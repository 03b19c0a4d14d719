"""Which reports are wanted, as options say it, and what is written where."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ...statelang.coverage import COUNTED, KINDS
from .report import Report

TERM, HTML, JSON = "term", "html", "json"
_FILES = {HTML: "stratum-coverage.html", JSON: "stratum-coverage.json"}


class WrongOption(ValueError):
    """The text says what is wrong and what can be given."""


class Unwritable(OSError):
    """The text says which file, and why."""


@dataclass(frozen=True, slots=True)
class Output:
    """A report of a `kind`, and the `file` that it goes to; None for the terminal's."""

    kind: str
    file: str | None = None


def outputs_of(texts: Sequence[str]) -> list[Output]:
    """`term`, `html[:FILE]`, `json[:FILE]`; none is the terminal's. Raises `WrongOption`."""
    found: list[Output] = []
    for text in texts or [TERM]:
        kind, _, file = text.partition(":")
        if kind == TERM and not file:
            found.append(Output(TERM))
        elif kind in _FILES:
            found.append(Output(kind, file or _FILES[kind]))
        elif text:
            raise WrongOption(f"'{text}' is no report: give term, html, html:FILE, json or json:FILE")
    return found


def counted_of(text: str | None) -> tuple[str, ...]:
    """Kinds of parts with commas between them, or `all`. Raises `WrongOption`."""
    if text is None:
        return COUNTED
    if text == "all":
        return KINDS
    kinds = [word.strip() for word in text.split(",") if word.strip()]
    wrong = [kind for kind in kinds if kind not in KINDS]
    if wrong or not kinds:
        what = f"'{wrong[0]}' is nothing that can be counted" if wrong else "there is nothing to count"
        raise WrongOption(f"{what}: give all, or of {', '.join(KINDS)}")
    return tuple(kind for kind in KINDS if kind in kinds)


def write(report: Report, outputs: Sequence[Output], root: Path) -> list[str]:
    """Writes the files, relative to `root`; answers what is to be said of each. Raises `Unwritable`."""
    said: list[str] = []
    for output in outputs:
        if output.file is None:
            continue
        if output.kind == HTML:
            from .page import page

            text = page(report)
        else:
            text = json.dumps(report.to_json(), indent=1) + "\n"
        file = root / output.file
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        except OSError as error:
            raise Unwritable(f"{output.file} cannot be written: {error.strerror}") from None
        said.append(f"coverage as {output.kind.upper()}: {output.file}")
    return said


def shortfall(report: Report, least: float | None) -> str | None:
    """What is said where less was taken than there must be."""
    if least is None or report.percent >= least:
        return None
    return f"workflow coverage of {least:g}% is required, and it is {report.percent:.2f}%"

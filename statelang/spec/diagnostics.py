"""What is wrong with a spec: codes, places, reasons and ways on.

| codes | about |
|---|---|
| S1xx | the file and its YAML |
| S2xx | structure: keys, kinds of steps, values of fields |
| S3xx | types and contracts |
| S4xx | flow: where steps lead, and what has run |
| S5xx | expressions |
| S6xx | specs of the earlier Stratum, which `stratum import` rewrites |
| W9xx | warnings: nothing is wrong, but somebody may have meant something else |
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

CODES = {
    "S101": "the file is too large",
    "S102": "the file is not UTF-8 text",
    "S103": "the YAML does not parse",
    "S104": "the YAML is nested too deeply, or its aliases expand to too much",
    "S105": "the file is empty, or not one document with a mapping",
    "S106": "a key stands twice in a mapping",
    "S201": "unknown key",
    "S202": "a key is missing",
    "S203": "a value has the wrong type or form",
    "S204": "a step has no kind, or more than one",
    "S206": "a step's id is not usable",
    "S207": "two steps have the same id",
    "S208": "a key that this kind of step cannot have",
    "S301": "unknown type",
    "S302": "a type that is not written as types are",
    "S303": "types that refer to each other in a circle",
    "S304": "a value that its contract refuses",
    "S305": "a field that the contract lacks",
    "S306": "a field of the contract that is missing",
    "S307": "a JSON Schema that is not there, or that is none",
    "S401": "`next` names no step",
    "S402": "a step that nothing leads to",
    "S403": "a loop with no bound",
    "S404": "a decision without a default",
    "S405": "what follows in the list can never match",
    "S406": "a revision that leads to no earlier step",
    "S407": "a workflow that would run itself without end",
    "S501": "an expression that does not parse",
    "S502": "unknown variable",
    "S503": "a variable of ASL's own, which specs do not use",
    "S504": "an expression without a variable to start from",
    "S505": "a step that cannot have run yet",
    "S506": "a field of a step that may not have run",
    "S507": "a variable that this place does not have",
    "S508": "a text that has an expression in it, and is none",
    "S601": "not a spec of the earlier Stratum that can be rewritten",
    "S602": "a spec of the earlier Stratum that it would not have taken itself",
    "W901": "a retry that can never match",
    "W902": "an optional value where the contract wants one",
    "W903": "a part of a JSON Schema that is not checked",
    "W904": "a handler that its module does not have, or whose types cannot be read",
    "W905": "a text that looks like an expression, and is none",
    "W911": "a part of an earlier spec that is not carried over",
    "W912": "a part of an earlier spec that means something else here",
}


@dataclass(frozen=True, slots=True)
class Position:
    """A stretch of the file: 1-based lines and columns, the end exclusive."""

    line: int
    column: int
    end_line: int
    end_column: int


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding. `path` is where it is in the document; `position` is None for a spec that was built in Python."""

    code: str
    message: str
    path: tuple[str | int, ...]
    position: Position | None = None
    suggestion: str | None = None
    severity: str = "error"
    file: str = "<spec>"

    def to_json(self) -> dict[str, Any]:
        place = self.position
        return {
            "file": self.file,
            "line": place.line if place else None,
            "column": place.column if place else None,
            "end_line": place.end_line if place else None,
            "end_column": place.end_column if place else None,
            "severity": self.severity,
            "code": self.code,
            "message": self.message,
            "suggestion": self.suggestion,
            "path": "/".join(map(str, self.path)),
        }


class InvalidWorkflow(ValueError):
    """A workflow has errors: `findings` are all of them as JSON, the message shows each with its place."""

    def __init__(self, origin: str, findings: Sequence[Mapping[str, Any]], texts: Sequence[str]):
        count = sum(finding["severity"] == "error" for finding in findings)
        super().__init__(f"{origin} has {count} error{'s' if count != 1 else ''}\n\n" + "\n\n".join(texts))
        self.findings = findings

    @classmethod
    def of(cls, origin: str, diagnostics: Sequence[Diagnostic], lines: list[str]) -> InvalidWorkflow:
        texts = [render(each, lines) for each in diagnostics]
        return cls(origin, [each.to_json() for each in diagnostics], texts)


def render(diagnostic: Diagnostic, lines: list[str]) -> str:
    """The finding as text: place and reason, the line itself with a caret, the way on."""
    place = diagnostic.position
    where = (
        f"{diagnostic.file}:{place.line}:{place.column}"
        if place
        else f"{diagnostic.file}: {_dotted(diagnostic.path)}"
    )
    text = f"{where}: {diagnostic.severity} {diagnostic.code}: {diagnostic.message}"
    if place is not None and place.line <= len(lines):
        line = lines[place.line - 1]
        end = place.end_column if place.end_line == place.line else len(line) + 1
        start, shown = _window(line, place.column)
        width = max(1, min(end - place.column, len(shown) - (place.column - 1 - start)))
        margin = "".join("\t" if c == "\t" else " " for c in shown[: place.column - 1 - start])
        text += f"\n    {shown}\n    {margin}{'^' * width}"
    if diagnostic.suggestion:
        text += f"\n    {diagnostic.suggestion}"
    return text


def _window(line: str, column: int, width: int = 150) -> tuple[int, str]:
    """The part of a long line that has the column in it, and where it starts."""
    start = 0 if column <= width else column - width // 2
    return start, "".join(c if c.isprintable() or c == "\t" else "�" for c in line[start : start + width])


def _dotted(path: tuple[str | int, ...]) -> str:
    return ".".join(map(str, path)) or "the spec"


def did_you_mean(word: str, known: Iterable[str], form: str = "{}") -> str | None:
    """A suggestion, when one of the known words is near."""
    close = difflib.get_close_matches(word, sorted(known), 1, 0.6)
    return f"did you mean `{form.format(close[0])}`?" if close else None

"""How findings are collected, and the checks of values that all parts share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..json_text import dump
from ..problems import Problem

SCHEMA = "SCHEMA_VALIDATION_FAILED"
MISSING_TARGET = "MISSING_TRANSITION_TARGET"
INVALID_EXPRESSION = "INVALID_JSONATA_EXPRESSION"
UNSUPPORTED_EXPRESSION = "UNSUPPORTED_JSONATA_EXPRESSION"
EXPRESSION_CODES = frozenset({INVALID_EXPRESSION, UNSUPPORTED_EXPRESSION})
"""What is wrong with expressions; AWS looks at them only when all else is right."""
MAX_SECONDS = 99_999_999

Body = Mapping[str, Any]


@dataclass(slots=True)
class Findings:
    """What was found so far in a machine of this `type` (STANDARD or EXPRESS)."""

    type: str = "STANDARD"
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)

    def error(self, message: str, at: str, code: str = SCHEMA) -> None:
        self.problems.append(Problem(code, message, at or "/"))

    def warn(self, code: str, message: str, at: str) -> None:
        self.warnings.append(Problem(code, message, at, "WARNING"))

    # -- values ----------------------------------------------------------------------------------------

    def required(self, body: Body, at: str, *keys: str) -> bool:
        """Whether every one of these fields is there."""
        missing = [key for key in keys if key not in body]
        if missing:
            self.error(f"These fields are required: [{', '.join(missing)}]", at)
        return not missing

    def member(self, body: Body, key: str, at: str, template: bool) -> None:
        """A field that the service behind a state wants; in a payload template `key.$` is as good."""
        if key not in body and not (template and f"{key}.$" in body):
            self.error(f"The field '{key}' is required but was missing", at)

    def supported(self, body: Body, at: str, allowed: set[str]) -> None:
        """No field but these."""
        for key in sorted(body.keys() - allowed):
            self.error(f"Field '{key}' is not supported", at)

    def other_language(self, language: str, key: str, at: str) -> None:
        """A field of the language that is not the one set here."""
        other = "JSONPath" if language == "JSONata" else "JSONata"
        self.error(
            f"The QueryLanguage is set to '{language}', but field '{key}' is only supported for the '{other}' QueryLanguage",
            at,
        )

    def expected(self, kind: str, at: str) -> None:
        """The value is of another type: STRING, OBJECT, ARRAY, BOOLEAN or NUMBER was wanted."""
        self.error(f"Expected value of type [{kind}]", at)

    def text(self, body: Body, key: str, at: str, *, empty: bool = False) -> str | None:
        """The field, when it is a string."""
        value = body.get(key)
        if isinstance(value, str) and (value or empty):
            return value
        if isinstance(value, str):
            self.error("Value cannot be empty", f"{at}/{key}")
        elif key in body:
            self.expected("STRING", f"{at}/{key}")
        return None

    def boolean(self, body: Body, key: str, at: str) -> None:
        if not isinstance(body.get(key, False), bool):
            self.expected("BOOLEAN", f"{at}/{key}")

    def object(self, body: Body, key: str, at: str) -> Body | None:
        value = body.get(key)
        if isinstance(value, dict):
            return value
        if key in body:
            self.expected("OBJECT", f"{at}/{key}")
        return None

    def entries(self, body: Body, key: str, at: str, *, empty: bool = True) -> Iterator[tuple[str, Body]]:
        """The objects in a list, with their places."""
        value = body.get(key, [])
        if not isinstance(value, list):
            self.expected("ARRAY", f"{at}/{key}")
            return
        if key in body and not value and not empty:
            self.error("Value cannot be empty", f"{at}/{key}")
        for index, entry in enumerate(value):
            place = f"{at}/{key}[{index}]"
            if isinstance(entry, dict):
                yield place, entry
            else:
                self.expected("OBJECT", place)

    def whole(self, body: Body, key: str, at: str, least: int, most: int | None = MAX_SECONDS) -> None:
        """The field is a whole number in this range."""
        value = body.get(key)
        if key not in body:
            return
        if isinstance(value, bool) or not isinstance(value, int):
            self.error("Expected value of type Integer", f"{at}/{key}")
        else:
            self._range(value, f"{at}/{key}", least, most)

    def number(self, body: Body, key: str, at: str, least: float, most: float | None = None) -> None:
        """The field is a number in this range."""
        value = body.get(key)
        if key not in body:
            return
        if isinstance(value, bool) or not isinstance(value, int | float):
            self.error("Expected value of type Double", f"{at}/{key}")
        else:
            self._range(value, f"{at}/{key}", least, most)

    def _range(self, value: float, at: str, least: float, most: float | None) -> None:
        if value < least:
            self.error(f"Minimum value is {dump(least)}", at)
        elif most is not None and value > most:
            self.error(f"Maximum value is {dump(most)}", at)

    def one_of(self, body: Body, key: str, at: str, values: tuple[str, ...]) -> None:
        value = body.get(key)
        if key not in body:
            return
        if not isinstance(value, str):
            self.expected("STRING", f"{at}/{key}")
        elif value not in values:
            self.error(f"Value should be one of the following: [{', '.join(values)}]", f"{at}/{key}")

    def either(self, body: Body, at: str, *keys: str, required: bool = False) -> None:
        """At most one of the fields; one of them, where one is required."""
        given = [key for key in keys if key in body]
        if len(given) > 1:
            self.error(f"There should only be one of the following fields: [{', '.join(keys)}]", at)
        elif required and not given:
            self.error(f"This object should have only one of the following fields: [{', '.join(keys)}]", at)

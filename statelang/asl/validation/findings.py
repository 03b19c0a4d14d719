"""How findings are collected, and the checks of values that all parts share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..problems import Problem

SCHEMA = "SCHEMA_VALIDATION_FAILED"
MISSING_TARGET = "MISSING_TRANSITION_TARGET"
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
        for key in missing:
            self.error(f"The field '{key}' is required but was missing", at)
        return not missing

    def text(self, body: Body, key: str, at: str, *, empty: bool = False) -> str | None:
        """The field, when it is a string."""
        value = body.get(key)
        if isinstance(value, str) and (value or empty):
            return value
        if key in body:
            what = "Value must be a string" if not isinstance(value, str) else "Value must not be empty"
            self.error(what, f"{at}/{key}")
        return None

    def object(self, body: Body, key: str, at: str) -> Body | None:
        value = body.get(key)
        if isinstance(value, dict):
            return value
        if key in body:
            self.error("Value must be an object", f"{at}/{key}")
        return None

    def entries(self, body: Body, key: str, at: str, *, least: int = 0) -> Iterator[tuple[str, Body]]:
        """The objects in a list, with their places."""
        value = body.get(key, [])
        if not isinstance(value, list):
            self.error("Value must be an array", f"{at}/{key}")
            return
        if key in body and len(value) < least:
            self.error(f"Array must have at least {least} item{'s' if least > 1 else ''}", f"{at}/{key}")
        for index, entry in enumerate(value):
            place = f"{at}/{key}[{index}]"
            if isinstance(entry, dict):
                yield place, entry
            else:
                self.error("Value must be an object", place)

    def whole(self, body: Body, key: str, at: str, least: int, most: int = MAX_SECONDS) -> int | None:
        """The field, when it is a whole number in this range."""
        value = body.get(key)
        if value is None and key not in body:
            return None
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            self.error(f"Value must be an integer from {least} to {most}", f"{at}/{key}")
            return None
        return value

    def one_of(self, body: Body, key: str, at: str, values: tuple[str, ...]) -> None:
        value = body.get(key)
        if key in body and value not in values:
            self.error(
                f"The field '{key}' should have one of these values: [{', '.join(values)}]", f"{at}/{key}"
            )

    def either(self, body: Body, at: str, *keys: str, required: bool = False) -> None:
        """At most one of the fields; one of them, where one is required."""
        given = [key for key in keys if key in body]
        if len(given) > 1:
            self.error(f"You cannot specify more than one of these fields: [{', '.join(keys)}]", at)
        elif required and not given:
            self.error(f"One of these fields is required: [{', '.join(keys)}]", at)

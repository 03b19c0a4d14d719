"""What can be wrong with a definition, as a list that names every place."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding. `location` is a JSON pointer such as `/States/Charge/Next`; `severity` ERROR or WARNING."""

    code: str
    message: str
    location: str
    severity: str = "ERROR"

    def __str__(self) -> str:
        return (
            f"{self.code}: {self.message} at {self.location}"
            if self.location
            else f"{self.code}: {self.message}"
        )


class InvalidDefinition(ValueError):
    """The definition is no state machine; `problems` says why, each with its place."""

    def __init__(self, problems: list[Problem]):
        super().__init__(", ".join(map(str, problems)))
        self.problems = problems

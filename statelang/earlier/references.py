"""References of the earlier Stratum as JSONata: `$.input.text`, `$.steps.review.output.summary`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass, field

from ..spec.contracts import ANY, Contract
from .conditions import Term, Untranslatable, field_of, translate

_CHOICE = 20
_PLACEHOLDER = "reference_{}"


@dataclass(slots=True)
class Seen:
    """What the steps of a flow can refer to, from where one of them stands.

    `must` and `may` are the steps that have run, or can have; None for all. What a step that has not run came to is null.
    """

    ids: Mapping[str, str]
    """The steps' ids here, by their old ones."""
    contracts: Mapping[str, Contract]
    input: Contract
    must: Set[str] | None = None
    may: Set[str] | None = None
    lost: Callable[[str], None] = field(default=lambda reason: None)
    """Told of references that lead nowhere."""

    def term(self, reference: str) -> Term:
        """The reference as JSONata. Raises `Untranslatable`."""
        parts = reference.removeprefix("$.").split(".")
        if parts[0] == "input" and len(parts) > 1:
            return _path("$input", parts[1:], self.input)
        for id in sorted(self.ids, key=len, reverse=True):
            rest = reference.removeprefix(f"$.steps.{id}.output")
            if rest != reference and (not rest or rest[0] == "."):
                return self._result(self.ids[id], rest.split(".")[1:])
        raise Untranslatable(
            f"`{reference[:80]}` refers to nothing: write $.input.FIELD or $.steps.ID.output.FIELD"
        )

    def _result(self, id: str, fields: list[str]) -> Term:
        if self.may is not None and id not in self.may:
            self.lost(f"`{id}` has no result where this stands: it is null here")
            return Term("null", contract=Contract("null"))
        term = _path(f"${id}", fields, self.contracts.get(id, ANY))
        if self.must is None or id in self.must or not fields:
            return term
        return Term(f"${id} != null ? {term.text} : null", _CHOICE)

    def value(self, reference: str) -> str:
        """An input's reference as data with an expression."""
        return "{% " + self.term(reference).text + " %}"

    def condition(self, condition: str, *, negated: bool = False) -> str:
        """A condition with references in it, as JSONata. Raises `Untranslatable`."""
        names = {"true": Term("true", contract=Contract("boolean")), "false": Term("false", contract=Contract("boolean")),
                 "null": Term("null", contract=Contract("null"))}  # fmt: skip

        def named(found: re.Match[str]) -> str:
            name = _PLACEHOLDER.format(len(names))
            names[name] = self.term(found[0])
            return name

        known = "|".join(re.escape(id) for id in sorted(self.ids, key=len, reverse=True))
        pattern = rf"\$\.(?:steps\.(?:{known})|\w+)(?:\.\w+)*" if known else r"\$\.\w+(?:\.\w+)*"
        return translate(re.sub(pattern, named, condition), names, negated=negated)


def _path(base: str, fields: list[str], contract: Contract) -> Term:
    at: Contract | None = contract
    for name in fields:
        base = field_of(base, name)
        at = at.fields.get(name) if at is not None and at.fields is not None else None
    return Term(base, contract=at)

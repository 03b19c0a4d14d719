"""What a change of contracts breaks: inputs that were taken and are refused now, results that were promised and may differ.

Every input that the old version took must be taken by the new one, and every result that the new one may give must be
one that the old one could have given. What cannot be told (a pattern for another) counts as a break.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..spec.contracts import ANY, Contract, violations

_LEAST = ("minimum", "exclusiveMinimum", "minLength", "minItems")
_MOST = ("maximum", "exclusiveMaximum", "maxLength", "maxItems")


def breaks(
    old_input: Contract | None,
    new_input: Contract | None,
    old_output: Contract | None,
    new_output: Contract | None,
) -> list[str]:
    """Each break in words; none where the new contracts are compatible with the old ones. None is a missing contract."""
    found = [
        _INPUT[why].format(at=at, new=new, old=old)
        for at, why, new, old in _refused(new_input or ANY, old_input or ANY, "input")
    ]
    return found + [
        _OUTPUT[why].format(at=at, new=new, old=old) for at, why, old, new in _refused(old_output or ANY, new_output or ANY, "output")
    ]  # fmt: skip


_INPUT = {
    "missing": "`{at}` must be given now ({new})",
    "absent": "`{at}` must be given now, it was optional",
    "kind": "`{at}` takes {new} now, it took {old}",
    "narrow": "`{at}` takes less than it did: {new} now, it was {old}",
    "unknown": "`{at}` is not taken any more",
}
_OUTPUT = {
    "missing": "`{at}` is not promised any more (it was {old})",
    "absent": "`{at}` may be missing now",
    "kind": "`{at}` is {new} now, it was {old}",
    "narrow": "`{at}` may be more than it could: {new} now, it was {old}",
    "unknown": "`{at}` is new, and the contract allowed no other fields",
}

Refusal = tuple[str, str, str, str]


def _refused(takes: Contract, given: Contract, at: str) -> Iterator[Refusal]:
    """Why not everything that is as `given` says is as `takes` says: where, why, and both in words."""

    def refusal(why: str) -> Refusal:
        return at, why, _words(takes), _words(given)

    if takes.kind == "any":
        return
    if given.optional and not takes.optional:
        yield refusal("absent")
    if given.kind == "any":
        yield refusal("kind")
        return
    if given.enum is not None and (takes.enum is not None or not given.choices):
        if any(violations(takes, value) for value in given.enum):
            yield refusal("narrow")
        return
    if takes.enum is not None:
        yield refusal("narrow")
        return
    if given.choices:
        for choice in given.choices:
            if next(_refused(takes, choice, at), None) is not None:
                yield refusal("narrow")
                return
        return
    if takes.choices:
        fitting = [choice for choice in takes.choices if next(_refused(choice, given, at), None) is None]
        if not fitting:
            yield refusal("narrow")
        return
    if takes.kind != given.kind and (given.kind, takes.kind) not in (
        ("integer", "number"),
        ("date-time", "string"),
    ):
        yield refusal("kind")
        return
    if _is_tighter(takes, given):
        yield refusal("narrow")
    if takes.items is not None:
        yield from _refused(takes.items, given.items or ANY, f"{at}[]")
    yield from _refused_fields(takes, given, at)


def _refused_fields(takes: Contract, given: Contract, at: str) -> Iterator[Refusal]:
    known = given.fields or {}
    for name, part in (takes.fields or {}).items():
        if name in known:
            yield from _refused(part, known[name], f"{at}.{name}")
        elif not part.optional:
            yield f"{at}.{name}", "missing", _words(part), "nothing"
    for name, part in known.items():
        if name not in (takes.fields or {}) and (takes.closed or takes.additional is not None):
            if takes.additional is None:
                yield f"{at}.{name}", "unknown", "nothing", _words(part)
            else:
                yield from _refused(takes.additional, part, f"{at}.{name}")


def _is_tighter(takes: Contract, given: Contract) -> bool:
    """Whether a constraint refuses something that the other lets through."""
    for name, limit in takes.constraints.items():
        other = given.constraints.get(name)
        if name in _LEAST:
            if other is None or other < limit:
                return True
        elif name in _MOST:
            if other is None or other > limit:
                return True
        elif name == "multipleOf":
            if other is None or other % limit:
                return True
        elif other != limit:
            return True
    return False


def _words(contract: Contract) -> str:
    return str(contract)

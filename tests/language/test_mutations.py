"""Five hundred ways of writing a spec wrong: each is told clearly, or is a spec after all.

`python tests/language/test_mutations.py` shows every message once, with an example, for a person to read.
"""

from __future__ import annotations

import re
from collections import Counter

from mutations import KINDS, WHOLE, Mutation, mutations
from stratum.statelang.asl.validation import validate
from stratum.statelang.compiler import compile_spec
from stratum.statelang.spec import CODES, Loaded, load

OURS = re.compile(r"\bNone\b|<class|instance of|Input should|Traceback|\bTrue\b|\bFalse\b|\bdict\b|pydantic")
"""Words of Python's, which nobody who writes YAML has to know."""


def told(mutation: Mutation) -> Loaded:
    loaded = load(mutation.text, "whole.yaml")
    lines = mutation.text.split("\n")
    for each in loaded.diagnostics:
        assert each.code in CODES
        assert each.position is not None, each
        assert 1 <= each.position.line <= len(lines) + 1
        assert 1 <= each.position.column <= len(lines[min(each.position.line, len(lines)) - 1]) + 1
        shown = loaded.source.render(each)
        assert shown.startswith(f"whole.yaml:{each.position.line}:")
        assert not OURS.search(f"{each.message} {each.suggestion or ''}"), shown
    return loaded


def test_five_hundred_mistakes_are_told_and_nothing_is_a_traceback() -> None:
    made = mutations(WHOLE, 500)
    assert len({each.text for each in made}) == 500
    assert {each.kind for each in made} == KINDS.keys()
    refused, fine = Counter[str](), Counter[str]()
    for mutation in made:
        loaded = told(mutation)
        if loaded.ok:
            assert loaded.spec is not None
            fine[mutation.kind] += 1
            assert validate(compile_spec(loaded.spec, loaded.source).definition) == [], mutation
        else:
            refused[mutation.kind] += 1
    # What is still a spec has other data, a bound, a route or a step less: nobody could know that it is wrong.
    assert refused.total() > 440, fine
    for kind in (
        "missing_reference",
        "missing_field",
        "broken_expression",
        "wrong_type_name",
        "truncated",
        "shifted_line",
    ):
        assert not fine[kind], kind


if __name__ == "__main__":
    seen: dict[tuple[str, str], list[str]] = {}
    for each in mutations(WHOLE, 10_000):
        loaded = load(each.text, "whole.yaml")
        for found in loaded.diagnostics:
            pattern = re.sub(r"`[^`]*`|'[^']*'|\d+", "…", found.message)
            seen.setdefault((found.code, pattern), []).append(loaded.source.render(found))
    for (_, _), texts in sorted(seen.items()):
        print(f"-- {len(texts)} times, such as\n{min(texts, key=len)}\n")

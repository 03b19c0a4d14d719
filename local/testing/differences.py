"""What was and what was wanted, so that a difference is seen at once: of paths, and of JSON values."""

from __future__ import annotations

import difflib
import json
from collections.abc import Sequence
from typing import Any

_MOST = 30
"""Differences that are told; of more, how many there are."""
_LONGEST = 200


def path_differences(got: Sequence[str], wanted: Sequence[str]) -> list[str]:
    """The path with what is missing in it (`-`) and what is too much (`+`), line by line."""
    width = max((len(name) for name in (*got, *wanted)), default=0)
    lines: list[str] = []
    matcher = difflib.SequenceMatcher(None, list(wanted), list(got), autojunk=False)
    for kind, first, last, start, stop in matcher.get_opcodes():
        if kind == "equal":
            lines += [f"    {name}" for name in wanted[first:last]]
            continue
        lines += [f"  - {name:<{width}}  wanted, and not there" for name in wanted[first:last]]
        lines += [f"  + {name:<{width}}  there, and not wanted" for name in got[start:stop]]
    return lines


def value_differences(got: Any, wanted: Any, *, partial: bool = False) -> list[str]:
    """Each place in which two JSON values differ; with `partial`, what objects have beyond what is wanted of them is
    none. 1 and 1.0 are the same, 1 and true are not."""
    found: list[str] = []
    _compare(got, wanted, "$", partial, found)
    if len(found) > _MOST:
        return [*found[:_MOST], f"and {len(found) - _MOST} more differences"]
    return found


def _compare(got: Any, wanted: Any, place: str, partial: bool, found: list[str]) -> None:
    if isinstance(got, dict) and isinstance(wanted, dict):
        for key, value in wanted.items():
            inner = f"{place}.{key}" if str(key).isidentifier() else f"{place}[{_shown(key)}]"
            if key in got:
                _compare(got[key], value, inner, partial, found)
            else:
                found.append(f"{inner}: missing, wanted {_shown(value)}")
        if not partial:
            for key in got:
                if key not in wanted:
                    inner = f"{place}.{key}" if str(key).isidentifier() else f"{place}[{_shown(key)}]"
                    found.append(f"{inner}: {_shown(got[key])}, not wanted")
        return
    if isinstance(got, list | tuple) and isinstance(wanted, list | tuple):
        for index, (one, other) in enumerate(zip(got, wanted, strict=False)):
            _compare(one, other, f"{place}[{index}]", partial, found)
        for index in range(len(got), len(wanted)):
            found.append(f"{place}[{index}]: missing, wanted {_shown(wanted[index])}")
        for index in range(len(wanted), len(got)):
            found.append(f"{place}[{index}]: {_shown(got[index])}, not wanted")
        return
    if isinstance(got, bool) != isinstance(wanted, bool) or got != wanted:
        found.append(f"{place}: {_shown(got)}, wanted {_shown(wanted)}")


def _shown(value: Any) -> str:
    try:
        text = json.dumps(value, ensure_ascii=False, default=repr)
    except (TypeError, ValueError, RecursionError):
        text = repr(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}… ({len(text)} characters)"

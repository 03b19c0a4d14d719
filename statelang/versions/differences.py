"""What differs between two versions, in words: steps that are new, gone, elsewhere or changed, and what in them.

It works on specs and definitions as data, so that versions of an older form of the language can be told too.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator
from typing import Any

_SHOWN = 80
_APART = ("steps", "types", "version", "workflow", "stratum")


def differences(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """Lines such as "step `charge`: retry.attempts: 5, was 3"; none where both mean the same.

    Both are specs, or both definitions in Amazon States Language.
    """
    if "States" in old or "States" in new:
        return [
            *_steps("state", dict(_states(old, "")), dict(_states(new, ""))),
            *_top(old, new, ("States", "Comment")),
        ]
    found = [*_top(old, new, _APART)]
    found += _named("type", old.get("types") or {}, new.get("types") or {})
    return found + list(_steps("step", dict(_spec_steps(old, "")), dict(_spec_steps(new, ""))))


def _spec_steps(body: Any, within: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every step with what it says itself, in order, those within others too; named by the way to it."""
    for step in body.get("steps") or ():
        yield from _spec_step(step, within)


def _spec_step(step: dict[str, Any], within: str) -> Iterator[tuple[str, dict[str, Any]]]:
    name = f"{within}{step['id']}"
    inner: list[tuple[str, Any]] = []
    own: dict[str, Any] = {}
    for key, value in step.items():
        if key == "parallel" and isinstance(value, dict):
            inner += [(f"{name} / {branch} / ", steps) for branch, steps in value.items()]
            own[key] = list(value)
        elif key == "steps" and isinstance(value, list):
            inner.append((f"{name} / ", value))
        elif key != "id":
            own[key] = value
    yield name, own
    for way, steps in inner:
        for each in steps:
            yield from _spec_step(each, way)


def _states(machine: dict[str, Any], within: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, state in (machine.get("States") or {}).items():
        inner = [
            (f"{within}{name} / ", part) for key in ("ItemProcessor", "Iterator") if (part := state.get(key))
        ]
        inner += [
            (f"{within}{name} / {index} / ", part) for index, part in enumerate(state.get("Branches") or ())
        ]
        own = {
            key: value for key, value in state.items() if key not in ("Branches", "ItemProcessor", "Iterator")
        }
        yield f"{within}{name}", own
        for way, part in inner:
            yield from _states(part, way)


def _steps(word: str, old: dict[str, Any], new: dict[str, Any]) -> Iterator[str]:
    order = [name for name in old if name in new]
    after = [name for name in new if name in old]
    for name in old:
        if name not in new:
            close = difflib.get_close_matches(name, [each for each in new if each not in old], 1)
            same = next((each for each in close if old[name] == new[each]), None)
            yield f"{word} `{name}` is gone" + (f"; `{same}` is the same by another name" if same else "")
    for place, name in enumerate(new):
        if name not in old:
            before = list(new)[place - 1] if place else None
            where = f", after `{before}`" if before else ", at the beginning"
            yield f"{word} `{name}` is new{where}"
    for tag, a, b, _, _ in difflib.SequenceMatcher(None, order, after, autojunk=False).get_opcodes():
        if tag in ("delete", "replace"):
            for name in order[a:b]:
                place = after.index(name)
                yield f"{word} `{name}` now comes " + (f"after `{after[place - 1]}`" if place else "first")
    for name in after:
        for path, was, now in _changes(old[name], new[name], ""):
            yield f"{word} `{name}`: {_told(path, was, now)}"


def _named(word: str, old: dict[str, Any], new: dict[str, Any]) -> Iterator[str]:
    for name in [*old, *(name for name in new if name not in old)]:
        if name not in new:
            yield f"{word} `{name}` is gone"
        elif name not in old:
            yield f"{word} `{name}` is new"
        else:
            for path, was, now in _changes(old[name], new[name], ""):
                yield f"{word} `{name}`: {_told(path, was, now)}"


def _top(old: dict[str, Any], new: dict[str, Any], apart: tuple[str, ...]) -> Iterator[str]:
    for key in [*old, *(key for key in new if key not in old)]:
        if key not in apart:
            for path, was, now in _changes(old.get(key, _NONE), new.get(key, _NONE), key):
                yield _told(path, was, now)


_NONE = object()


def _changes(old: Any, new: Any, path: str) -> Iterator[tuple[str, Any, Any]]:
    """The smallest parts that differ, with the way to them."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in [*old, *(key for key in new if key not in old)]:
            yield from _changes(
                old.get(key, _NONE), new.get(key, _NONE), f"{path}.{key}" if path else str(key)
            )
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for index, pair in enumerate(zip(old, new, strict=True)):
            yield from _changes(*pair, f"{path}[{index}]")
    elif old is _NONE or new is _NONE or json.dumps(old, sort_keys=True) != json.dumps(new, sort_keys=True):
        yield path, old, new


def _told(path: str, was: Any, now: Any) -> str:
    at = f"{path}: " if path else ""
    if was is _NONE:
        return f"{at}{_shown(now)}, was not there"
    if now is _NONE:
        return f"{at}is gone, was {_shown(was)}"
    return f"{at}{_shown(now)}, was {_shown(was)}"


def _shown(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"

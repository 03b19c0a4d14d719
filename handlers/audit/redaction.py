"""Secrets taken out of what is shown: those that contracts mark (`secret: true`), and those that somebody names.

A secret is found where it was declared (a field of the input or of a step's result), and its value is then taken out
wherever it has got to: into another step's arguments, a cause, an approval's form. The tokens of tasks are taken out
always: whoever has one can answer its task.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from ...statelang.engine import read_token
from ..store import Store
from ..workflows import source_map

if TYPE_CHECKING:
    from .trail import Entry

HIDDEN = "•••"
"""What stands in a secret's place."""
TOKEN = "(task token)"
"""What stands in a token's place."""
_TOKEN = re.compile(r"AQ[A-Za-z0-9_-]{20,}\.[A-Za-z0-9_-]{20,}")
_SHORT = 4
"""Texts of fewer characters are only hidden where they were declared: they may stand anywhere by chance."""


class InvalidPath(ValueError):
    """A path to redact is none."""


def read_path(text: str) -> tuple[str, ...]:
    """`input.card.number`, `charge.items[].token` or `*.password` as its parts. Raises `InvalidPath`."""
    parts = tuple(part for part in re.split(r"\.|(?=\[\])", text.removeprefix("$")) if part)
    if not parts or parts == ("*",) or not all(re.fullmatch(r"[\w*?-]+|\[\]", part) for part in parts):
        raise InvalidPath(
            f"'{text}' is no path to redact: write a variable and its fields, such as input.card.number, or *.password"
        )
    return parts


class Redactor:
    """Takes secrets out of values.

    `paths` are as `read_path` gives them: a variable's name (`input`, a step's id), then fields, `[]` for every item of
    an array; a first part `*` finds the field at any depth of anything. Shown values are `given` variable by
    variable with `learn`; without that only `*` paths are hidden.
    """

    def __init__(self, paths: Sequence[tuple[str, ...]] = ()):
        self._paths = [path for path in paths if path[0] != "*"]
        self._anywhere = [path[1:] for path in paths if path[0] == "*"]
        self._texts: set[str] = set()
        self._numbers: set[tuple[str, Any]] = set()
        self._pattern: re.Pattern[str] | None = None

    def __bool__(self) -> bool:
        return bool(self._paths or self._anywhere)

    def learn(self, variable: str, value: Any) -> None:
        """Notes the secrets in the value of a variable."""
        for path in self._paths:
            if fnmatchcase(variable, path[0]):
                for key, secret in _at(value, path[1:], variable):
                    self._note(key, secret)

    def _note(self, key: str, secret: Any) -> None:
        if isinstance(secret, dict | list):
            pairs = secret.items() if isinstance(secret, dict) else ((key, item) for item in secret)
            for name, part in pairs:
                self._note(str(name), part)
        elif isinstance(secret, str) and len(secret) >= _SHORT:
            self._texts.add(secret)
            self._pattern = None
        elif secret is not None and not isinstance(secret, bool):
            self._numbers.add((key, secret))

    def hide(self, value: Any) -> Any:
        """The value with every known secret and every task's token taken out."""
        if self._anywhere:
            value = self._hide_anywhere(value)
        return self._hide(value, "")

    def hide_text(self, text: str) -> str:
        """A text with every known secret taken out; one that is JSON stays JSON, and as it is where it has none."""
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            return self.hide(text)
        if not isinstance(value, dict | list):
            return self.hide(text)
        hidden = self.hide_texts(value)
        return text if hidden == value else json.dumps(hidden, separators=(",", ":"), ensure_ascii=False)

    def hide_texts(self, value: Any) -> Any:
        """As `hide`, also within texts that are JSON."""
        hidden = self.hide(value)
        return self._within(hidden)

    def _within(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.hide_text(value) if value[:1] in ("{", "[") else value
        if isinstance(value, list):
            return [self._within(item) for item in value]
        return {key: self._within(part) for key, part in value.items()} if isinstance(value, dict) else value

    def _hide_anywhere(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._hide_anywhere(item) for item in value]
        if not isinstance(value, dict):
            return value
        kept: dict[str, Any] = {}
        for key, part in value.items():
            hidden = any(len(path) == 1 and fnmatchcase(key, path[0]) for path in self._anywhere)
            if not hidden:
                for path in self._anywhere:
                    if len(path) > 1 and fnmatchcase(key, path[0]):
                        part = _replaced(part, path[1:])
                part = self._hide_anywhere(part)
            kept[key] = HIDDEN if hidden else part
        return kept

    def _hide(self, value: Any, key: str) -> Any:
        if isinstance(value, str):
            if (key, value) in self._numbers:
                return HIDDEN
            if "AQ" in value:
                value = _TOKEN.sub(_token, value)
            if not self._texts:
                return value
            if self._pattern is None:
                longest = sorted(self._texts, key=len, reverse=True)
                self._pattern = re.compile("|".join(map(re.escape, longest)))
            return self._pattern.sub(HIDDEN, value)
        if isinstance(value, dict):
            return {name: self._hide(part, name) for name, part in value.items()}
        if isinstance(value, list | tuple):
            return [self._hide(item, key) for item in value]
        return HIDDEN if not isinstance(value, bool) and (key, value) in self._numbers else value


def redactor_of(store: Store, definition: str, more: Iterable[tuple[str, ...]] = ()) -> Redactor:
    """Of what the contracts of the definition (by digest) call secret, and of `more` paths."""
    secrets = (source_map(store, definition) or {}).get("secrets", ())
    return Redactor([*map(read_path, secrets), *more])


def redactor_for(store: Store, execution: str, definition: str) -> Redactor:
    """Of what the contracts of the execution's definition call secret, with all of it that its log knows by now."""
    redactor = redactor_of(store, definition)
    if redactor:
        from .trail import trail

        learn(redactor, trail(store, execution).entries)
    return redactor


def learn(redactor: Redactor, entries: Iterable[Entry]) -> None:
    """Notes the secrets in what a trail's steps were given and have answered."""
    for entry in entries:
        if entry.what == "started":
            redactor.learn("input", entry.data.get("input"))
        for name, value in entry.data.get("assigned", {}).items():
            redactor.learn(name, value)
        if entry.step is not None and entry.what == "answered":
            # What breaks its contract is an answer, though no variable has it.
            output = entry.data.get("output")
            redactor.learn(entry.step, output)
            if isinstance(output, dict) and "Payload" in output:
                redactor.learn(entry.step, output["Payload"])


def _token(found: re.Match[str]) -> str:
    return TOKEN if read_token(found[0]) is not None else found[0]


def _at(value: Any, path: tuple[str, ...], key: str) -> Iterator[tuple[str, Any]]:
    """What stands at a path: with the name of the field that it stands in."""
    if not path:
        yield key, value
    elif path[0] == "[]":
        for item in value if isinstance(value, list) else ():
            yield from _at(item, path[1:], key)
    elif isinstance(value, list):
        for item in value:
            yield from _at(item, path, key)
    elif isinstance(value, Mapping):
        for name, part in value.items():
            if fnmatchcase(name, path[0]):
                yield from _at(part, path[1:], name)


def _replaced(value: Any, path: tuple[str, ...]) -> Any:
    if not path:
        return HIDDEN
    if isinstance(value, list):
        return [_replaced(item, path[1:] if path[0] == "[]" else path) for item in value]
    if isinstance(value, dict):
        return {
            name: _replaced(part, path[1:]) if fnmatchcase(name, path[0]) else part
            for name, part in value.items()
        }
    return value

"""The one error of the room: a code of the JSONata reference, what was wrong, and where."""

from __future__ import annotations

import json
from typing import Any

MAX_SHOWN = 8192
"""Characters of a value that an error keeps."""
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=lambda _: None)


class JsonataError(Exception):
    """A JSONata expression that cannot be compiled or evaluated.

    - ``code``: the reference's code: ``S0xxx`` syntax, ``T0xxx`` types, ``D0xxx`` data, ``U1xxx`` limits.
    - ``message``: the reason in words, without the code.
    - ``position``: 0-based offset in the source of the text concerned, ``None`` where there is none.
    - ``token``: the source text or name concerned.
    - ``details``: what the reference's own text for the code names besides (see `reference_texts`): JSON texts by
      the reference's names, such as ``value`` and ``index``.
    """

    def __init__(
        self,
        code: str,
        message: str,
        position: int | None = None,
        *,
        token: str | None = None,
        **details: Any,
    ) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message
        self.position = position
        self.token = token
        self.details = {name: _written(value) for name, value in details.items()}

    def __str__(self) -> str:
        where = "" if self.position is None else f" (at offset {self.position})"
        return f"{self.code}: {self.message}{where}"

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (self.code, self.message, self.position, self.token, self.details)


def _rebuild(
    code: str, message: str, position: int | None, token: str | None, details: dict[str, str]
) -> JsonataError:
    made = JsonataError(code, message, position, token=token)
    made.details = details
    return made


def _written(value: Any) -> str:
    """The value's JSON text, as much of it as an error may show; of a function there is none."""
    written, size = [], 0
    try:
        for part in _ENCODER.iterencode(value):
            written.append(part)
            size += len(part)
            if size > MAX_SHOWN:
                break
    except RecursionError:
        return "…"
    return "".join(written)[:MAX_SHOWN]


def show(value: Any, limit: int = 60) -> str:
    """A short text of a value for a message; never walks more of it than it prints."""
    kind = type(value)
    if kind is str:
        text = repr(value[: limit + 1])
    elif value is None:
        return "null"
    elif kind is bool:
        return "true" if value else "false"
    elif kind in (int, float):
        text = repr(value)
    elif isinstance(value, list):
        return f"an array of {len(value)}"
    elif isinstance(value, dict):
        return f"an object with {len(value)} fields"
    else:
        text = str(value)
    return text if len(text) <= limit else text[: limit - 1] + "…"

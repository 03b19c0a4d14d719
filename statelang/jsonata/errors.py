"""The one error of the room: a code of the JSONata reference, what was wrong, and where."""

from __future__ import annotations

from typing import Any


class JsonataError(Exception):
    """A JSONata expression that cannot be compiled or evaluated.

    - ``code``: the reference's code: ``S0xxx`` syntax, ``T0xxx`` types, ``D0xxx`` data, ``U1xxx`` limits.
    - ``message``: the reason in words, without the code.
    - ``position``: 0-based offset in the source of the text concerned, ``None`` where there is none.
    - ``token``: the source text or name concerned; ``value``: the offending value, in short form.
    """

    def __init__(
        self,
        code: str,
        message: str,
        position: int | None = None,
        *,
        token: str | None = None,
        value: Any = None,
    ) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message
        self.position = position
        self.token = token
        self.value = value

    def __str__(self) -> str:
        where = "" if self.position is None else f" (at offset {self.position})"
        return f"{self.code}: {self.message}{where}"

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (self.code, self.message, self.position, self.token, self.value)


def _rebuild(code: str, message: str, position: int | None, token: str | None, value: Any) -> JsonataError:
    return JsonataError(code, message, position, token=token, value=value)


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

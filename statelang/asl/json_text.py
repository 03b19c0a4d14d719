"""JSON that is text and value at once, each made from the other only when asked for.

History events, snapshots and queue messages carry data as JSON text; expressions work on values. A state
that passes its input on must neither parse nor print it again, so both forms travel together.
"""

from __future__ import annotations

import json
from typing import Any

_UNSET: Any = object()

# Step Functions prints data compactly and leaves characters beyond ASCII as they are.
_encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode


def dump(value: Any) -> str:
    """The text of `value` as Step Functions prints it. Raises ValueError for NaN and infinities."""
    return _encode(value)


def measure(text: str) -> int:
    """The size of `text` in UTF-8 bytes, which is what the service's limits count."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


class Json:
    """One JSON document; `text` and `value` agree. The value is never changed after it was given."""

    __slots__ = ("_text", "_value")

    def __init__(self, *, text: str = _UNSET, value: Any = _UNSET):
        self._text = text
        self._value = value

    @property
    def text(self) -> str:
        if self._text is _UNSET:
            self._text = _encode(self._value)
        return self._text

    @property
    def value(self) -> Any:
        if self._value is _UNSET:
            self._value = json.loads(self._text)
        return self._value

    def __repr__(self) -> str:
        return f"Json({self.text if len(self.text) < 80 else self.text[:77] + '...'})"


NULL = Json(text="null", value=None)

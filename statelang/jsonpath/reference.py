"""Reference paths: `ResultPath`, which puts a value at one place of the data."""

from __future__ import annotations

from typing import Any

from .errors import InvalidPath, ResultPathMismatch
from .path import INPUT, Index, Name, Path


def parse_reference(text: str) -> Path:
    """Reads a reference path into the input: names and indexes alone. Raises `InvalidPath`."""
    path = Path.parse(text)
    if path.root != INPUT or not path.is_reference:
        raise InvalidPath(
            f"'{text}' is not a Reference Path: it names one place in the input, such as $.a.b or $.a[0]"
        )
    return path


def put(data: Any, path: Path, value: Any) -> Any:
    """`data` with `value` at `path`; what was given stays as it is.

    Objects that are not there yet are made. Raises `ResultPathMismatch` where something else is in the way.
    """
    return _put(data, path, 0, value)


def _put(data: Any, path: Path, at: int, value: Any) -> Any:
    if at == len(path.steps):
        return value
    step = path.steps[at]
    if isinstance(step, Name):
        if data is None and at:
            data = {}
        if not isinstance(data, dict):
            raise _mismatch(path, data)
        name = step.names[0]
        return {
            **data,
            name: _put(data.get(name, _EMPTY if at + 1 < len(path.steps) else None), path, at + 1, value),
        }
    assert isinstance(step, Index)
    index = step.indexes[0]
    if not isinstance(data, list) or not 0 <= index < len(data):
        raise _mismatch(path, data)
    return [_put(item, path, at + 1, value) if place == index else item for place, item in enumerate(data)]


_EMPTY: dict[str, Any] = {}


def _mismatch(path: Path, data: Any) -> ResultPathMismatch:
    return ResultPathMismatch(path.text)

"""The calls that are being made, and where in their file they stand."""

from __future__ import annotations

import sys
from itertools import islice
from types import FrameType

from ..spec.diagnostics import Position

_OWN = __file__.rpartition("frames")[0]
"""The folder of this file, without an import of `os`."""


def caller() -> FrameType:
    """The frame outside of this package that is calling it."""
    frame = sys._getframe(1)
    while frame.f_code.co_filename.startswith(_OWN) and frame.f_back is not None:
        frame = frame.f_back
    return frame


def call_in(file: str, frame: FrameType | None) -> Position | None:
    """The call that is being made in the file: by the frame, or by one that called it. Columns are in bytes."""
    while frame is not None and frame.f_code.co_filename != file:
        frame = frame.f_back
    if frame is None:
        return None
    found = next(islice(frame.f_code.co_positions(), frame.f_lasti // 2, None), None)
    if found is None or None in found:
        return Position(frame.f_lineno, 1, frame.f_lineno, 2)
    line, end_line, column, end_column = found
    assert line is not None
    assert end_line is not None
    assert column is not None
    assert end_column is not None
    return Position(line, column + 1, end_line, end_column + 1)

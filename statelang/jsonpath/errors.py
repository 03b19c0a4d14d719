"""What can go wrong with a path or an intrinsic function: as it is read, and as it is evaluated."""

from __future__ import annotations


class InvalidPath(ValueError):
    """The text is no path, reference path or intrinsic function; `position` is where reading it stopped."""

    def __init__(self, message: str, position: int = 0):
        super().__init__(message)
        self.message = message
        self.position = position


class PathNotFound(LookupError):
    """A definite path led nowhere. The text says where it broke off: `Missing property in path $['no']`."""


class IntrinsicFailure(ValueError):
    """An intrinsic function could not be applied to its arguments; the text says why."""


class ResultPathMismatch(ValueError):
    """The result cannot be put where a `ResultPath` says."""

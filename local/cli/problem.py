"""What a command says when the request was wrong."""

from __future__ import annotations


class WrongRequest(Exception):
    """The text says what is wrong, where, and what to do about it; the exit code is 2."""

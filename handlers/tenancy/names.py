"""What tenants are called: nothing that could be taken for a part of a key, a path or an address."""

from __future__ import annotations

import re

OPERATOR = "-"
"""The tenant of what the operator knows of the others. No request can name it."""
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}")


class InvalidTenant(ValueError):
    """The text is no tenant's name; it says what one looks like."""

    def __init__(self, name: str):
        super().__init__(
            f"'{name[:80]}' is no tenant's name: letters, digits, '_', '.' and '-', 64 at the most, not beginning with '.' or '-'"
        )


def check_name(name: str) -> str:
    """Raises `InvalidTenant`."""
    if _NAME.fullmatch(name) is None:
        raise InvalidTenant(name)
    return name


def check_stored_name(name: str) -> str:
    """The same, for a store, which has the operator's records too."""
    return name if name == OPERATOR else check_name(name)


def limits_kind(name: str) -> str:
    """The kind of the operator's record of a tenant's limits: a partition key of its own, which the tenant may read."""
    return f"limits.{name}"

"""Executions by what people call them: an ARN, a name, or the beginning of a name."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from .store import Head, Store


@runtime_checkable
class ByName(Protocol):
    """A store that can tell executions of a name without reading every head."""

    def named(self, name: str) -> list[Head]: ...


class NoSuchExecution(LookupError):
    """None of that name, or several; the text says so, and with `has_hint` also what might have been meant."""

    def __init__(self, message: str, *, has_hint: bool = False):
        super().__init__(message)
        self.has_hint = has_hint

    def __str__(self) -> str:
        return str(self.args[0])


def find_execution(store: Store, name: str) -> Head:
    """Raises `NoSuchExecution`."""
    if name.startswith("arn:"):
        head = store.head(name)
        if head is None:
            raise NoSuchExecution(f"there is no execution {name}")
        return head
    if isinstance(store, ByName) and len(named := store.named(name)) == 1:
        return named[0]
    found: list[Head] = []
    names: list[str] = []
    token = None
    while True:
        page = store.heads(limit=500, token=token)
        names += [head.name for head in page.items]
        exact = [head for head in page.items if head.name == name]
        found += exact or [head for head in page.items if head.name.startswith(name)]
        token = page.token
        if token is None:
            break
    exact = [head for head in found if head.name == name]
    found = exact or found
    if len(found) == 1:
        return found[0]
    if found:
        several = "\n".join(f"  {head.execution}" for head in found[:10])
        raise NoSuchExecution(
            f"'{name}' may be any of {len(found)} executions; give an ARN:\n{several}", has_hint=True
        )
    import difflib

    close = difflib.get_close_matches(name, names, 1)
    hint = f"; did you mean {close[0]}?" if close else ""
    raise NoSuchExecution(f"there is no execution '{name}'{hint}", has_hint=bool(close))

"""Who did something: a person by an account of the system, an agent by the name its client gives, a caller of AWS."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Identity:
    """`via` is the way in: `cli`, `console`, `link`, `mcp`, `api`, `elicitation` or `engine`. With `agent` set it is an agent that
    acts, and `user` is whose account it runs under; `client` is the program that it acts through, `terminal` the one that
    somebody typed at.
    """

    user: str | None
    via: str
    host: str | None = None
    agent: str | None = None
    client: str | None = None
    terminal: str | None = None

    def to_json(self) -> dict[str, str]:
        return {name: value for name in self.__slots__ if (value := getattr(self, name)) is not None}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Identity:
        return cls(
            value.get("user"),
            value["via"],
            *(value.get(name) for name in ("host", "agent", "client", "terminal")),
        )

    def __str__(self) -> str:
        who = self.agent or self.user or "somebody"
        where = f" on {self.host}" if self.host and not self.agent else ""
        return f"{who}{where} ({self.via})"


def caller_of(event: Mapping[str, Any]) -> Identity | None:
    """Who has called a function URL that IAM guards (payload format 2.0), or None where AWS does not say."""
    authorizer = (event.get("requestContext") or {}).get("authorizer") or {}
    arn = (authorizer.get("iam") or {}).get("userArn")
    return Identity(arn, "api") if isinstance(arn, str) else None

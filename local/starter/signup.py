"""The handlers of signup.yaml: plain functions, and Lambda functions as they are."""

from __future__ import annotations

from typing import Any


class Busy(Exception):
    """Raised where it is worth trying again: the workflow's `retry` names it."""


def open_account(event: dict[str, Any], context: Any) -> dict[str, Any]:
    # Tasks are performed at least once. Whoever changes something elsewhere hands this key on, so that a second time
    # changes nothing: context.client_context.custom["idempotency_key"].
    return {"id": f"a-{sum(map(ord, event['email']))}", "seats": 5 if event["plan"] == "team" else 1}


def close_account(event: dict[str, Any], context: Any) -> None:
    print(f"account {event['id']} is closed again")


def invite(event: dict[str, Any], context: Any) -> list[str]:
    return [f"{event['account']}-{number}" for number in range(2, event["seats"] + 1)]


def welcome(event: dict[str, Any], context: Any) -> str:
    return f"Welcome, {event['name']}! Your account is {event['account']}."

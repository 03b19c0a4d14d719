"""Who acts by a command: on a local store the account of this machine, on a stage whoever IAM knows the caller as."""

from __future__ import annotations

from dataclasses import replace

from ...handlers.identity import Identity
from ...handlers.store import Store
from ..people import whoami


def who_acts(store: Store) -> Identity:
    """The account of a laptop says nothing to a stage, which many come to: what is done there bears the caller's ARN, as it
    does where the stage's API is called. An agent that acts stays one. Raises `WrongRequest` where AWS does not say who it is."""
    if type(store).__name__ == "DynamoDbStore":
        from .stages import stage_of

        if (stage := stage_of(store)) is not None:
            return replace(whoami(), user=stage.caller)
    return whoami()

"""Who acts by a command: on a local store the account of this machine, on a stage whoever IAM knows the caller as."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from ...handlers.identity import Identity
from ...handlers.store import Store
from ..people import whoami

if TYPE_CHECKING:
    from .stages import Stage


def stage_of(store: Store) -> Stage | None:
    """The stage that the store is of; what belongs to stages is imported for their stores alone, by whoever opens one."""
    opened = sys.modules.get(f"{__package__}.stages")
    return None if opened is None else opened.stage_of(store)


def who_acts(store: Store) -> Identity:
    """The account of a laptop says nothing to a stage, which many come to: what is done there bears the caller's ARN, as it
    does where the stage's API is called. An agent that acts stays one. Raises `WrongRequest` where AWS does not say who it is."""
    stage = stage_of(store)
    return whoami() if stage is None else replace(whoami(), user=stage.caller)

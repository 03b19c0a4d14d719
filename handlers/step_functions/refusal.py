"""What executions on Step Functions cannot have, and why."""

from __future__ import annotations

from ..store import StoreError

FORK = (
    "on Step Functions no execution goes on from a place in its history: AWS keeps the events, and not the state that was"
    " between them. `stratum redrive` goes on from where one failed, `stratum run` starts anew; a stage with --target engine"
    " has forks and reverts"
)
PRUNE = (
    "Step Functions forgets its executions by itself, 90 days after their end, and nobody can before. What people and agents did"
    " about them stays in the stage's table"
)
TENANT = (
    "a stage on Step Functions has one tenant: AWS knows of no other. Give each tenant a stage of its own, or use a stage with"
    " --target engine"
)
NEW = (
    "a stage on Step Functions runs the workflows that were deployed to it: `stratum deploy … --target step-functions` brings"
    " and changes them, and leads their aliases; what was there before comes back by deploying it"
)


class NotOnStepFunctions(StoreError):
    """The text says why it cannot be had there, and what can."""

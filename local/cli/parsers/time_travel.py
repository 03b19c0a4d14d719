"""Commands that go back to where an execution stood."""

from __future__ import annotations

import argparse

from .adding import Commands

PLACE = "a step, a state, a checkpoint or an event's id; STEP#2 for the second time there"


def declare(commands: Commands) -> None:
    redrive = commands.add_with_store(
        "redrive", "time_travel:redrive", "go on with an execution that failed, from where it failed"
    )
    redrive.add_argument("execution", metavar="EXECUTION", help="a name or an ARN")
    _goes_on(redrive)

    fork = commands.add_with_store(
        "fork", "time_travel:fork", "begin a new execution that goes on from where another one stood"
    )
    fork.add_argument("execution", metavar="EXECUTION", help="a name or an ARN")
    fork.add_argument("--at", metavar="PLACE", help=PLACE + " (default: where it stands)")
    fork.add_argument(
        "--input", metavar="JSON|@FILE", default=None, help="another input than it had, from there on"
    )
    fork.add_argument("--name", metavar="NAME", help="the new execution's name (default: a new one)")
    fork.add_argument("--reason", metavar="TEXT", help="why, for the audit")
    _goes_on(fork)

    revert = commands.add_with_store(
        "revert", "time_travel:revert", "go back to an earlier place: stop an execution and go on from there"
    )
    revert.add_argument("execution", metavar="EXECUTION", help="a name or an ARN")
    revert.add_argument("--to", metavar="PLACE", required=True, help=PLACE)
    revert.add_argument("--name", metavar="NAME", help="the new execution's name (default: a new one)")
    revert.add_argument("--reason", metavar="TEXT", help="why, for the audit")
    _goes_on(revert)

    replay = commands.add_with_store(
        "replay", "time_travel:replay", "see what another version makes of what an execution's tasks answered"
    )
    replay.add_argument("execution", metavar="EXECUTION", help="a name or an ARN")
    replay.add_argument("file", metavar="FILE", help="the new version: a spec, or a definition")
    replay.add_argument("--input", metavar="JSON|@FILE", default=None, help="another input than it had")
    replay.add_argument("--json", action="store_true", help="both runs as JSON")

    checkpoint = commands.add_with_store(
        "checkpoint", "time_travel:checkpoint", "give the place where an execution stands a name"
    )
    checkpoint.add_argument("execution", metavar="EXECUTION", help="a name or an ARN")
    checkpoint.add_argument("name", metavar="NAME")
    checkpoint.add_argument("--note", metavar="TEXT")

    checkpoints = commands.add_with_store(
        "checkpoints", "time_travel:checkpoints", "list the places that an execution can be forked at"
    )
    checkpoints.add_argument("execution", metavar="EXECUTION", help="a name or an ARN")
    checkpoints.add_argument("--json", action="store_true")


def _goes_on(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--no-run", action="store_true", help="begin it only: `stratum resume` goes on with it"
    )
    command.add_argument(
        "--json", action="store_true", help="the whole outcome as JSON, not the result alone"
    )

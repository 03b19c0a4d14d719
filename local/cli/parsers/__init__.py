"""What each command takes, by groups of commands, in the order in which `--help` lists them.

A module declares the arguments of its group's commands, and says which function runs each: `"versions:publish"` is the
function `publish` of `cli/versions.py`, imported when it is the command that runs. To add a command, declare it in its group.

- `specs`: to write, check and compile workflows.
- `executions`: to run workflows, and look at what ran.
- `time_travel`: to go back to where an execution stood.
- `versions`: what is published, and the aliases that lead there.
- `audit`: what happened, told and proven.
- `testing`: tests of workflows, and what they took of them.
- `cost`: what workflows cost.
- `work`: the gates and agent steps that people and agents answer.
- `operations`: backups, what is forgotten, tenants, traces.
- `serving`: servers: AWS on this machine, MCP, and its place in a project.
- `cloud`: stages on AWS.
- `adding`: how a command is added.

Nothing but argparse is imported here: the whole of `stratum --help` takes no longer than Python's own start.
"""

from __future__ import annotations

import argparse

from . import (
    audit,
    cloud,
    cost,
    executions,
    operations,
    serving,
    specs,
    testing,
    time_travel,
    versions,
    work,
)
from .adding import DEFAULT_STORE, Commands

__all__ = ["DEFAULT_STORE", "parser"]


def parser() -> argparse.ArgumentParser:
    """The parser of the whole command line."""
    parser = argparse.ArgumentParser(
        prog="stratum",
        description="Runs workflows that must not get lost: typed YAML specs, or Amazon States Language.",
        epilog="Exit codes: 0 done, 1 the workflow failed, 2 the request was wrong.",
    )
    parser.add_argument("--version", action="store_true", help="print the version")
    commands = Commands(parser.add_subparsers(dest="command", metavar="COMMAND"))
    groups = (
        specs,
        executions,
        time_travel,
        versions,
        audit,
        testing,
        cost,
        work,
        operations,
        serving,
        cloud,
    )
    for group in groups:
        group.declare(commands)
    return parser

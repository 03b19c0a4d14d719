"""How a command is added: its name, what runs it, and the store that most of them work on."""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argparse import _SubParsersAction  # pyright: ignore[reportPrivateUsage]

DEFAULT_STORE = "sqlite:///.stratum/stratum.db"
STAGE = "stage://"
"""What the address of a stage's store begins with."""


def stage_address(stage: str, profile: str | None, region: str | None) -> str:
    """The store of a stage, as `--store` has it: `stage://NAME?profile=…&region=…`."""
    given = [f"{name}={value}" for name, value in (("profile", profile), ("region", region)) if value]
    return f"{STAGE}{stage}" + (f"?{'&'.join(given)}" if given else "")


class Commands:
    """The commands that there are so far."""

    def __init__(self, parsers: _SubParsersAction[argparse.ArgumentParser]) -> None:
        self._parsers = parsers

    def add(self, name: str, runs: str, help: str) -> argparse.ArgumentParser:
        """A command `name`, run by `"module:function"` of `cli`; `help` is what it does, in a few words."""
        command = self._parsers.add_parser(name, help=help, description=help[:1].upper() + help[1:] + ".")
        command.set_defaults(runs=runs)
        return command

    def add_with_store(self, name: str, runs: str, help: str) -> argparse.ArgumentParser:
        """The same, with `--store`."""
        command = self.add(name, runs, help)
        command.add_argument(
            "--store",
            metavar="URL",
            default=os.environ.get("STRATUM_STORE", DEFAULT_STORE),
            help=f"where executions are kept (default: $STRATUM_STORE, else {DEFAULT_STORE})",
        )
        add_stage(command)
        return command


def add_stage(
    command: argparse.ArgumentParser,
    *,
    stage: bool = True,
    required: bool = False,
    default: str | None = None,
) -> None:
    """`--stage`, and what finds it on AWS. A stage stands for the store that it has."""
    if stage:
        told = "a stage on AWS, in the place of a store" if default is None and not required else "the stage"
        command.add_argument("--stage", metavar="NAME", required=required, default=default, help=told)
    command.add_argument(
        "--profile", metavar="NAME", help="AWS's profile of the stage (default: $AWS_PROFILE)"
    )
    command.add_argument(
        "--region", metavar="REGION", help="AWS's region of the stage (default: the profile's)"
    )

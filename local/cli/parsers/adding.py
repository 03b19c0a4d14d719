"""How a command is added: its name, what runs it, and the store that most of them work on."""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argparse import _SubParsersAction  # pyright: ignore[reportPrivateUsage]

DEFAULT_STORE = "sqlite:///.stratum/stratum.db"


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
        return command

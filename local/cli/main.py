"""The command line: runs the command that is asked for. Imports next to nothing else: `--help` is instant."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Callable, Sequence

from .parsers import parser as build_parser
from .parsers.adding import stage_address
from .problem import WrongRequest


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; answers its exit code."""
    parser = build_parser()
    options = parser.parse_args(arguments)
    if options.version:
        from importlib.metadata import version

        print(f"stratum {version('stratum-workflows')}")
        return 0
    if options.command is None:
        parser.print_help()
        return 2
    for stream in (sys.stdout, sys.stderr):
        # JSON can hold half a character, which no encoding can: it is printed as JSON would escape it.
        stream.reconfigure(errors="backslashreplace")  # pyright: ignore[reportAttributeAccessIssue]
    # The handlers' own log lines are for servers; here they would stand between the lines of the command.
    os.environ.setdefault("POWERTOOLS_LOG_LEVEL", "WARNING")
    if getattr(options, "stage", None) and hasattr(options, "store"):
        options.store = stage_address(options.stage, options.profile, options.region)
    module, _, function = options.runs.partition(":")
    try:
        command: Callable[[argparse.Namespace], int] = getattr(
            importlib.import_module(f".{module}", __package__), function
        )
        return command(options)
    except WrongRequest as problem:
        print(f"stratum {options.command}: {problem}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\ninterrupted; nothing is lost: `stratum resume` goes on where the log ends", file=sys.stderr)
        return 130
    except RuntimeError as error:
        if type(error).__name__ == "NotOnStepFunctions":
            print(f"stratum {options.command}: {error}", file=sys.stderr)
            return 2
        if type(error).__name__ not in ("StoreError", "DeadLetter", "Stuck"):
            raise
        print(
            f"stratum {options.command}: {error}\nwhat was committed is kept; `stratum resume` goes on from there",
            file=sys.stderr,
        )
        return 1
    except BrokenPipeError:
        # The reader of our output has gone. Python would complain again when it closes stdout.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 1
    except Exception as error:
        if type(error).__module__.partition(".")[0] != "botocore":
            raise
        print(f"stratum {options.command}: AWS: {error}", file=sys.stderr)
        return 2

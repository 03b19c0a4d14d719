"""Commands of the people and agents whose decisions and results workflows wait for."""

from __future__ import annotations

import argparse
import os

from .adding import Commands


def declare(commands: Commands) -> None:
    def listing(name: str, runs: str, help: str) -> None:
        command = commands.add_with_store(name, runs, help)
        command.add_argument("--execution", metavar="EXECUTION", help="of this one alone: a name or an ARN")
        command.add_argument("--limit", type=int, default=50, metavar="N")
        command.add_argument("--json", action="store_true")

    def of_gate(name: str, runs: str, help: str) -> argparse.ArgumentParser:
        command = commands.add_with_store(name, runs, help)
        command.add_argument(
            "gate",
            metavar="GATE",
            help="its id; or a step or an execution, where only one gate is open of it",
        )
        return command

    listing("gates", "gates:gates", "list the gates that wait for a decision")
    for name, help in (
        ("approve", "approve what a gate shows, as the account that this runs under"),
        ("reject", "reject what a gate shows"),
        ("revise", "send what a gate shows back, with a comment that says what is to change"),
    ):
        command = of_gate(name, "gates:decide", help)
        command.add_argument("--comment", metavar="TEXT", required=name == "revise")
        if name != "reject":
            command.add_argument("--form", metavar="JSON|@FILE", help="the gate's form, edited")
        command.add_argument(
            "--shown", metavar="SHA256", help="refuse where the gate shows something else than this"
        )
        command.add_argument("--yes", action="store_true", help="do not ask on a terminal")

    command = of_gate("link", "gates:link", "print a link by which an approver decides a gate, once")
    command.add_argument("--for", dest="approver", metavar="APPROVER", required=True)
    command.add_argument(
        "--hours", type=int, default=24, metavar="N", help="how long it is good (default: 24)"
    )
    command.add_argument(
        "--url",
        metavar="URL",
        default=os.environ.get("STRATUM_LINK_URL"),
        help="the page that takes it (default: $STRATUM_LINK_URL, else the stage's, else that of `stratum up`)",
    )

    listing("work", "work:work", "list the agent steps that wait to be done")
    for name, help in (
        ("claim", "take an agent step, or hold on to it, and print what is to be done"),
        ("step", "hand in the result of an agent step"),
    ):
        command = commands.add_with_store(name, f"work:{name}", help)
        command.add_argument("work", metavar="WORK", help="as `stratum work` lists it")
        command.add_argument(
            "--as", dest="as_agent", metavar="AGENT", help="the name of whoever does the work"
        )
        if name == "step":
            command.add_argument("--result", metavar="JSON|@FILE", required=True)
            command.add_argument("--usd", type=float, metavar="N", help="what it has cost")
            command.add_argument("--tokens", type=int, metavar="N", help="what it has used")

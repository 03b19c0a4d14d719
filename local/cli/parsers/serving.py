"""Commands that serve others until they are ended."""

from __future__ import annotations

import argparse
import os

from .adding import Commands


def declare(commands: Commands) -> None:
    console = commands.add_with_store(
        "console", "console:console", "show the store in a browser, and act there"
    )
    console.add_argument(
        "--port", type=int, default=8085, metavar="N", help="default: 8085; 0 takes a free one"
    )
    console.add_argument("--host", default="127.0.0.1", metavar="ADDRESS", help="default: 127.0.0.1")
    console.add_argument(
        "--read-only", action="store_true", help="only look: nothing is started, decided, or gone on with"
    )
    console.add_argument("--open", action="store_true", help="open it in the browser")
    console.add_argument(
        "--workers", type=int, default=8, metavar="N", help="how many tasks may run at once (default: 8)"
    )

    up = commands.add(
        "up", "up:up", "serve AWS on a port of this machine: Step Functions, Lambda, and by moto the rest"
    )
    up.add_argument(
        "run",
        nargs="*",
        metavar="-- PROGRAM",
        help="run this program beside it, with AWS_ENDPOINT_URL set for it; up ends with it, and with its exit code",
    )
    up.add_argument(
        "--port",
        type=int,
        metavar="N",
        help="default: 8083, or any free one where a program is run; 0 takes a free one",
    )
    up.add_argument("--host", default="127.0.0.1", metavar="ADDRESS", help="default: 127.0.0.1")
    up.add_argument("--data", metavar="DIR", help="keep everything in this folder (default: nothing is kept)")
    up.add_argument(
        "--store",
        metavar="URL",
        default=os.environ.get("STRATUM_STORE"),
        help="keep executions in this store (default: $STRATUM_STORE)",
    )
    up.add_argument(
        "--clock", choices=("real", "virtual"), default="real", help="virtual: no wait takes any time"
    )
    up.add_argument(
        "--functions",
        action="append",
        default=[],
        metavar="DIR",
        help="Python Lambda handlers; may be given again",
    )
    up.add_argument(
        "--layer",
        action="append",
        default=[],
        metavar="DIR",
        help="a Lambda layer for all functions: what is in its folder `python`; may be given again",
    )
    up.add_argument(
        "--mock-config", metavar="FILE", help="mocked integrations, in AWS's MockConfigFile.json format"
    )
    up.add_argument(
        "--bind",
        action="append",
        default=[],
        metavar="WHAT=WHERE",
        help="perform tasks elsewhere: a service (sqs), lambda:FUNCTION or state:STATE, at aws, aws:PROFILE or a URL; several times, or in STRATUM_BIND",
    )
    up.add_argument(
        "--workers", type=int, default=32, metavar="N", help="how many tasks may run at once (default: 32)"
    )
    up.add_argument("--insecure-bind", action="store_true", help="listen where other machines can reach it")

    mcp = commands.add_with_store(
        "mcp", "mcp:mcp", "serve coding agents over MCP, on standard input and output"
    )
    mcp.add_argument(
        "--project",
        metavar="DIR",
        help="the project (default: $CLAUDE_PROJECT_DIR, else where it is started)",
    )
    mcp.add_argument(
        "--http",
        metavar="PORT",
        nargs="?",
        const="8084",
        help="streamable HTTP on loopback instead (default: 8084)",
    )
    mcp.add_argument(
        "--tenant",
        metavar="TENANT",
        default=os.environ.get("STRATUM_TENANT", "default"),
        help=argparse.SUPPRESS,
    )

    for name, help in (
        (
            "install",
            "put the MCP server into a project, with what agents are told of it: for Claude Code and Codex",
        ),
        ("uninstall", "take back what install has written, and nothing else"),
    ):
        command = commands.add_with_store(name, "install:install", help)
        command.add_argument("--project", metavar="DIR", default=".", help="default: this folder")
        command.add_argument(
            "--for",
            dest="agents",
            action="append",
            choices=("claude", "codex"),
            help="default: both (may be given again)",
        )
        command.add_argument("--yes", action="store_true", help="do not ask")

"""Commands that run workflows, and look at what ran."""

from __future__ import annotations

import argparse

from .adding import Commands


def declare(commands: Commands) -> None:
    run = commands.add_with_store("run", "run:run", "run a workflow to its end")
    run.add_argument(
        "file",
        metavar="FILE",
        help="a spec, a definition in Amazon States Language (JSON or YAML), flow.py:workflow, or what is published: "
        "WORKFLOW@VERSION, WORKFLOW@ALIAS",
    )
    run.add_argument(
        "--input", metavar="JSON|@FILE", default=None, help="the execution's input (default: {})"
    )
    run.add_argument("--name", metavar="NAME", help="the execution's name (default: a new one)")
    run.add_argument("--json", action="store_true", help="the whole outcome as JSON, not the result alone")

    resume = commands.add_with_store("resume", "run:resume", "go on with executions whose process has ended")
    resume.add_argument("execution", nargs="?", metavar="EXECUTION", help="a name or an ARN (default: all)")
    resume.add_argument("--json", action="store_true", help="the outcomes as JSON")

    list = commands.add_with_store("list", "executions:list_", "list executions, newest first")
    list.add_argument("--status", metavar="STATUS", help="RUNNING, SUCCEEDED, FAILED, TIMED_OUT or ABORTED")
    list.add_argument("--limit", type=int, default=20, metavar="N")
    list.add_argument("--json", action="store_true")

    show = commands.add_with_store(
        "show", "executions:show", "show an execution: its steps, its result, its log"
    )
    show.add_argument("execution", metavar="EXECUTION", help="a name or an ARN")
    show.add_argument("--json", action="store_true")
    show.add_argument("--reveal", action="store_true", help="show what contracts call secret")

    watch = commands.add_with_store(
        "watch", "watch:watch", "watch executions, or the steps of one, as they go on"
    )
    watch.add_argument(
        "execution", nargs="?", metavar="EXECUTION", help="a name or an ARN (default: the newest)"
    )
    watch.add_argument("--limit", type=int, default=20, metavar="N", help="how many executions (default: 20)")

    history = commands.add_with_store("history", "executions:history", "show an execution's history events")
    history.add_argument("execution", metavar="EXECUTION", help="a name or an ARN")
    history.add_argument(
        "--json", action="store_true", help="the events as the API gives them, without secrets"
    )
    history.add_argument("--reveal", action="store_true", help="show what contracts call secret")

    stop = commands.add_with_store("stop", "executions:stop", "stop an execution")
    stop.add_argument("execution", metavar="EXECUTION", help="a name or an ARN")
    stop.add_argument("--error", metavar="NAME")
    stop.add_argument("--cause", metavar="TEXT")

    search = commands.add_with_store("search", "search:search", "find executions by what is in their history")
    search.add_argument(
        "text", nargs="?", metavar="TEXT", help="anywhere in inputs, outputs, errors, comments"
    )
    search.add_argument("--workflow", metavar="NAME")
    search.add_argument("--status", metavar="STATUS", help="RUNNING, SUCCEEDED, FAILED, TIMED_OUT or ABORTED")
    search.add_argument("--name", metavar="PART", help="a part of the execution's name")
    search.add_argument("--step", metavar="STEP", help="a step or state that it has come to")
    search.add_argument("--error", metavar="NAME", help="an error's name")
    search.add_argument(
        "--input", action="append", default=[], metavar="PATH=VALUE", help="a field of its input"
    )
    search.add_argument(
        "--since", metavar="TIME", help="started at this time or later: 2026-01-31, or 7d for days ago"
    )
    search.add_argument("--until", metavar="TIME", help="started at this time or earlier")
    search.add_argument("--limit", type=int, default=20, metavar="N")
    search.add_argument("--token", help=argparse.SUPPRESS)
    search.add_argument("--json", action="store_true")

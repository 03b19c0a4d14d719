"""The command line: which commands there are, and what each takes. Imports next to nothing: `--help` is instant."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Callable, Sequence

from .problem import WrongRequest

DEFAULT_STORE = "sqlite:///.stratum/stratum.db"

_STORE_HELP = f"where executions are kept (default: $STRATUM_STORE, else {DEFAULT_STORE})"


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; answers its exit code."""
    parser = _parser()
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


_PLACE_HELP = "a step, a state, a checkpoint or an event's id; STEP#2 for the second time there"


def _goes_on(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--no-run", action="store_true", help="begin it only: `stratum resume` goes on with it"
    )
    command.add_argument(
        "--json", action="store_true", help="the whole outcome as JSON, not the result alone"
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="stratum",
        description="Runs workflows that must not get lost: typed YAML specs, or Amazon States Language.",
        epilog="Exit codes: 0 done, 1 the workflow failed, 2 the request was wrong.",
    )
    parser.add_argument("--version", action="store_true", help="print the version")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")

    def add(name: str, runs: str, help: str) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=help, description=help[:1].upper() + help[1:] + ".")
        command.set_defaults(runs=runs)
        return command

    def with_store(command: argparse.ArgumentParser) -> argparse.ArgumentParser:
        command.add_argument(
            "--store", metavar="URL", default=os.environ.get("STRATUM_STORE", DEFAULT_STORE), help=_STORE_HELP
        )
        return command

    validate = add(
        "validate", "validate:validate", "check files and report everything that is wrong with them"
    )
    validate.add_argument("files", nargs="+", metavar="FILE")
    validate.add_argument("--json", action="store_true", help="the findings as JSON")

    compile = add("compile", "compile:compile", "compile a spec to Amazon States Language")
    compile.add_argument("file", metavar="FILE")
    compile.add_argument("--source-map", action="store_true", help="the map from states to steps, instead")
    compile.add_argument("-o", "--output", metavar="OUT", help="write to this file instead of stdout")

    run = with_store(add("run", "run:run", "run a workflow to its end"))
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

    resume = with_store(add("resume", "run:resume", "go on with executions whose process has ended"))
    resume.add_argument("execution", nargs="?", metavar="EXECUTION", help="a name or an ARN (default: all)")
    resume.add_argument("--json", action="store_true", help="the outcomes as JSON")

    list = with_store(add("list", "executions:list_", "list executions, newest first"))
    list.add_argument("--status", metavar="STATUS", help="RUNNING, SUCCEEDED, FAILED, TIMED_OUT or ABORTED")
    list.add_argument("--limit", type=int, default=20, metavar="N")
    list.add_argument("--json", action="store_true")

    show = with_store(add("show", "executions:show", "show an execution: its steps, its result, its log"))
    show.add_argument("execution", metavar="EXECUTION", help="a name or an ARN")
    show.add_argument("--json", action="store_true")

    history = with_store(add("history", "executions:history", "show an execution's history events"))
    history.add_argument("execution", metavar="EXECUTION", help="a name or an ARN")
    history.add_argument("--json", action="store_true", help="the events as the API gives them")

    stop = with_store(add("stop", "executions:stop", "stop an execution"))
    stop.add_argument("execution", metavar="EXECUTION", help="a name or an ARN")
    stop.add_argument("--error", metavar="NAME")
    stop.add_argument("--cause", metavar="TEXT")

    redrive = with_store(
        add("redrive", "time_travel:redrive", "go on with an execution that failed, from where it failed")
    )
    redrive.add_argument("execution", metavar="EXECUTION", help="a name or an ARN")
    _goes_on(redrive)

    fork = with_store(
        add("fork", "time_travel:fork", "begin a new execution that goes on from where another one stood")
    )
    fork.add_argument("execution", metavar="EXECUTION", help="a name or an ARN")
    fork.add_argument("--at", metavar="PLACE", help=_PLACE_HELP + " (default: where it stands)")
    fork.add_argument(
        "--input", metavar="JSON|@FILE", default=None, help="another input than it had, from there on"
    )
    fork.add_argument("--name", metavar="NAME", help="the new execution's name (default: a new one)")
    fork.add_argument("--reason", metavar="TEXT", help="why, for the audit")
    _goes_on(fork)

    revert = with_store(
        add(
            "revert",
            "time_travel:revert",
            "go back to an earlier place: stop an execution and go on from there",
        )
    )
    revert.add_argument("execution", metavar="EXECUTION", help="a name or an ARN")
    revert.add_argument("--to", metavar="PLACE", required=True, help=_PLACE_HELP)
    revert.add_argument("--name", metavar="NAME", help="the new execution's name (default: a new one)")
    revert.add_argument("--reason", metavar="TEXT", help="why, for the audit")
    _goes_on(revert)

    replay = with_store(
        add(
            "replay",
            "time_travel:replay",
            "see what another version makes of what an execution's tasks answered",
        )
    )
    replay.add_argument("execution", metavar="EXECUTION", help="a name or an ARN")
    replay.add_argument("file", metavar="FILE", help="the new version: a spec, or a definition")
    replay.add_argument("--input", metavar="JSON|@FILE", default=None, help="another input than it had")
    replay.add_argument("--json", action="store_true", help="both runs as JSON")

    checkpoint = with_store(
        add("checkpoint", "time_travel:checkpoint", "give the place where an execution stands a name")
    )
    checkpoint.add_argument("execution", metavar="EXECUTION", help="a name or an ARN")
    checkpoint.add_argument("name", metavar="NAME")
    checkpoint.add_argument("--note", metavar="TEXT")

    checkpoints = with_store(
        add("checkpoints", "time_travel:checkpoints", "list the places that an execution can be forked at")
    )
    checkpoints.add_argument("execution", metavar="EXECUTION", help="a name or an ARN")
    checkpoints.add_argument("--json", action="store_true")

    publish = with_store(
        add("publish", "versions:publish", "publish a version of a workflow, which never changes")
    )
    publish.add_argument("file", metavar="FILE")
    publish.add_argument("--as", dest="version_number", metavar="VERSION", help="the version of plain ASL")
    publish.add_argument("--reason", metavar="TEXT", help="why, for those who look at the versions")
    publish.add_argument("--no-code", action="store_true", help="do not keep the handlers' code with it")
    publish.add_argument("--json", action="store_true")

    versions = with_store(
        add(
            "versions",
            "versions:versions",
            "list published versions, with what leads to them and runs on them",
        )
    )
    versions.add_argument("workflow", nargs="?", metavar="WORKFLOW")
    versions.add_argument("--json", action="store_true")

    diff = with_store(add("diff", "versions:diff", "say in words what differs between two versions"))
    diff.add_argument("old", metavar="OLD", help="a file, or WORKFLOW@VERSION")
    diff.add_argument("new", metavar="NEW", help="a file, or WORKFLOW@VERSION")
    diff.add_argument("--json", action="store_true")

    alias = with_store(add("alias", "versions:alias", "show an alias of a workflow, or lead it to a version"))
    alias.add_argument("workflow", metavar="WORKFLOW")
    alias.add_argument("name", metavar="ALIAS", help="such as prod")
    alias.add_argument("--to", metavar="VERSION", help="lead it there")
    alias.add_argument("--canary", metavar="10%%", help="with so much of what is started, for now")
    alias.add_argument("--linear", metavar="10%%/5m", help="with so much more each time, until it has all")
    alias.add_argument("--reason", metavar="TEXT", help="why, for the story of the alias")
    alias.add_argument("--protect", action=argparse.BooleanOptionalAction, default=None,
                       help="somebody else must approve moves from now on")  # fmt: skip
    alias.add_argument("--approve", action="store_true", help="approve the move that waits")
    alias.add_argument("--drop", action="store_true", help="take back the move that waits")
    alias.add_argument("--json", action="store_true")

    rollback = with_store(
        add("rollback", "versions:rollback", "lead an alias back to the version before, at once")
    )
    rollback.add_argument("workflow", metavar="WORKFLOW")
    rollback.add_argument("--alias", metavar="ALIAS", default="prod", help="default: prod")
    rollback.add_argument("--reason", metavar="TEXT", required=True, help="why, for the story of the alias")
    rollback.add_argument("--json", action="store_true")

    audit = with_store(
        add("audit", "audit:audit", "tell an execution's whole story, verify its log, or export it signed")
    )
    audit.add_argument(
        "words",
        nargs="+",
        metavar="EXECUTION | verify [EXECUTION|BUNDLE …] | export EXECUTION",
        help="an execution to tell of; `verify` computes every digest again, of all executions where none is named; "
        "`export` writes a signed bundle, which can be verified without the store",
    )
    audit.add_argument("--format", choices=("text", "markdown", "json"), default="text")
    audit.add_argument("--whole", action="store_true", help="long values whole")
    audit.add_argument("-o", "--output", metavar="FILE", help="where `export` writes to")
    audit.add_argument("--key", metavar="FINGERPRINT", help="whose signature `verify` wants on bundles")
    audit.add_argument(
        "--redact", action="append", default=[], metavar="PATH",
        help="hide this too, such as input.card.number or *.password; may be given again",
    )  # fmt: skip
    audit.add_argument("--reveal", action="store_true", help="show what contracts call secret")

    search = with_store(add("search", "search:search", "find executions by what is in their history"))
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

    test = add("test", "test:test", "run test cases written in YAML (NAME.test.yaml) beside workflows")
    test.add_argument(
        "files",
        nargs="*",
        metavar="FILE",
        help="test files, folders with some, or workflows that have some beside them (default: this folder)",
    )
    test.add_argument("-k", dest="match", metavar="TEXT", help="only cases with this in their names")
    test.add_argument("-x", dest="exitfirst", action="store_true", help="stop at the first that fails")
    test.add_argument(
        "-s", dest="no_capture", action="store_true", help="let functions print and read, as for a breakpoint"
    )
    test.add_argument("--junit", metavar="OUT", help="write the outcomes to this file, in JUnit's XML")
    test.add_argument("--json", action="store_true", help="print the outcomes as JSON")
    test.add_argument(
        "--coverage", action="store_true", help="say what the cases take of workflows, and what they do not"
    )
    _add_coverage(test, "coverage-")

    up = add(
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

    graph = add("graph", "compile:graph", "draw a workflow: a Mermaid flowchart, or a picture")
    graph.add_argument("file", metavar="FILE")
    graph.add_argument("--format", choices=("mermaid", "svg"), default="mermaid", help="default: mermaid")
    graph.add_argument("-o", "--output", metavar="OUT", help="write to this file instead of stdout")

    coverage = with_store(
        add("coverage", "coverage:coverage", "say what executions took of workflows, and what they did not")
    )
    coverage.add_argument(
        "files",
        nargs="*",
        metavar="FILE",
        help="JSON reports to merge (default: the executions in the store); workflows or folders to report too",
    )
    _add_coverage(coverage, "")

    cost = with_store(add("cost", "cost:cost", "say what a workflow will cost, or what an execution did"))
    cost.add_argument("file", nargs="?", metavar="FILE", help="a spec or a definition, to estimate")
    cost.add_argument(
        "--execution", metavar="EXECUTION", help="a name or an ARN, instead: counted in its history"
    )
    cost.add_argument(
        "--executions", type=float, metavar="N", help="default: a million; of one that has run, 1"
    )
    cost.add_argument(
        "--items", action="append", default=[], metavar="[NAME=]N", help="items of maps (default: 10)"
    )
    cost.add_argument(
        "--task-seconds", type=float, default=0.2, metavar="S", help="how long a task takes (default: 0.2)"
    )
    cost.add_argument("--region", default="us-east-1", metavar="REGION", help="default: us-east-1")
    cost.add_argument("--prices", metavar="FILE", help="your own prices, over those of the package")
    cost.add_argument("--json", action="store_true")

    schema = add("schema", "compile:schema", "print the JSON Schema of the language, for editors")
    schema.add_argument("--tests", action="store_true", help="of test files instead")
    _add_work(add, with_store)
    return parser


Add = Callable[[str, str, str], argparse.ArgumentParser]


def _add_coverage(command: argparse.ArgumentParser, prefix: str) -> None:
    """Which reports of coverage are wanted."""
    command.add_argument(
        f"--{prefix}report",
        dest="coverage_report",
        action="append",
        default=[],
        metavar="KIND[:FILE]",
        help="term (the default), html, json; html and json take a file (may be given again)",
    )
    command.add_argument(
        f"--{prefix}fail-under",
        dest="coverage_fail_under",
        type=float,
        metavar="PERCENT",
        help="fail with less than this",
    )
    command.add_argument(
        f"--{prefix}count",
        dest="coverage_count",
        metavar="KINDS",
        help="what counts, such as steps,choices; or all",
    )


def _add_work(add: Add, with_store: Callable[[argparse.ArgumentParser], argparse.ArgumentParser]) -> None:
    """The commands of people and agents whose decisions and results workflows wait for."""

    def listing(name: str, runs: str, help: str) -> None:
        command = with_store(add(name, runs, help))
        command.add_argument("--execution", metavar="EXECUTION", help="of this one alone: a name or an ARN")
        command.add_argument("--limit", type=int, default=50, metavar="N")
        command.add_argument("--json", action="store_true")

    def with_gate(command: argparse.ArgumentParser) -> argparse.ArgumentParser:
        command.add_argument(
            "gate",
            metavar="GATE",
            help="its id; or a step or an execution, where only one gate is open of it",
        )
        return command

    mcp = with_store(add("mcp", "mcp:mcp", "serve coding agents over MCP, on standard input and output"))
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
    listing("gates", "gates:gates", "list the gates that wait for a decision")
    for name, help in (
        ("approve", "approve what a gate shows, as the account that this runs under"),
        ("reject", "reject what a gate shows"),
        ("revise", "send what a gate shows back, with a comment that says what is to change"),
    ):
        command = with_gate(with_store(add(name, "gates:decide", help)))
        command.add_argument("--comment", metavar="TEXT", required=name == "revise")
        if name != "reject":
            command.add_argument("--form", metavar="JSON|@FILE", help="the gate's form, edited")
        command.add_argument(
            "--shown", metavar="SHA256", help="refuse where the gate shows something else than this"
        )
        command.add_argument("--yes", action="store_true", help="do not ask on a terminal")
    command = with_gate(
        with_store(add("link", "gates:link", "print a link by which an approver decides a gate, once"))
    )
    command.add_argument("--for", dest="approver", metavar="APPROVER", required=True)
    command.add_argument(
        "--hours", type=int, default=24, metavar="N", help="how long it is good (default: 24)"
    )
    command.add_argument(
        "--url",
        metavar="URL",
        default=os.environ.get("STRATUM_LINK_URL", "http://127.0.0.1:8083/_stratum/gates"),
        help="the page that takes it (default: $STRATUM_LINK_URL, else that of `stratum up`)",
    )
    listing("work", "work:work", "list the agent steps that wait to be done")
    for name, help in (
        ("claim", "take an agent step, or hold on to it, and print what is to be done"),
        ("step", "hand in the result of an agent step"),
    ):
        command = with_store(add(name, f"work:{name}", help))
        command.add_argument("work", metavar="WORK", help="as `stratum work` lists it")
        command.add_argument(
            "--as", dest="as_agent", metavar="AGENT", help="the name of whoever does the work"
        )
        if name == "step":
            command.add_argument("--result", metavar="JSON|@FILE", required=True)
            command.add_argument("--usd", type=float, metavar="N", help="what it has cost")
            command.add_argument("--tokens", type=int, metavar="N", help="what it has used")

"""`stratum install` and `uninstall`: the MCP server in a project's files, for Claude Code and Codex."""

from __future__ import annotations

import argparse
import difflib
import importlib.util
import sys
from pathlib import Path

from ..agents.project import AGENTS, Change, NotInstallable, apply, uninstall
from ..agents.project import install as plan
from .parsers.adding import DEFAULT_STORE
from .problem import WrongRequest


def install(options: argparse.Namespace) -> int:
    """Both commands: they differ in what is to change."""
    project = Path(options.project).resolve()
    if not project.is_dir():
        raise WrongRequest(f"--project {options.project}: there is no such folder")
    agents = tuple(dict.fromkeys(options.agents or AGENTS))
    left: list[str] = []
    try:
        if options.command == "install":
            if importlib.util.find_spec("mcp") is None:
                raise WrongRequest(
                    "the MCP server needs the package mcp: pip install 'stratum-workflows[mcp]', then install again"
                )
            changes = plan(project, agents, None if options.store == DEFAULT_STORE else options.store)
        else:
            changes, left = uninstall(project, agents)
        for line in left:
            print(line, file=sys.stderr)
        if not changes:
            print("there is nothing to change", file=sys.stderr)
            return 0
        for change in changes:
            print(_diff(change, project), end="")
        if not options.yes and not _agreed(len(changes)):
            return 2
        apply(project, changes)
    except NotInstallable as refused:
        raise WrongRequest(str(refused)) from None
    print(f"{len(changes)} files changed; {_then(options.command, agents)}", file=sys.stderr)
    return 0


def _agreed(files: int) -> bool:
    if not sys.stdin.isatty():
        print(
            f"nothing was changed: nobody is here to ask, and --yes writes these {files} files",
            file=sys.stderr,
        )
        return False
    sys.stdout.flush()
    print(f"write these {files} files? [y/N] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() in ("y", "yes"):
        return True
    print("nothing was changed", file=sys.stderr)
    return False


def _then(command: str, agents: tuple[str, ...]) -> str:
    if command == "uninstall":
        return "agents that run have the server until they are started again"
    told = {
        "claude": "start `claude` here and agree to the server stratum",
        "codex": "start `codex` here and trust the project",
    }
    return "; ".join(told[agent] for agent in agents)


def _diff(change: Change, project: Path) -> str:
    name = change.path.relative_to(project).as_posix()
    before, after = (
        [] if content is None else content.decode("utf-8", "replace").splitlines(keepends=True)
        for content in (change.before, change.after)
    )
    old = "/dev/null" if change.before is None else f"a/{name}"
    new = "/dev/null" if change.after is None else f"b/{name}"
    lines = difflib.unified_diff(before, after, old, new)
    shown = (line if line.endswith("\n") else f"{line}\n\\ no line end\n" for line in lines)
    return "".join(line.replace("\r\n", "\n").replace("\x1b", "\\x1b") for line in shown)

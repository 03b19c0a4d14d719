"""What is to change in a project's files, worked out before anything is written."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sys
import tomllib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import blocks, members, texts

AGENTS = ("claude", "codex")
SERVER = "stratum"
MAX_BYTES = 4 * 1024 * 1024
_MCP_JSON = ".mcp.json"
_CODEX = ".codex/config.toml"
_SKILLS = {"claude": ".claude/skills/stratum/SKILL.md", "codex": ".agents/skills/stratum/SKILL.md"}
_TOLD = {"claude": "CLAUDE.md", "codex": "AGENTS.md"}


class NotInstallable(ValueError):
    """Nothing is changed; the text says of which file, why, and what can be done."""


@dataclass(frozen=True, slots=True)
class Change:
    """A file, from what it is to what it will be; None where there is none."""

    path: Path
    before: bytes | None
    after: bytes | None


def install(project: Path, agents: Iterable[str], store: str | None = None) -> list[Change]:
    """What is to be written for the agents; nothing where all is there. Raises `NotInstallable`."""
    found: list[Change] = []
    for agent in agents:
        server = _server(project, agent, store)
        if agent == "claude":
            found.append(
                _change(project, _MCP_JSON, lambda before, server=server: _with_server(before, server))
            )
        else:
            found.append(_change(project, _CODEX, lambda before, server=server: _with_table(before, server)))
        found.append(_change(project, _SKILLS[agent], _with_skill))
        found.append(
            _change(project, _TOLD[agent], lambda before: blocks.put(before, texts.BLOCK, blocks.MARKDOWN))
        )
    return [change for change in found if change.before != change.after]


def uninstall(project: Path, agents: Iterable[str]) -> tuple[list[Change], list[str]]:
    """What is to be taken back, and what is left alone and why. Raises `NotInstallable`."""
    found: list[Change] = []
    left: list[str] = []
    for agent in agents:
        if agent == "claude":
            found.append(_change(project, _MCP_JSON, _without_server))
        else:
            found.append(_change(project, _CODEX, _without(blocks.TOML)))
        found.append(_change(project, _TOLD[agent], _without(blocks.MARKDOWN)))
        skill = _change(project, _SKILLS[agent], lambda before: before)
        if skill.before is not None and texts.is_unchanged(skill.before):
            found.append(Change(skill.path, skill.before, None))
        elif skill.before is not None:
            left.append(f"{_SKILLS[agent]} was changed since, so it stays: delete it if you do not want it")
    return [change for change in found if change.before != change.after], left


def apply(project: Path, changes: Sequence[Change]) -> None:
    """Writes all of it, or nothing. Raises `NotInstallable`."""
    done: list[Change] = []
    try:
        for change in changes:
            done.append(change)
            _write(change.path, change.after)
    except OSError as error:
        for change in reversed(done):
            with contextlib.suppress(OSError):
                _write(change.path, change.before)
                if change.before is None:
                    _remove_empty(change.path.parent, project)
        raise NotInstallable(
            f"{error.filename or project}: {error.strerror or error}; nothing was changed"
        ) from None
    for change in changes:
        if change.after is None:
            _remove_empty(change.path.parent, project)


# -- files -------------------------------------------------------------------------------------------------


def _change(project: Path, name: str, edit: Callable[[bytes | None], bytes | None]) -> Change:
    path = project / name
    try:
        before = path.read_bytes() if path.exists() else None
        if before is not None and len(before) > MAX_BYTES:
            raise NotInstallable(f"{path} has {len(before)} bytes, which is more than such a file has")
        return Change(path, before, edit(before))
    except (blocks.Damaged, members.NotEditable, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise NotInstallable(f"{path}: {error}; nothing was changed") from None
    except OSError as error:
        raise NotInstallable(
            f"{path} cannot be read: {error.strerror or error}; nothing was changed"
        ) from None


def _write(path: Path, content: bytes | None) -> None:
    if content is None:
        path.unlink(missing_ok=True)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    target = path.resolve()  # of a link, the file that it leads to
    made = target.with_name(f"{target.name}.{os.getpid()}.new")
    try:
        made.write_bytes(content)
        if target.exists():
            shutil.copymode(target, made)
        made.replace(target)
    finally:
        made.unlink(missing_ok=True)


def _remove_empty(folder: Path, project: Path) -> None:
    while folder != project and folder.is_relative_to(project):
        try:
            folder.rmdir()
        except OSError:
            return
        folder = folder.parent


# -- what is in them ---------------------------------------------------------------------------------------


def _with_server(before: bytes | None, server: dict[str, Any]) -> bytes:
    text = None if before is None else before.decode()
    there = None if text is None else members.get(text, "mcpServers", SERVER)
    if there is not None and not _is_ours(there):
        raise members.NotEditable(
            f"it has a server `{SERVER}` already, {json.dumps(there)[:200]}, which this did not write: rename or remove it first"
        )
    return members.put(text, "mcpServers", SERVER, server).encode()


def _without_server(before: bytes | None) -> bytes | None:
    if before is None:
        return None
    text = before.decode()
    there = members.get(text, "mcpServers", SERVER)
    if there is None or not _is_ours(there):
        return before
    after = members.take(text, "mcpServers", SERVER)
    return None if after is None else after.encode()


def _is_ours(server: Any) -> bool:
    """Whether an entry is one that this has written, as it is or with more in it."""
    return isinstance(server, dict) and isinstance(server.get("args"), list) and "mcp" in server["args"]


def _with_table(before: bytes | None, server: dict[str, Any]) -> bytes:
    lines = [
        f"[mcp_servers.{SERVER}]",
        *(f"{name} = {_toml(value)}" for name, value in server.items()),
        "startup_timeout_sec = 20",
    ]
    without = b"" if before is None else blocks.take(before, blocks.TOML) or b""
    if SERVER in tomllib.loads(without.decode()).get("mcp_servers", {}):
        raise members.NotEditable(
            f"it has a server `{SERVER}` already, which this did not write: rename or remove it first"
        )
    after = blocks.put(before, "\n".join(lines), blocks.TOML)
    tomllib.loads(after.decode())
    return after


def _toml(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)  # texts and lists of texts are written alike


def _with_skill(before: bytes | None) -> bytes:
    if before is not None and not texts.is_unchanged(before):
        raise members.NotEditable(
            "somebody else's skill of that name is there, or it was changed since: move it away first"
        )
    return texts.skill()


def _without(marks: blocks.Marks) -> Callable[[bytes | None], bytes | None]:
    return lambda before: None if before is None else blocks.take(before, marks)


# -- the command -------------------------------------------------------------------------------------------


def _server(project: Path, agent: str, store: str | None) -> dict[str, Any]:
    command = list(_command(project, agent))
    return {
        "command": command[0],
        "args": [*command[1:], "mcp", *([] if store is None else ["--store", store])],
    }


def _command(project: Path, agent: str) -> Iterator[str]:
    """`stratum` where everybody's shell finds it; else the one of this environment by its path."""
    script = Path(sys.executable).parent / "stratum"
    found = shutil.which("stratum")
    if found is not None and Path(found).parent != script.parent:
        yield "stratum"
    elif script.is_file():
        inside = agent == "claude" and script.is_relative_to(project)
        # Claude Code starts servers where it was started itself, and says where the project is.
        yield (
            f"${{CLAUDE_PROJECT_DIR:-.}}/{script.relative_to(project).as_posix()}" if inside else str(script)
        )
    else:
        yield from (sys.executable, "-c", "import sys; from stratum.local.cli import main; sys.exit(main())")

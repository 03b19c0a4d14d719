"""`stratum install` and `uninstall`: what was there before is there again afterwards, to the byte."""

from __future__ import annotations

import json
import shutil
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stratum.local.agents.project import members
from stratum.local.cli import main

FILES = (
    ".mcp.json", "CLAUDE.md", ".claude/skills/stratum/SKILL.md", ".codex/config.toml", "AGENTS.md", ".agents/skills/stratum/SKILL.md",
)  # fmt: skip


def state(folder: Path) -> dict[str, bytes | None]:
    """Every file and folder."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in sorted(folder.rglob("*"))
    }


def run(folder: Path, command: str, *options: str) -> int:
    return main([command, "--project", str(folder), *options])


def write(folder: Path, files: dict[str, bytes]) -> dict[str, bytes | None]:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return state(folder)


def test_agents_are_told_where_the_server_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path, "install", "--yes") == 0
    shown = capsys.readouterr().out
    assert all(f"+++ b/{name}" in shown for name in FILES)
    server = json.loads((tmp_path / ".mcp.json").read_text())["mcpServers"]["stratum"]
    assert server["args"][-1] == "mcp"
    told = tomllib.loads((tmp_path / ".codex/config.toml").read_text())["mcp_servers"]["stratum"]
    assert told["args"] == server["args"]
    for name in ("CLAUDE.md", "AGENTS.md"):
        assert "never run `stratum approve`" in (tmp_path / name).read_text()
    skill = (tmp_path / ".claude/skills/stratum/SKILL.md").read_text()
    assert skill.startswith("---\nname: stratum\ndescription: ")
    installed = state(tmp_path)
    assert run(tmp_path, "install", "--yes") == 0
    assert "nothing to change" in capsys.readouterr().err
    assert state(tmp_path) == installed
    assert run(tmp_path, "uninstall", "--yes") == 0
    assert state(tmp_path) == {}


def test_nothing_is_written_unasked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path, "install") == 2
    said = capsys.readouterr()
    assert "nothing was changed" in said.err
    assert '+    "stratum": {' in said.out
    assert state(tmp_path) == {}


def test_for_one_agent_alone(tmp_path: Path) -> None:
    assert run(tmp_path, "install", "--yes", "--for", "codex") == 0
    assert {name for name in FILES if (tmp_path / name).exists()} == set(FILES[3:])
    assert run(tmp_path, "install", "--yes", "--store", "sqlite:///elsewhere.db") == 0
    assert "sqlite:///elsewhere.db" in (tmp_path / ".mcp.json").read_text()
    assert "sqlite:///elsewhere.db" in (tmp_path / ".codex/config.toml").read_text()
    assert run(tmp_path, "uninstall", "--yes", "--for", "claude") == 0
    assert {name for name in FILES if (tmp_path / name).exists()} == set(FILES[3:])


THERE: list[dict[str, bytes]] = [
    {".mcp.json": b'{"mcpServers": {}}', "CLAUDE.md": b"", "AGENTS.md": b"no line end"},
    {".mcp.json": b"{}", ".codex/config.toml": b'model = "x"\n[mcp_servers.other]\ncommand = "y"'},
    {".mcp.json": b'{\n  "mcpServers": {}\n}\n', "CLAUDE.md": b"# Rules\n\n- one\n"},
    {".mcp.json": b'{\r\n\t"mcpServers": {\r\n\t\t"a": {"command": "b"}\r\n\t}\r\n}\r\n', "CLAUDE.md": b"# R\r\n\r\ntext\r\n"},
    {".mcp.json": b'{"other": [1, {"mcpServers": 2}], "mcpServers": {"a": {"command": "{\\"}"}, "b": {}}, "last": null}'},
    {".mcp.json": b'\xef\xbb\xbf{ "mcpServers": { } }', "CLAUDE.md": b"\xff not UTF-8 \x00\n\n\n", "AGENTS.md": b"\n"},
    {".codex/config.toml": "# ümläuts\r\n[tui]\r\nx = 1\r\n".encode(), ".claude/settings.json": b"{}", ".agents/skills/mine/SKILL.md": b"x"},
]  # fmt: skip


@pytest.mark.parametrize("files", THERE)
def test_what_was_there_is_there_again_to_the_byte(tmp_path: Path, files: dict[str, bytes]) -> None:
    before = write(tmp_path, files)
    assert run(tmp_path, "install", "--yes") == 0
    installed = state(tmp_path)
    assert "stratum" in json.loads((tmp_path / ".mcp.json").read_text("utf-8-sig"))["mcpServers"]
    tomllib.loads((tmp_path / ".codex/config.toml").read_text())
    if b"\r\n" in files.get("CLAUDE.md", b""):
        assert b"\n" not in (tmp_path / "CLAUDE.md").read_bytes().replace(b"\r\n", b"")
    assert run(tmp_path, "install", "--yes") == 0
    assert state(tmp_path) == installed
    # Another server, as after the package has moved, takes the place of the old one.
    assert run(tmp_path, "install", "--yes", "--store", "sqlite:///x.db") == 0
    assert run(tmp_path, "uninstall", "--yes") == 0
    assert state(tmp_path) == before


def test_what_was_changed_since_stays_changed(tmp_path: Path) -> None:
    write(
        tmp_path, {".mcp.json": b'{"mcpServers": {"a": {}}}', "CLAUDE.md": b"# Rules\n", "AGENTS.md": b"one"}
    )
    run(tmp_path, "install", "--yes")
    mcp = tmp_path / ".mcp.json"
    mcp.write_text(mcp.read_text().replace('{"a": {}, ', '{"a": {"x": 1}, ').replace("}}}", '}, "z": {}}}'))
    for name in ("CLAUDE.md", "AGENTS.md", ".codex/config.toml"):
        path = tmp_path / name
        path.write_text(f"{path.read_text()}[more]\n")
    claude = tmp_path / "CLAUDE.md"
    claude.write_text(claude.read_text().replace("# Rules", "# New rules"))
    skill = tmp_path / ".claude/skills/stratum/SKILL.md"
    skill.write_text(skill.read_text().replace("lost", "kept"))
    assert run(tmp_path, "uninstall", "--yes") == 0
    assert json.loads(mcp.read_text()) == {"mcpServers": {"a": {"x": 1}, "z": {}}}
    assert claude.read_text() == "# New rules\n[more]\n"
    assert (tmp_path / "AGENTS.md").read_text() == "one\n[more]\n"
    assert (tmp_path / ".codex/config.toml").read_text() == "[more]\n"
    assert skill.exists()  # somebody has made it theirs
    assert not (tmp_path / ".agents").exists()


WRONG: list[tuple[str, bytes, str]] = [
    (".mcp.json", b"{", "is not JSON"),
    (".mcp.json", b"", "is not JSON"),
    (".mcp.json", b"[]", "not an object"),
    (".mcp.json", b'{"mcpServers": []}', "not an object"),
    (".mcp.json", b'{"mcpServers": {}, "mcpServers": {}}', "twice"),
    (".mcp.json", b'{"mcpServers": {"stratum": {"command": "their own"}}}', "already"),
    (".mcp.json", b"\xff{}", "utf-8"),
    (".mcp.json", b"[" * 100_000, "is not JSON"),
    (".codex/config.toml", b"x = [", "config.toml"),
    (".codex/config.toml", b"[mcp_servers.stratum]\ncommand = 'x'\n", "already"),
    (".codex/config.toml", b"mcp_servers = {}\n", "config.toml"),
    ("CLAUDE.md", b"<!-- stratum begin 1 -->\nno end\n", "not a pair"),
    ("CLAUDE.md", b"<!-- stratum end -->\n<!-- stratum begin 1 -->\n", "not a pair"),
    (".claude/skills/stratum/SKILL.md", b"somebody else's", "skill of that name"),
    (".mcp.json/x", b"a folder", ".mcp.json"),
    (".claude", b"a file", ".claude"),
]


@pytest.mark.parametrize(("name", "content", "reason"), WRONG)
def test_what_cannot_be_edited_is_told_and_nothing_is_touched(
    tmp_path: Path, name: str, content: bytes, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = write(tmp_path, {name: content})
    assert run(tmp_path, "install", "--yes") == 2
    said = capsys.readouterr().err
    assert reason in said
    assert "nothing was changed" in said
    assert state(tmp_path) == before


_names = st.sampled_from(["", "a", "ü\u2028", '"{', "mcp", "Stratum"])
_values = st.sampled_from(
    [None, True, -1.5e3, "", '}"\\', [], {}, [1, {"x": "]"}], {"command": "c", "args": ["{", ","]}]
)
_objects = st.dictionaries(_names, _values, max_size=3)
_documents = _objects | st.builds(lambda root, servers: {**root, "mcpServers": servers}, _objects, _objects)


@settings(max_examples=60, deadline=None)
@given(
    document=_documents,
    indent=st.sampled_from([None, 0, 1, 4, "\t"]),
    ascii=st.booleans(),
    end=st.sampled_from(["", "\n", " \r\n"]),
)
def test_a_member_goes_in_and_out_of_any_document(
    document: dict[str, Any], indent: Any, ascii: bool, end: str
) -> None:
    text = json.dumps(document, indent=indent, ensure_ascii=ascii) + end
    made = members.put(text, "mcpServers", "stratum", {"command": "a", "args": ["mcp"]})
    expected = {
        **document,
        "mcpServers": {**document.get("mcpServers", {}), "stratum": {"command": "a", "args": ["mcp"]}},
    }
    assert json.loads(made) == expected
    assert (
        members.take(members.put(made, "mcpServers", "stratum", {"command": "b"}), "mcpServers", "stratum")
        == text
    )


def test_where_one_file_cannot_be_written_none_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = write(tmp_path, {"CLAUDE.md": b"# Rules\n"})
    replace = Path.replace

    def failing(self: Path, target: Any) -> Path:
        if Path(target).name == "AGENTS.md":
            raise OSError(28, "No space left on device", str(target))
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", failing)
    assert run(tmp_path, "install", "--yes") == 2
    assert state(tmp_path) == before


def test_a_link_stays_one(tmp_path: Path) -> None:
    shutil.rmtree(tmp_path / "project", ignore_errors=True)
    project = tmp_path / "project"
    project.mkdir()
    (project / "AGENTS.md").write_text("# Both\n")
    (project / "CLAUDE.md").symlink_to("AGENTS.md")
    run(project, "install", "--yes")
    assert (project / "CLAUDE.md").is_symlink()
    assert (project / "AGENTS.md").read_text().count("stratum begin") == 1
    run(project, "uninstall", "--yes")
    assert (project / "AGENTS.md").read_text() == "# Both\n"

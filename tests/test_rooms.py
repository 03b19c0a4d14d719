"""The rooms keep to what they may import, and starting stays cheap."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
IMPURE = {
    "boto3", "botocore", "moto", "time", "os", "io", "socket", "subprocess", "asyncio", "sqlite3", "tempfile", "secrets", "shutil",
    "urllib.request", "http", "concurrent", "multiprocessing",
}  # fmt: skip


def imports(room: str) -> Iterator[tuple[Path, str]]:
    """Every import of a room: absolute names as they are, relative ones as `room:name`."""
    for path in sorted((ROOT / room).rglob("*.py")):
        if "examples" in path.parts or path.parent.name == "import.stratum":
            continue  # users' code, and the package around the rooms, which names them as users do
        depth = len(path.relative_to(ROOT).parts)
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                yield from ((path, alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                if node.level == 0:
                    yield path, node.module or ""
                elif node.level == depth:
                    yield path, f"room:{(node.module or '').partition('.')[0]}"


def test_statelang_is_pure() -> None:
    for path, name in imports("statelang"):
        assert not name.startswith("room:"), path
        assert name not in IMPURE, f"{path} imports {name}"
        assert name.partition(".")[0] not in IMPURE, f"{path} imports {name}"


@pytest.mark.parametrize(
    ("room", "allowed"),
    [
        ("handlers", {"statelang"}),
        ("local", {"statelang", "handlers", "infra"}),
        ("infra", {"statelang", "handlers"}),
    ],
)
def test_a_room_imports_only_what_it_may(room: str, allowed: set[str]) -> None:
    for path, name in imports(room):
        if name.startswith("room:"):
            assert name.removeprefix("room:") in allowed, path
        assert not name.startswith("stratum"), f"{path}: rooms import each other relatively"


@pytest.mark.parametrize(
    ("code", "absent"),
    [
        ("from stratum.local.cli.parsers import parser; parser()", {"pydantic", "yaml", "rich", "boto3", "aws_lambda_powertools", "sqlite3", "regex"}),
        ("import stratum; dir(stratum)", {"inspect", "typing_extensions", "json", "pydantic"}),
        ("from stratum import task; task(lambda event: 1)", {"pydantic", "yaml", "boto3", "regex", "json", "aws_lambda_powertools"}),
        ("from stratum import Workflow; Workflow('a', version='1.0.0').task('a', 'b.c')", {"pydantic", "yaml", "boto3", "regex"}),
        ("from stratum import AsyncStratum, Stratum, StratumError", {"pydantic", "yaml", "boto3", "rich", "sqlite3", "regex", "aws_lambda_powertools"}),
        ("import stratum.statelang.engine", {"pydantic", "yaml", "boto3", "regex"}),
        ("import stratum.handlers.advance, stratum.handlers.tasks, stratum.handlers.api.front_door", {"yaml", "boto3", "rich", "sqlite3", "regex", "stratum.handlers.telemetry", "stratum.statelang.tracing"}),
        ("import stratum.local.cli.run", {"boto3", "moto", "yaml", "rich"}),
    ],
)  # fmt: skip
def test_what_is_not_needed_is_not_imported(code: str, absent: set[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", f"{code}; import sys; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert set(done.stdout.split()) & absent == set()


def test_every_name_of_the_package_is_there() -> None:
    import stratum

    for name in stratum.__all__:
        assert getattr(stratum, name) is not None, name
    assert set(stratum.__all__) <= set(dir(stratum))
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = stratum.nothing  # pyright: ignore[reportAttributeAccessIssue]

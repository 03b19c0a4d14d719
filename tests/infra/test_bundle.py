"""Archives: the same bytes for the same sources, and nothing in them that does not run on Lambda. No package is downloaded here."""

from __future__ import annotations

import io
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from stratum.infra.bundle import archive, engine, functions, wheels


def test_an_archive_depends_on_its_content_alone() -> None:
    files = {"b.py": b"x = 1\n", "a/c.py": b"FROZEN = frozenset({'a', 'b', 'c'})\n", "d.txt": b"d"}
    made = archive.archive(archive.with_bytecode(files))
    assert made == archive.archive(archive.with_bytecode(dict(reversed(files.items()))))
    # In a process of its own too, where texts have other hashes.
    code = f"from stratum.infra.bundle import archive; print(archive.digest(archive.archive(archive.with_bytecode({files!r}))))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == archive.digest(made)
    with zipfile.ZipFile(io.BytesIO(made)) as opened:
        assert {info.date_time for info in opened.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_bytecode_is_run_without_its_source_being_looked_at(tmp_path: Path) -> None:
    files = archive.with_bytecode({"told.py": b"WORD = 'compiled'\n", "broken.py": b"def :"})
    assert not any(name.startswith("__pycache__/broken") for name in files)
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    (tmp_path / "told.py").write_bytes(b"WORD = 'source'\n")
    done = subprocess.run(
        [sys.executable, "-c", "import told; print(told.WORD)"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "compiled\n"


def test_what_is_too_large_for_lambda_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "_UNZIPPED", 10)
    with pytest.raises(archive.TooLarge, match="has 11 bytes, and Lambda takes 10"):
        archive.archive({"a": b"x" * 11})


def test_the_engine_brings_what_runs_on_lambda_and_no_more() -> None:
    found = engine.own_files()
    assert {
        "stratum/handlers/advance.py",
        "stratum/statelang/engine/decide.py",
        "stratum/__init__.py",
    } <= set(found)
    assert not [
        name
        for name in found
        if name.startswith(("stratum/local/", "stratum/infra/", "stratum/handlers/mcp/"))
    ]
    assert not [name for name in found if "__pycache__" in name]


def test_packages_are_pinned_with_their_digests() -> None:
    text = wheels.PACKAGES.read_text()
    names = [line.partition("==")[0] for line in text.splitlines() if "==" in line]
    assert {"pydantic", "pydantic-core", "aws-lambda-powertools", "regex"} <= set(names)
    assert not {"boto3", "moto", "mcp", "rich", "cryptography"} & set(names)
    blocks = text.split("==")[1:]
    assert all("--hash=sha256:" in block for block in blocks)


def test_of_wheels_only_what_is_read_at_run_time_is_kept(tmp_path: Path) -> None:
    wheel = tmp_path / "some-1.0-py3-none-any.whl"
    kept = {"some/__init__.py", "some/data.json", "some-1.0.dist-info/METADATA"}
    with zipfile.ZipFile(wheel, "w") as made:
        for name in kept | {"some/__init__.pyi", "some-1.0.dist-info/RECORD", "some/tests/test_a.py", "some/py.typed",
                            "aws_lambda_powertools/event_handler/openapi/swagger_ui/bundle.min.js"}:  # fmt: skip
            made.writestr(name, "x")
    assert set(wheels.unpacked([wheel])) == kept


def test_a_folder_of_handlers_is_packed_as_it_is(tmp_path: Path) -> None:
    for name in (
        "shop.py",
        "data/prices.csv",
        "test_shop.py",
        ".git/config",
        ".env",
        "__pycache__/shop.pyc",
        ".stratum/stratum.db",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("def charge(event, context): ...\n" if name.endswith(".py") else "x")
    assert set(functions.folder_files(tmp_path)) == {"shop.py", "data/prices.csv"}
    content = functions.function_archive(tmp_path, "3.99", "arm64")
    with zipfile.ZipFile(io.BytesIO(content)) as opened:
        assert set(opened.namelist()) == {"shop.py", "data/prices.csv", "stratum_long_function.py"}


def test_a_folder_that_is_none_of_handlers_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "movie.mp4").write_bytes(b"x" * 100)
    monkeypatch.setattr(functions, "_MOST", 99)
    with pytest.raises(
        functions.NoHandlers, match="put the workflow and its handlers in a folder of their own"
    ):
        functions.folder_files(tmp_path)

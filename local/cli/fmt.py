"""`stratum fmt`: files in their canonical form. What they say never changes: that is looked at before anything is written."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from .files import read_bytes
from .problem import WrongRequest


def fmt(options: argparse.Namespace) -> int:
    if options.files == ["-"]:
        sys.stdout.write(_formatted(sys.stdin.buffer.read(), "<stdin>"))
        return 0
    files = [Path(name) for name in options.files] or _specs_here()
    unformatted: list[Path] = []
    refused: list[str] = []
    for path in files:
        try:
            content = read_bytes(path)
            text = _formatted(content, str(path))
            if text.encode() == content:
                continue
            unformatted.append(path)
            if not options.check:
                _replace(path, text)
        except WrongRequest as problem:
            refused.append(str(problem))
    for path in unformatted:
        print(f"{'would format' if options.check else 'formatted'} {path}")
    for problem in refused:
        print(f"stratum fmt: {problem}", file=sys.stderr)
    if refused:
        return 2
    if not unformatted:
        print(f"{len(files)} file{'s' if len(files) != 1 else ''} formatted already", file=sys.stderr)
    return 1 if unformatted and options.check else 0


def _specs_here() -> list[Path]:
    """The specs and test files of this folder."""
    from ...statelang import spec

    found: list[Path] = []
    for path in sorted([*Path().glob("*.yaml"), *Path().glob("*.yml")]):
        data = spec.load_data(read_bytes(path))
        if isinstance(data, dict) and ("stratum" in data or "stratum_test" in data or spec.is_asl(data)):
            found.append(path)
    if not found:
        raise WrongRequest("there is no spec in this folder; name the files")
    return found


def _formatted(content: bytes, name: str) -> str:
    from ...statelang import spec
    from ...statelang.formatting import NotFormatted, format_text

    source, findings = spec.read_source(content, name)
    if findings:
        raise WrongRequest("\n".join(source.render(each) for each in findings))
    try:
        text = format_text(source.text)
        if format_text(text) != text:
            raise NotFormatted("formatting it twice would change it twice")
    except NotFormatted as why:
        raise WrongRequest(f"{name} is left as it is: {why}") from None
    if _meaning(text) != _meaning(source.text):
        raise WrongRequest(f"{name} is left as it is: formatting it would change what it says")
    return text


def _meaning(text: str) -> Any:
    """The data, and what it compiles to where it is a spec that does."""
    from ...statelang import spec
    from ...statelang.compiler import compile_spec

    data = spec.load_data(text)
    if not isinstance(data, dict) or "stratum" not in data:
        return data
    loaded = spec.load(text)
    return data, compile_spec(loaded.spec, loaded.source).definition if loaded.ok and loaded.spec else None


def _replace(path: Path, text: str) -> None:
    """Writes the file at once, or not at all."""
    target = path.resolve()
    try:
        handle, made = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
                file.write(text)
            os.chmod(made, target.stat().st_mode & 0o7777)
            os.replace(made, target)
        except BaseException:
            os.unlink(made)
            raise
    except OSError as error:
        raise WrongRequest(f"{path} cannot be written: {error.strerror}") from None

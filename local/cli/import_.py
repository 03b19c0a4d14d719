"""`stratum import`: a spec of the earlier Stratum, rewritten in this language."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from .files import read_bytes
from .problem import WrongRequest

if TYPE_CHECKING:
    from ...statelang.earlier import Rewritten


def import_(options: argparse.Namespace) -> int:
    from ...statelang import earlier

    rewritten = earlier.rewrite(read_bytes(Path(options.file)), options.file)
    if options.json:
        findings = [each.to_json() for each in rewritten.findings]
        told = {"specs": rewritten.specs, "findings": findings, "faults": rewritten.faults}
        print(json.dumps(told, indent=2, ensure_ascii=False))
        return _exit_code(rewritten)
    for finding in rewritten.findings:
        print(rewritten.source.render(finding), end="\n\n", file=sys.stderr)
    if not rewritten.specs:
        print(f"{options.file}: nothing was rewritten", file=sys.stderr)
        return 2
    if options.output is None:
        sys.stdout.write(_chosen(rewritten.specs, options))
    else:
        _write(
            rewritten.specs if options.flow is None else {options.flow: _chosen(rewritten.specs, options)},
            options,
        )
    for fault in rewritten.faults:
        print(f"to be seen to by hand: {fault}", end="\n\n", file=sys.stderr)
    counts = {code: sum(each.code == code for each in rewritten.findings) for code in ("W911", "W912")}
    told = f"{counts['W911']} not carried over, {counts['W912']} mean something else here"
    print(f"{options.file}: {told}; the comments say where", file=sys.stderr)
    return _exit_code(rewritten)


def _exit_code(rewritten: Rewritten) -> int:
    return 2 if not rewritten.specs else 1 if rewritten.faults else 0


def _chosen(specs: dict[str, str], options: argparse.Namespace) -> str:
    if options.flow is None and len(specs) == 1:
        return next(iter(specs.values()))
    names = ", ".join(specs)
    if options.flow is None:
        raise WrongRequest(
            f"{options.file} has {len(specs)} flows, and each is a workflow of its own: {names}; "
            "write -o FOLDER for a file each, or --flow NAME for one"
        )
    if options.flow not in specs:
        raise WrongRequest(f"{options.file} has no flow {options.flow!r}; it has {names}")
    return specs[options.flow]


def _write(specs: dict[str, str], options: argparse.Namespace) -> None:
    """One spec into a file, several into a folder. Nothing is written over what is there."""
    output = Path(options.output)
    whole = len(specs) == 1 and not output.is_dir() and not options.output.endswith(("/", "\\"))
    files = (
        {output: next(iter(specs.values()))}
        if whole
        else {output / f"{name}.yaml": text for name, text in specs.items()}
    )
    there = [str(path) for path in files if path.exists()]
    if there:
        raise WrongRequest(f"{', '.join(there)} is there already, and nothing is written over it")
    try:
        for path, text in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("x", encoding="utf-8") as file:
                file.write(text)
            print(path)
    except OSError as error:
        raise WrongRequest(f"{output} cannot be written: {error.strerror}") from None

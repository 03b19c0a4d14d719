"""`stratum compile` and `schema`: what a spec becomes, as text."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from .files import load_workflow
from .problem import WrongRequest


def compile(options: argparse.Namespace) -> int:
    workflow = load_workflow(Path(options.file), imports=True)
    if options.source_map and workflow.source_map is None:
        raise WrongRequest(f"{options.file} is Amazon States Language: only a spec has a source map")
    made = workflow.source_map if options.source_map else workflow.definition
    text = json.dumps(made, indent=2, ensure_ascii=False) + "\n"
    for warning in workflow.warnings:
        print(warning, file=sys.stderr)
    write(text, options.output)
    return 0


def write(text: str, output: str | None) -> None:
    if output is None:
        sys.stdout.write(text)
        return
    try:
        Path(output).write_text(text, encoding="utf-8")
    except OSError as error:
        raise WrongRequest(f"{output} cannot be written: {error.strerror}") from None


def schema(options: argparse.Namespace) -> int:
    if options.tests:
        from ..testing.cases.models import json_schema
    else:
        from ...statelang.spec import json_schema

    print(json.dumps(json_schema(), indent=2, ensure_ascii=False))
    return 0

"""`stratum coverage`: what executions in the store took of workflows; or several sessions' reports as one."""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path
from typing import TextIO

from ..coverage import NotARecord, Record, report
from ..coverage.files import offer_all
from ..coverage.outputs import Unwritable, WrongOption, counted_of, outputs_of, shortfall, write
from ..coverage.table import table
from .problem import WrongRequest


class Reporting:
    """The reports that options ask for (`coverage_report`, `coverage_count`, `coverage_fail_under`)."""

    def __init__(self, options: argparse.Namespace):
        try:
            self._outputs = outputs_of(options.coverage_report)
            self._counted = counted_of(options.coverage_count)
        except WrongOption as wrong:
            raise WrongRequest(str(wrong)) from None
        self._least: float | None = options.coverage_fail_under
        self.record = Record()
        self.root = Path.cwd()

    def report(self, out: TextIO, said: list[str]) -> bool:
        """Prints and writes what is wanted, and then what else is `said`; answers whether enough is covered."""
        made = report(self.record, self._counted, self.root)
        try:
            said = [*said, *write(made, self._outputs, self.root)]
        except Unwritable as error:
            raise WrongRequest(str(error)) from None
        if any(output.file is None for output in self._outputs):
            print(*table(made, shutil.get_terminal_size((100, 24)).columns), sep="\n", file=out)
        for line in said:
            print(line, file=out)
        short = shortfall(made, self._least)
        if short is not None:
            print(f"FAIL {short}", file=out)
        return short is None


def coverage(options: argparse.Namespace) -> int:
    import sys

    reporting = Reporting(options)
    given = [Path(name) for name in options.files]
    merged = [path for path in given if path.suffix == ".json" and _merge(reporting.record, path)]
    if not merged:
        from ..coverage.stored import add_executions
        from .opening import open_store

        if not add_executions(reporting.record, open_store(options.store, create=False), reporting.root):
            raise WrongRequest("there are no executions in the store, and no reports were given to merge")
    said = [line for path in given if path not in merged for line in _offer(reporting, path)]
    return 0 if reporting.report(sys.stdout, said) else 1


def _offer(reporting: Reporting, path: Path) -> list[str]:
    if not path.exists():
        raise WrongRequest(f"there is no file {path}")
    return offer_all(reporting.record, path, reporting.root)


def _merge(record: Record, path: Path) -> bool:
    """Adds the report in the file; answers False for JSON that is none, such as a definition."""
    try:
        data = json.loads(path.read_bytes())
    except OSError as error:
        raise WrongRequest(f"{path} cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError):
        raise WrongRequest(f"{path} is not JSON") from None
    if not isinstance(data, dict) or "format" not in data:
        return False
    try:
        record.merge(data)
    except NotARecord as wrong:
        raise WrongRequest(f"{path} is no report of coverage: {wrong}") from None
    return True

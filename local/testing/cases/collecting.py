"""Test files as pytest collects them: each case is a test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from . import reports
from .reading import ReadCase, read
from .running import FAILED, SKIPPED, Outcome, run


class CaseFailed(Exception):
    """A case came out otherwise than wanted."""

    def __init__(self, outcome: Outcome):
        super().__init__(outcome.name)
        self.outcome = outcome


class CaseFile(pytest.File):
    def collect(self) -> Iterator[CaseItem]:
        found = read(self.path)
        if not found.ok:
            raise self.CollectError("\n\n".join(found.texts()))
        for case in found.cases:
            yield CaseItem.from_parent(self, name=case.case.name, case=case)


class CaseItem(pytest.Item):
    def __init__(self, *, case: ReadCase, **rest: Any):
        super().__init__(**rest)
        self._case = case

    def runtest(self) -> None:
        outcome = run(self.path, self._case, capture=False)  # pytest does that
        if outcome.status == SKIPPED:
            pytest.skip(outcome.reason)
        if outcome.status == FAILED:
            raise CaseFailed(outcome)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        if isinstance(excinfo.value, CaseFailed):
            return reports.details(self.path, excinfo.value.outcome)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        return self.path, self._case.line - 1, self.name

"""What pytest loads for the coverage of workflows: `--stratum-cov` and its like. Imports nothing unless they are given.

Workers of pytest-xdist hand what they saw to the process that started them, which reports for all.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from ..coverage import Record, Report
    from ..coverage.outputs import Output

_NAME = "stratum-coverage"
_HANDED = "stratum_coverage"


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("stratum", "coverage of workflows (stratum)")
    group.addoption(
        "--stratum-cov",
        action="append",
        nargs="?",
        const="",
        default=[],
        metavar="PATH",
        help="measure what tests take of workflows: steps, choices, retries, catches; with PATH, a file or a "
        "folder, workflows there are reported that no test ran (may be given again)",
    )
    group.addoption(
        "--stratum-cov-report",
        action="append",
        default=[],
        metavar="KIND[:FILE]",
        help="term (the default), html, json; html and json take a file (may be given again)",
    )
    group.addoption(
        "--stratum-cov-fail-under",
        type=float,
        default=None,
        metavar="PERCENT",
        help="fail where less than this is covered",
    )
    group.addoption(
        "--stratum-cov-count",
        default=None,
        metavar="KINDS",
        help="what counts, with commas: steps, choices, branches, items, catches, retries, ensures, compensations "
        "(the default: these), contracts, timeouts, heartbeats; or all",
    )


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("stratum_cov"):
        config.pluginmanager.register(_Coverage(config), _NAME)


class _Coverage:
    """Measures one session."""

    def __init__(self, config: pytest.Config):
        from ..coverage import Record
        from ..coverage.measuring import measure
        from ..coverage.outputs import WrongOption, counted_of, outputs_of

        try:
            self._outputs: list[Output] = outputs_of(config.getoption("stratum_cov_report") or [])
            self._counted = counted_of(config.getoption("stratum_cov_count"))
        except WrongOption as wrong:
            raise pytest.UsageError(f"--stratum-cov: {wrong}") from None
        self._config = config
        self._root: Path = config.rootpath
        self._record: Record = Record()
        self._report: Report | None = None
        self._said: list[str] = []
        self._failed: str | None = None
        self._forget = measure(self._record, self._root)

    @property
    def _worker(self) -> bool:
        return hasattr(self._config, "workerinput")

    # -- pytest-xdist ------------------------------------------------------------------------------------

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: object) -> None:
        given = getattr(node, "workeroutput", {}).get(_HANDED)
        if given is None:
            self._said.append(f"what {node.gateway.id} ran is not in here: it ended before it could say")
        else:
            self._record.merge(json.loads(given))

    # -- the end of the session --------------------------------------------------------------------------

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        self._forget()
        if self._worker:
            # As one ASCII text: what carries it to the other process takes no half of a character.
            self._config.workeroutput[_HANDED] = json.dumps(self._record.to_json())  # pyright: ignore[reportAttributeAccessIssue]
            return
        if session.config.getoption("collectonly", False):
            return
        from ..coverage import report
        from ..coverage.files import offer_all
        from ..coverage.outputs import Unwritable, shortfall, write

        folder = self._config.invocation_params.dir
        for path in self._config.getoption("stratum_cov") or []:
            if path:
                self._said += offer_all(self._record, folder / path, self._root)
        made = self._report = report(self._record, self._counted, self._root)
        try:
            self._said += write(made, self._outputs, folder)
        except Unwritable as error:
            self._failed = str(error)
        self._failed = self._failed or shortfall(made, self._config.getoption("stratum_cov_fail_under"))
        if self._failed and session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        made = self._report
        if made is None:
            return
        from ..coverage.table import table

        terminal = terminalreporter
        if any(output.file is None for output in self._outputs) or not made.workflows:
            terminal.section("workflow coverage", "-")
            lines = table(made, terminal._tw.fullwidth) if made.workflows else ["no test ran a workflow"]
            for line in lines:
                terminal.write_line(line)
        for line in self._said:
            terminal.write_line(line)
        if self._failed:
            terminal.write_line(f"FAIL {self._failed}", red=True, bold=True)

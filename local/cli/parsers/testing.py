"""Commands that test workflows, and say what the tests took of them."""

from __future__ import annotations

import argparse

from .adding import Commands


def declare(commands: Commands) -> None:
    test = commands.add(
        "test", "test:test", "run test cases written in YAML (NAME.test.yaml) beside workflows"
    )
    test.add_argument(
        "files",
        nargs="*",
        metavar="FILE",
        help="test files, folders with some, or workflows that have some beside them (default: this folder)",
    )
    test.add_argument("-k", dest="match", metavar="TEXT", help="only cases with this in their names")
    test.add_argument("-x", dest="exitfirst", action="store_true", help="stop at the first that fails")
    test.add_argument(
        "-s", dest="no_capture", action="store_true", help="let functions print and read, as for a breakpoint"
    )
    test.add_argument("--junit", metavar="OUT", help="write the outcomes to this file, in JUnit's XML")
    test.add_argument("--json", action="store_true", help="print the outcomes as JSON")
    test.add_argument(
        "--coverage", action="store_true", help="say what the cases take of workflows, and what they do not"
    )
    _add_coverage(test, "coverage-")

    coverage = commands.add_with_store(
        "coverage", "coverage:coverage", "say what executions took of workflows, and what they did not"
    )
    coverage.add_argument(
        "files",
        nargs="*",
        metavar="FILE",
        help="JSON reports to merge (default: the executions in the store); workflows or folders to report too",
    )
    _add_coverage(coverage, "")


def _add_coverage(command: argparse.ArgumentParser, prefix: str) -> None:
    """Which reports of coverage are wanted."""
    command.add_argument(
        f"--{prefix}report",
        dest="coverage_report",
        action="append",
        default=[],
        metavar="KIND[:FILE]",
        help="term (the default), html, json; html and json take a file (may be given again)",
    )
    command.add_argument(
        f"--{prefix}fail-under",
        dest="coverage_fail_under",
        type=float,
        metavar="PERCENT",
        help="fail with less than this",
    )
    command.add_argument(
        f"--{prefix}count",
        dest="coverage_count",
        metavar="KINDS",
        help="what counts, such as steps,choices; or all",
    )

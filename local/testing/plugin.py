"""What pytest loads: the `stratum` fixture. Nothing else of the kit is imported before a test asks for it."""

from __future__ import annotations

import sys
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from .session import TestCloud

_CLOUD = pytest.StashKey["TestCloud"]()


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """pytest compiles every module of a distribution that has a plugin for itself, to explain the assertions in it.
    There are none to explain in ours, and it would be most of what a test takes."""
    hook: Any = getattr(early_config.pluginmanager, "rewrite_hook", None)
    marked = getattr(hook, "_must_rewrite", None)
    if isinstance(marked, set):
        marked -= {name for name in marked if name.partition(".")[0] == __name__.partition(".")[0]}
        hook.mark_rewrite()  # without a name: it forgets what it had made of the old ones


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "stratum(now): when the test's cloud begins, a timestamp with its zone"
    )


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Test files in YAML are tests, too."""
    if not file_path.name.endswith((".test.yaml", ".test.yml")):
        return None
    from .cases.finding import is_test_file

    if not is_test_file(file_path):
        return None
    from .cases.collecting import CaseFile

    return CaseFile.from_parent(parent, path=file_path)


@pytest.fixture
def stratum(request: pytest.FixtureRequest) -> Iterator[TestCloud]:
    """A cloud of its own for this test, in this process and on a virtual clock: `stratum.run("order.yaml", input)`."""
    from .session import TestCloud

    folders = [request.path.parent, request.config.rootpath, request.config.invocation_params.dir]
    marker = request.node.get_closest_marker("stratum")
    now = marker.kwargs.get("now") if marker is not None else None
    with TestCloud(list(dict.fromkeys(folders)), test=request.node.nodeid, now=now) as cloud:
        request.node.stash[_CLOUD] = cloud
        yield cloud


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Says of a test that failed how its executions went."""
    report = yield
    cloud = item.stash.get(_CLOUD, None)
    if cloud is not None and report.when == "call" and report.failed and (text := cloud.describe()):
        report.sections.append(("stratum executions", text))
    return report


def pytest_assertrepr_compare(op: str, left: Any, right: Any) -> list[str] | None:
    results = sys.modules.get("stratum.local.testing.results")
    return None if results is None or op != "==" else _compared(results, left, right)


def _compared(results: Any, left: Any, right: Any) -> list[str] | None:
    """Where paths and outputs differ; None for anything else."""
    from .differences import path_differences, value_differences

    for got, wanted in ((left, right), (right, left)):
        if isinstance(got, results.Path) and isinstance(wanted, list):
            return [
                "the path is not as wanted",
                *path_differences(got, wanted),
                f"the execution: {got.outcome}",
            ]
        if isinstance(got, results.Output) and isinstance(wanted, dict):
            return ["the output is not as wanted", *(f"  {line}" for line in value_differences(got, wanted))]
    return None

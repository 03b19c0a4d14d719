"""The handlers' own log lines stay out of the tests' output, and made-up examples are the same in every run: new ones
are looked for by `make corpus`."""

import os
import sys
from pathlib import Path

import pytest
from hypothesis import settings

os.environ.setdefault("POWERTOOLS_LOG_LEVEL", "CRITICAL")
sys.path[:0] = [str(Path(__file__).parent / room) for room in ("", "language", "portability")]

settings.register_profile("suite", derandomize="STRATUM_EXAMPLES" not in os.environ)
settings.load_profile("suite")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest comes first, so that nobody waits for it at the end."""
    items.sort(key=lambda item: not item.nodeid.startswith(("tests/test_readme.py", "tests/test_wheel.py")))

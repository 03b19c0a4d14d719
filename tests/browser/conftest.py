"""Chromium, headless, driven by Playwright."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from browsing import Browsing
from console_world import World
from stratum.local.console.server import ConsoleServer
from stratum.local.console.site import Site

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")

REBOUND = "--host-resolver-rules=MAP evil.example 127.0.0.1"
"""A name of somebody else's that has this machine's address."""


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="`make browser` installs Playwright")
    if CHROMIUM is None:
        pytest.skip("there is no chromium; apt-get install chromium, or set CHROMIUM")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", REBOUND])
        yield browser
        browser.close()


@pytest.fixture
def browsing(chromium: Any) -> Iterator[Browsing]:
    world = World()
    with world.cloud, ConsoleServer(Site(world.console)) as server:
        made = Browsing(chromium, world, server)
        yield made
        made.close()
        assert made.complaints == []

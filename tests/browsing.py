"""A console to look at in a real browser, whose engine goes on when the test says so."""

from __future__ import annotations

from typing import Any

from console_world import World
from stratum.local.console.server import ConsoleServer


class Browsing:
    """A world, and pages of its console. A page must not complain: of anything that it says in its console the test fails."""

    def __init__(self, chromium: Any, world: World, server: ConsoleServer):
        self.chromium = chromium
        self.world = world
        self.server = server
        self.complaints: list[str] = []
        self._contexts: list[Any] = []

    def page(self, place: str = "", *, width: int = 1280, height: int = 900, dark: bool = False) -> Any:
        context = self.chromium.new_context(
            viewport={"width": width, "height": height}, color_scheme="dark" if dark else "light", reduced_motion="reduce"
        )  # fmt: skip
        context.set_default_timeout(15_000)
        self._contexts.append(context)
        page = context.new_page()
        page.on(
            "console", lambda said: said.type in ("error", "warning") and self.complaints.append(said.text)
        )
        page.on("pageerror", lambda error: self.complaints.append(error.stack or str(error)))
        page.on("dialog", lambda dialog: self.complaints.append(f"a dialog: {dialog.message}"))
        page.goto(self.server.link)
        if place:
            page.evaluate("place => { location.hash = place }", place)
        return page

    def close(self) -> None:
        for context in self._contexts:
            context.close()

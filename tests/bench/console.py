"""The console over 10,000 executions of 50 events on SQLite: milliseconds of its answers over HTTP, and what those who watch
cost the engine, both in one process."""

import http.client
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from common import DATA, create, step, tasks
from console_store import EVENTS, fill
from stratum.local.cloud import LocalCloud
from stratum.local.console.server import ConsoleServer, console_of, person
from stratum.local.console.site import PREFIX, Site
from stratum.local.functions import InProcessFunctions
from stratum.local.stores import open_store

URL = "sqlite:///console.db?sync=normal"
TIMES = 15
ROUNDS = 12
SECONDS = 1.5
"""Of a round, at the least."""
WATCHED = 2
"""Listeners at a list, and as many at an execution that runs."""


class Browser:
    def __init__(self, server: ConsoleServer):
        self.host = server.url.removeprefix("http://")
        self._connection = http.client.HTTPConnection(self.host)
        self._connection.request("GET", server.link.removeprefix(server.url))
        answer = self._connection.getresponse()
        answer.read()
        self.cookie = answer.headers["set-cookie"].partition(";")[0]

    def get(self, asked: str, /, **parameters: Any) -> tuple[float, bytes]:
        """Milliseconds, and the answer."""
        began = time.perf_counter()
        path = f"{PREFIX}/api/{asked}?{urlencode(parameters)}"
        self._connection.request("GET", path, headers={"cookie": self.cookie})
        answer = self._connection.getresponse()
        body = answer.read()
        assert answer.status == 200, body
        return (time.perf_counter() - began) * 1000, body


def answers(browser: Browser) -> list[dict[str, Any]]:
    """The slowest and the median of many of each; an execution is another one every time, so that nothing was read before."""
    listed = json.loads(browser.get("executions", limit=100, status="SUCCEEDED")[1])["items"]
    failed = json.loads(browser.get("executions", limit=100, status="FAILED")[1])["items"]
    assert (
        len(json.loads(browser.get("events", execution=listed[0]["execution"], limit=100)[1])["items"])
        == EVENTS
    )
    fresh = [each["execution"] for each in [*listed, *failed]]

    def lists(**filters: Any) -> list[tuple[float, bytes]]:
        return [browser.get("executions", limit=50, **filters) for _ in range(TIMES)]

    measured = [
        ("the list", 200, lists()),
        ("of those that failed", 200, lists(status="FAILED")),
        ("of one workflow", 200, lists(workflow="orders")),
        ("by a part of the name that none has", 200, lists(name="nothing-like-that")),
        ("found by a word in their logs, the first answer", 200, lists(text="customer-700")),
        ("found by a word that is in none, the first answer", 200, lists(text="nowhere-at-all")),
        ("that met an error, the first answer", 200, lists(error="ValueError")),
        ("an execution", 300, [browser.get("execution", execution=fresh.pop()) for _ in range(TIMES)]),
        ("a step's values", 300, [browser.get("visit", execution=fresh.pop(), visit=7) for _ in range(TIMES)]),
        ("what an execution costs", 300, [browser.get("cost", execution=fresh.pop()) for _ in range(TIMES)]),
    ]  # fmt: skip
    return [
        {
            "what": what,
            "aim": aim,
            "median": statistics.median(time for time, _ in each),
            "most": max(time for time, _ in each),
            "bytes": len(each[0][1]),
        }
        for what, aim, each in measured
    ]


def whole_search(browser: Browser) -> dict[str, float]:
    """Every log looked at, answer by answer, as the page does it."""
    began, token, asked, looked_at = time.perf_counter(), "", 0, 0
    while True:
        page = json.loads(browser.get("executions", limit=50, text="nowhere-at-all", token=token)[1])
        asked, looked_at, token = asked + 1, looked_at + page["lookedAt"], page["token"]
        if not token:
            return {"seconds": time.perf_counter() - began, "answers": asked, "logs": looked_at}


def watched(local: LocalCloud, browser: Browser) -> float:
    """The engine's throughput with listeners, as a part of what it is without: the median of rounds in turns."""
    machine = create(local, tasks(10), "watched")
    rounds: dict[bool, list[float]] = {True: [], False: []}
    for turn in range(2 * ROUNDS + 1):
        on = bool(turn % 2)
        runs, listener = 0, None
        began = time.perf_counter()
        while time.perf_counter() - began < SECONDS:
            started = [
                local.call(
                    "StartExecution", stateMachineArn=machine, name=f"w-{turn}-{runs + n}", input=DATA
                )["executionArn"]
                for n in range(100)
            ]
            if on and listener is None:
                paused = time.perf_counter()
                listener = _listener(browser, started[-WATCHED:])
                began += time.perf_counter() - paused
            for execution in started:
                assert local.wait(execution).snapshot["status"] == "SUCCEEDED"
            runs += 100
        if turn:
            rounds[on].append(runs / (time.perf_counter() - began))
        if listener is not None:
            heard, _ = listener.communicate("")
            assert min(json.loads(heard)) > 0, heard
    return statistics.median(on / off for on, off in zip(rounds[True], rounds[False], strict=True))


def _listener(browser: Browser, executions: list[str]) -> subprocess.Popen[str]:
    """A process with open streams, as browsers have them; it says how much each has heard when its input ends."""
    streams = [f"{PREFIX}/api/stream?limit=50"] * WATCHED
    streams += [f"{PREFIX}/api/stream?execution={quote(each)}&after=0" for each in executions]
    script = Path(__file__).with_name("console_listener.py")
    process = subprocess.Popen(
        [sys.executable, str(script), browser.host, browser.cookie, *streams],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == "open\n"
    return process


def main(count: int) -> None:
    fill(URL, count)
    with LocalCloud(open_store(URL), InProcessFunctions({"step": step}), workers=0) as local:
        console = console_of(local.runtime, URL, who=person(), place="bench")
        with ConsoleServer(Site(lambda: console)) as server:
            browser = Browser(server)
            told = {
                "answers": answers(browser),
                "search": whole_search(browser),
                "ratio": watched(local, browser),
            }
    print(json.dumps(told))


if __name__ == "__main__":
    main(int(sys.argv[1]))

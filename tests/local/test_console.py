"""The console's site over HTTP: who may see it and who may not, what a browser is given, and live changes."""

from __future__ import annotations

import http.client
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from console_world import BOB, INPUT, World
from stratum.local.cli import main
from stratum.local.console import stream
from stratum.local.console.server import ConsoleServer
from stratum.local.console.site import PREFIX, Site

STATIC = Path(__file__).resolve().parents[2] / "local" / "console" / "static"


class Browser:
    """Requests to the server, with the cookie that its link gave."""

    def __init__(self, server: ConsoleServer):
        self.host = urlsplit(server.url).netloc
        answer = self.ask("GET", server.link.removeprefix(server.url))
        assert (answer.status, answer.headers["location"]) == (303, f"{PREFIX}/")
        self.set_cookie = answer.headers["set-cookie"]
        self.cookie = self.set_cookie.partition(";")[0]

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        connection = http.client.HTTPConnection(self.host, timeout=20)
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, None if body is None else json.dumps(body), given)
        answer = connection.getresponse()
        answer.text = answer.read().decode()  # pyright: ignore[reportAttributeAccessIssue]
        connection.close()
        return answer

    def get(self, path: str, **headers: str) -> Any:
        return self.ask("GET", f"{PREFIX}/{path}", cookie=self.cookie, **headers)

    def post(self, name: str, body: Any, **headers: str) -> Any:
        headers = {"x_stratum_console": "1", "cookie": self.cookie, **headers}
        return self.ask("POST", f"{PREFIX}/api/{name}", body, **headers)


@pytest.fixture
def world() -> Iterator[World]:
    made = World()
    with made.cloud:
        yield made


@pytest.fixture
def browser(world: World) -> Iterator[Browser]:
    with ConsoleServer(Site(world.console, stream.Pace(0.02, 0.02))) as server:
        yield Browser(server)


def test_only_the_link_opens_it(world: World, browser: Browser) -> None:
    assert "HttpOnly; SameSite=Strict" in browser.set_cookie
    assert browser.get("").status == 200
    for cookie in ("", "stratum=1", browser.cookie[:-1], browser.cookie + "x", "\x01=;;"):
        assert browser.ask("GET", f"{PREFIX}/", cookie=cookie).status == 401
        answer = browser.ask("GET", f"{PREFIX}/api/executions", cookie=cookie)
        assert answer.status == 401
        assert "link" in json.loads(answer.text)["message"]
        assert browser.ask("GET", f"{PREFIX}/app.js", cookie=cookie).status == 401
    assert browser.ask("GET", f"{PREFIX}/?key=guess").status == 401
    assert browser.ask("GET", "/").headers["location"] == f"{PREFIX}/"


def test_a_page_of_another_origin_neither_reads_nor_acts(world: World, browser: Browser) -> None:
    """With the cookie, even: DNS rebinding has another `Host`, a form or fetch of another page another `Origin`."""
    body = {"machine": world.machine, "input": INPUT}
    assert browser.get("api/executions", host="evil.example").status == 403
    assert browser.get("api/executions", host=f"evil.example:{browser.host.partition(':')[2]}").status == 403
    assert browser.get("api/executions", origin="http://evil.example").status == 403
    for elsewhere in ("http://evil.example", "http://127.0.0.1:1", f"https://{browser.host}.evil.example"):
        refused = browser.get("api/stream?limit=5", origin=elsewhere)
        assert (refused.status, "event-stream" in refused.headers["content-type"]) == (403, False)
    assert browser.get("api/stream?limit=5", host="evil.example").status == 403
    # What a form can send: no header of its own, and one of three types.
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        form = browser.ask("POST", f"{PREFIX}/api/start", body, cookie=browser.cookie, content_type=kind)
        assert form.status == 403
    assert browser.post("start", body, origin="http://evil.example").status == 403
    assert browser.post("start", body, origin="null").status == 403
    assert browser.post("start", body, host="127.0.0.1.evil.example").status == 403
    assert browser.post("start", body, x_stratum_console="").status == 403
    assert browser.post("start", body, sec_fetch_site="cross-site").status == 403
    preflight = browser.ask(
        "OPTIONS", f"{PREFIX}/api/start", cookie=browser.cookie, origin=f"http://{browser.host}"
    )
    assert not [name for name in preflight.headers if name.lower().startswith("access-control-")]
    assert json.loads(browser.get("api/executions").text)["items"] == []
    assert browser.post("start", body, origin=f"http://{browser.host}").status == 200


def test_what_a_page_may_do_is_told_with_it(browser: Browser) -> None:
    answer = browser.get("")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    assert (answer.headers["x-frame-options"], answer.headers["x-content-type-options"]) == (
        "DENY",
        "nosniff",
    )
    for path in ("", "app.js", "api/executions"):
        assert browser.get(path).headers["cross-origin-resource-policy"] == "same-origin", path
    tag = browser.get("app.js").headers["etag"]
    assert browser.get("app.js", if_none_match=tag).status == 304
    for path in ("nothing.js", "../site.py", "%2e%2e/site.py", "..%2fsite.py", "vendor", "/etc/passwd"):
        assert browser.get(path).status == 404, path


def test_the_pages_load_nothing_from_elsewhere() -> None:
    """Every import is a file that is there; nothing has a script or a style of its own, and nothing sets HTML."""
    for path in STATIC.glob("*.*"):
        text = path.read_text(encoding="utf-8")
        for name in (
            re.findall(r"""(?:from |import\()["']([^"']+)["']""", text) if path.suffix == ".js" else ()
        ):
            assert (path.parent / name).is_file(), f"{path.name} imports {name}"
        for name in re.findall(r'(?:src|href)="([^"#]+)"', text) if path.suffix == ".html" else ():
            assert (path.parent / name).is_file(), f"{path.name} has {name}"
        assert not re.search(
            r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function", text
        )
        if path.suffix == ".html":
            assert not re.search(r"<style|<script(?![^>]* src=)|\son\w+=|\sstyle=", text)


def test_changes_are_told_as_they_happen(world: World, browser: Browser) -> None:
    execution, gate = world.to_the_gate()
    seq = world.get("execution", execution=execution)["story"]["seq"]
    connection = http.client.HTTPConnection(browser.host, timeout=20)
    connection.request(
        "GET", f"{PREFIX}/api/stream?execution={execution}&after={seq}", headers={"cookie": browser.cookie}
    )
    answer = connection.getresponse()
    assert answer.headers["content-type"] == "text/event-stream"
    world.who = BOB
    world.post("decide", gate=gate["handle"], outcome="approve", shown=gate["digest"])
    world.finish()
    visits: dict[int, Any] = {}
    told: dict[str, Any] = {"status": "RUNNING"}
    while told["status"] == "RUNNING":
        line = answer.readline().decode()
        if line.startswith("data: "):
            told = json.loads(line.removeprefix("data: "))
            visits |= {visit["id"]: visit for visit in told["story"]["visits"]}
    connection.close()
    assert told["output"] == {"price": 7}
    assert {visit["step"]: visit["status"] for visit in visits.values()} == {
        "approve": "done", "parcels": "done", "label": "done", "settle": "done", "done": "done",
    }  # fmt: skip


def test_a_list_is_told_when_it_changes(world: World, browser: Browser) -> None:
    connection = http.client.HTTPConnection(browser.host, timeout=20)
    connection.request("GET", f"{PREFIX}/api/stream?limit=5", headers={"cookie": browser.cookie})
    answer = connection.getresponse()

    def told() -> Any:
        while not (line := answer.readline().decode()).startswith("data: "):
            pass
        return json.loads(line.removeprefix("data: "))

    assert told()["list"]["items"] == []
    world.start("one")
    assert [each["name"] for each in told()["list"]["items"]] == ["one"]
    connection.close()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--host", "0.0.0.0"], "let other machines in"),
        (["--host", "nowhere at all"], "is no address"),
        (["--store", "sqlite:///nothing.db"], "there is no store"),
        (["--store", "mysql://x"], "not the address of a store"),
    ],
)
def test_wrong_requests_are_told(
    arguments: list[str], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["console", *arguments]) == 2
    assert says in capsys.readouterr().err


def test_the_cost_of_an_execution_is_what_the_command_counts(world: World) -> None:
    from stratum.handlers.console.execution import cost
    from stratum.local.console.server import console_of
    from stratum.local.cost import load_prices, of_execution

    execution, gate = world.to_the_gate()
    world.who = BOB
    world.post("decide", gate=gate["handle"], outcome="approve", shown=gate["digest"])
    world.finish()
    console = console_of(world.cloud.runtime, "sqlite:///nowhere.db", who=None, place="")
    told = cost(console, {"execution": execution})["cost"]
    counted = of_execution(load_prices(), world.store, console.head(execution))
    standard = counted.bills[0].dollars * 1_000_000
    assert told.startswith(
        f"{counted.counts.transitions:g} transitions; a million such runs are ${standard:,.2f} on Step Functions"
    )
    assert "too long for Express" in told  # it has waited for ten minutes

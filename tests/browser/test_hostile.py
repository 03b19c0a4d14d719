"""Pages of other origins in the same browser, whose user has the console open: they can neither read it nor act in it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from browsing import Browsing
from console_world import INPUT
from stratum.local.console.site import PREFIX

pytestmark = pytest.mark.browser
READS = """async (url) => {
    const tried = {};
    const attempt = async (name, how) => { try { tried[name] = await how(); } catch (error) { tried[name] = "refused"; } };
    await attempt("fetch", async () => (await fetch(url + "api/executions", {credentials: "include"})).text());
    await attempt("fetch without CORS", async () => (await fetch(url + "api/executions", {credentials: "include", mode: "no-cors"})).text());
    await attempt("event source", () => new Promise((done, failed) => {
        const source = new EventSource(url + "api/stream?limit=50", {withCredentials: true});
        source.onmessage = (event) => { source.close(); done(event.data); };
        source.onerror = () => { source.close(); failed(); };
    }));
    await attempt("script", () => new Promise((done, failed) => {
        const script = document.createElement("script");
        script.src = url + "app.js"; script.onload = () => done("ran"); script.onerror = failed;
        document.body.append(script);
    }));
    await attempt("frame", () => new Promise((done) => {
        const frame = document.createElement("iframe");
        frame.src = url; frame.onload = () => { try { done(frame.contentDocument.body.innerText); } catch (error) { done("refused"); } };
        document.body.append(frame);
    }));
    return tried;
}"""
ACTS = """async ([url, body]) => {
    const send = (type, more) => fetch(url + "api/start", {method: "POST", credentials: "include", body, ...(type && {headers: {"content-type": type}}), ...more}).catch(() => {});
    await send("text/plain", {mode: "no-cors"});
    await send("application/json", {mode: "no-cors"});
    await send("application/json", {headers: {"content-type": "application/json", "x-stratum-console": "1"}});
    navigator.sendBeacon(url + "api/start", body);
    for (const type of ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"]) {
        const frame = document.createElement("iframe"), form = document.createElement("form"), field = document.createElement("textarea");
        frame.name = "of-" + type; document.body.append(frame);
        Object.assign(form, {method: "POST", action: url + "api/start", enctype: type, target: frame.name});
        field.name = body.slice(0, -1) + ', "x": "'; field.value = '"}';
        form.append(field); document.body.append(form); form.submit();
        await new Promise((done) => setTimeout(done, 300));
    }
}"""


class _Page(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        content = b"<!doctype html><title>elsewhere</title><body>elsewhere</body>"
        self.send_response(200)
        self.send_header("content-type", "text/html")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def elsewhere() -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Page) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


# A port of the same machine is another origin of the same site, to which the cookie is sent.
@pytest.mark.parametrize("host", ["127.0.0.1", "evil.example"])
def test_a_page_of_another_origin(browsing: Browsing, elsewhere: int, host: str) -> None:
    world = browsing.world
    world.start("secret-name")
    context = browsing.chromium.new_context()
    page = context.new_page()
    page.goto(browsing.server.link)
    page.get_by_role("link", name="secret-name").wait_for()
    page.goto(f"http://{host}:{elsewhere}/")
    url = f"{browsing.server.url}{PREFIX}/"
    tried = page.evaluate(READS, url)
    assert tried["fetch without CORS"] in ("", "refused")  # what comes back is opaque
    del tried["fetch without CORS"]
    assert set(tried.values()) == {"refused"}, tried
    page.evaluate(ACTS, [url, json.dumps({"machine": world.machine, "name": "forged", "input": INPUT})])
    page.wait_for_timeout(300)
    assert [each["name"] for each in world.get("executions")["items"]] == ["secret-name"]
    context.close()


def test_a_name_that_leads_here(browsing: Browsing) -> None:
    """DNS rebinding: the page's own name is this machine's address by now, so that to the browser it is one origin."""
    context = browsing.chromium.new_context()
    page = context.new_page()
    port = browsing.server.url.rpartition(":")[2]
    answer = page.goto(f"http://evil.example:{port}{PREFIX}/")
    assert answer is not None
    assert answer.status == 403
    link = browsing.server.link.replace("127.0.0.1", "evil.example")
    assert page.goto(link).status == 403  # pyright: ignore[reportOptionalMemberAccess]
    status = page.evaluate("url => fetch(url).then((answer) => answer.status)", f"{PREFIX}/api/executions")
    assert status == 403
    assert context.cookies() == []
    context.close()

"""The MCP server over HTTP: as a Lambda function behind a function URL, and on loopback."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio.to_thread
import httpx2
import pytest
from agents import MODES, Agent, Here, talk
from mcp.client import Client
from mcp.client.streamable_http import streamable_http_client
from stratum.handlers.identity import Identity
from stratum.handlers.mcp import function
from stratum.local.agents.serving import MAX_BODY, http_app
from stratum.local.cloud import LocalCloud
from stratum.local.desk import desk_of
from stratum.local.functions import InProcessFunctions
from stratum.local.stores import open_store

SPEC = """\
stratum: "1"
workflow: notes
version: 1.0.0
input: {n: integer}
steps:
  - {id: twice, task: code.twice, input: {n: "{% $input.n %}"}, output: integer}
  - {id: notes, agent: writer, intent: Say it., input: {n: "{% $twice %}"}, output: string, ensure: [$length($result) < 9], attempts: 2, timeout: 1h}
  - {id: approve, gate: {approvers: ["*"], shows: "{% $notes %}", timeout: 8h}}
  - {id: done, succeed: "{% $notes %}"}
"""
ARN = "arn:aws:iam::123456789012:user/ada"


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalCloud]:
    monkeypatch.setenv("STRATUM_LINK_KEY", "k" * 32)
    functions = InProcessFunctions({"code-twice": lambda event, context: 2 * event["n"]})
    with LocalCloud(open_store("sqlite:///:memory:"), functions, workers=0) as made:
        yield made
    function._server.cache_clear()


class Context:
    def get_remaining_time_in_millis(self) -> int:
        return 4000


def event_of(request: httpx2.Request, body: bytes, caller: str | None = ARN) -> dict[str, Any]:
    """As Lambda makes it of a request to a function URL."""
    authorizer = {} if caller is None else {"authorizer": {"iam": {"userArn": caller}}}
    return {
        "version": "2.0", "rawPath": request.url.path, "rawQueryString": "", "headers": dict(request.headers),
        "requestContext": {"http": {"method": request.method, "path": request.url.path}, **authorizer},
        "body": base64.b64encode(body).decode(), "isBase64Encoded": True,
    }  # fmt: skip


class FunctionUrl(httpx2.AsyncBaseTransport):
    """Takes requests to the function; the cloud goes on between two of them, as others do on AWS."""

    def __init__(self, cloud: LocalCloud):
        self.cloud = cloud

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        event = event_of(request, await request.aread())
        answer = await anyio.to_thread.run_sync(function.handle, self.cloud.runtime, event, Context())
        for _ in range(20):
            self.cloud.step(0)
        return httpx2.Response(
            answer["statusCode"], headers=answer["headers"], content=answer["body"].encode()
        )


@asynccontextmanager
async def agent_at(
    transport: httpx2.AsyncBaseTransport, mode: str, url: str = "http://127.0.0.1:8084"
) -> AsyncIterator[Agent]:
    async with (
        httpx2.AsyncClient(transport=transport) as http,
        Client(streamable_http_client(f"{url}/mcp", http_client=http), mode=mode) as client,
    ):
        yield Agent(client)


@pytest.mark.parametrize("mode", MODES)
def test_an_agent_works_through_a_function_url(cloud: LocalCloud, mode: str) -> None:
    async def conversation() -> None:
        async with agent_at(FunctionUrl(cloud), mode) as agent:
            assert len((await agent.client.list_tools()).tools) == 13
            started = await agent.call("run", spec=SPEC, input={"n": 21}, name="r", wait=0)
            told = await agent.call("status", execution="r", agent="writer")
            assert told["steps"][0]["result"] == 42
            work = told["pending"][0]["work"]
            assert "not of type 'string'" in await agent.refused("step", work=work, result=5)
            await agent.call("step", work=work, result="much too long", wait=0)
            told = await agent.call("status", execution="r")
            assert told["pending"][0]["violations"]
            await agent.call("step", work=told["pending"][0]["work"], result="short", wait=0)
            told = await agent.call("status", execution=started["execution"])
            gate = told["pending"][0]
            desk_of(cloud.runtime, "sqlite:///:memory:").decide(
                gate["gate"], "approve", Identity("bob", "cli")
            )
            await agent.call("status")
            assert (await agent.call("status", execution="r"))["output"] == "short"
            assert "no files here" in await agent.refused("run", file="x.yaml")
            assert "no files here" in await agent.refused("test", file="x.yaml")

    talk(conversation)
    [head] = cloud.store.heads().items
    notes = [
        note for commit in cloud.store.commits(f"{head.execution}/work") for note in commit.messages if note["type"] == "answered"
    ]  # fmt: skip
    assert [note["by"].get("user") for note in notes] == [ARN, ARN, "bob"]
    assert all(note["by"]["via"] == "mcp" for note in notes[:2])


def test_who_is_not_known_is_refused_and_nothing_but_requests_is_answered(cloud: LocalCloud) -> None:
    def status(
        method: str = "POST", path: str = "/mcp", body: bytes = b"{}", caller: str | None = ARN
    ) -> int:
        request = httpx2.Request(
            method, f"https://x.lambda-url.us-east-1.on.aws{path}", headers={"accept": "application/json"}
        )
        return function.handle(cloud.runtime, event_of(request, body, caller))["statusCode"]

    assert status(caller=None) == 403
    assert status(path="/") == 404
    assert status("GET") == 405
    assert status("DELETE") == 405
    for body in (b"", b"\xff", b"[" * 5000, b"null", b'{"jsonrpc": "2.0"}'):
        assert 400 <= status(body=body) < 500
    assert cloud.store.heads().items == []


# -- on loopback -------------------------------------------------------------------------------------------


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Here]:
    (tmp_path / "notes.yaml").write_text(SPEC)
    (tmp_path / "code.py").write_text("def twice(event, context):\n    return 2 * event['n']\n")
    made = Here(tmp_path, shared=True)
    made.host.running()
    yield made
    made.close()


@asynccontextmanager
async def served(here: Here) -> AsyncIterator[httpx2.AsyncBaseTransport]:
    app = http_app(here.host, "127.0.0.1", 8084)
    async with app.router.lifespan_context(app):
        yield httpx2.ASGITransport(app)


@pytest.mark.parametrize("mode", MODES)
def test_several_clients_work_over_http_on_loopback(here: Here, mode: str) -> None:
    async def conversation() -> None:
        async with (
            served(here) as transport,
            agent_at(transport, mode) as one,
            agent_at(transport, mode) as two,
        ):
            told = await one.call("run", file="notes.yaml", input={"n": 1}, name="r", wait=20, agent="one")
            work = told["pending"][0]["work"]
            # Claims are by the names that agents give themselves, as one process serves them all.
            assert "being worked on by one" in await two.refused("step", work=work, result="x", agent="two")
            told = await one.call("step", work=work, result="x", wait=20, agent="one")
            assert told["pending"][0]["for"] == "person"

    talk(conversation)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"host": "evil.example"}, 421), ({"host": "127.0.0.1.evil.example:8084"}, 421), ({"origin": "http://evil.example"}, 403),
        ({"origin": "null"}, 403), ({"content-type": "text/plain"}, 400), ({"origin": "http://localhost:3000"}, 200), ({}, 200),
    ],
)  # fmt: skip
def test_a_page_of_another_site_is_not_let_in(here: Here, headers: dict[str, str], status: int) -> None:
    hello = {
        "jsonrpc": "2.0", "id": 1, "method": "initialize",
        "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "page", "version": "0"}},
    }  # fmt: skip

    async def conversation() -> None:
        async with served(here) as transport, httpx2.AsyncClient(transport=transport) as http:
            sent = {
                "accept": "application/json, text/event-stream",
                "content-type": "application/json",
                **headers,
            }
            answer = await http.post("http://127.0.0.1:8084/mcp", content=json.dumps(hello), headers=sent)
            assert answer.status_code == status, answer.text

    talk(conversation)


def test_a_request_that_is_too_large_is_refused(here: Here) -> None:
    async def conversation() -> None:
        async with served(here) as transport, httpx2.AsyncClient(transport=transport) as http:
            answer = await http.post(
                "http://127.0.0.1:8084/mcp",
                content=b" " * (MAX_BODY + 1),
                headers={"content-type": "application/json"},
            )
            assert answer.status_code == 413

    talk(conversation)

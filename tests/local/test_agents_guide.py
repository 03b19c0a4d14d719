"""The guide's session, word for word: its commands, and its calls by a real MCP client."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from agents import Agent, Here, talk
from stratum.local import people
from stratum.local.cli import main

ROOT = Path(__file__).resolve().parents[2]


def calls(text: str) -> Iterator[dict[str, Any]]:
    decoder = json.JSONDecoder()
    while text := text.strip():
        call, end = decoder.raw_decode(text)
        yield call
        text = text[end:]


@pytest.mark.agents
def test_the_session_goes_as_the_guide_tells_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = tmp_path / "release"
    shutil.copytree(
        ROOT / "local" / "examples" / "release", project, ignore=shutil.ignore_patterns(".stratum")
    )
    blocks = re.findall(
        r"^```(sh|json)\n(.*?)^```", (ROOT / "local/agents/GUIDE.md").read_text(), re.S | re.M
    )
    for name in people.AGENTS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(people, "agent_above", lambda: None)
    monkeypatch.chdir(project)
    here = Here(project, store=f"sqlite:///{project}/.stratum/stratum.db")

    async def made(agent: Agent, call: dict[str, Any], work: str | None) -> str | None:
        arguments = dict(call["arguments"])
        if "work" in arguments:
            arguments["work"] = work
        if "refused" in call:
            assert call["refused"] in await agent.refused(call["tool"], **arguments)
            return work
        answer = await agent.call(call["tool"], **arguments)
        for name, said in call.get("answer", {}).items():
            assert said in (answer[name] if isinstance(answer[name], str) else json.dumps(answer[name])), (
                answer
            )
        return next((each["work"] for each in answer.get("pending", []) if "work" in each), work)

    async def conversation() -> None:
        work: str | None = None
        async with here.agent() as agent:
            for kind, text in blocks:
                if kind == "sh":
                    for line in text.splitlines():
                        command, *arguments = shlex.split(line)
                        assert command == "stratum"
                        assert main(arguments) == 0, line
                    continue
                for call in calls(text):
                    work = await made(agent, call, work)

    try:
        talk(conversation)
    finally:
        here.close()

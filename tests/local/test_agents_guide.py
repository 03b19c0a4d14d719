"""The guide's session, word for word: its commands in a shell, its calls by a real MCP client."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from agents import ENVIRONMENT, Agent, Here, talk
from people import BY_A_PERSON

ROOT = Path(__file__).resolve().parents[2]


def calls(text: str) -> Iterator[dict[str, Any]]:
    decoder = json.JSONDecoder()
    while text := text.strip():
        call, end = decoder.raw_decode(text)
        yield call
        text = text[end:]


@BY_A_PERSON
def test_the_session_goes_as_the_guide_tells_it(tmp_path: Path) -> None:
    project = tmp_path / "release"
    shutil.copytree(
        ROOT / "local" / "examples" / "release", project, ignore=shutil.ignore_patterns(".stratum")
    )
    blocks = re.findall(
        r"^```(sh|json)\n(.*?)^```", (ROOT / "local/agents/GUIDE.md").read_text(), re.S | re.M
    )
    environment = {**ENVIRONMENT, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
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
                    done = subprocess.run(
                        ["bash", "-euo", "pipefail", "-c", text],
                        cwd=project,
                        env=environment,
                        capture_output=True,
                        text=True,
                    )
                    assert done.returncode == 0, done.stderr
                    continue
                for call in calls(text):
                    work = await made(agent, call, work)

    try:
        talk(conversation)
    finally:
        here.close()

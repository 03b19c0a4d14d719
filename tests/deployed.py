"""A project whose workflows are deployed to a local cloud, and the command in it as people use it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from deployments import EXAMPLES
from up import Up

BIN = Path(sys.executable).parent
ARCHITECTURE = {"x86_64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}[os.uname().machine]

HELLO = """
stratum: "1"
workflow: hello
version: 1.0.0
input: {name: string}
steps:
  - {id: nap, wait: 2s}
  - {id: greet, task: hello.greet, input: {name: "{% $input.name %}"}, timeout: 20s}
result: {said: "{% $greet %}"}
"""
GREET = """
def greet(event, context):
    {body}
"""
ASK = """
stratum: "1"
workflow: ask
version: 1.0.0
input: {name: string}
steps:
  - {id: may, gate: {approvers: ["arn:aws:*", ops@example.com], timeout: 1h, shows: "{% $input.name %}"}}
  - {id: greet, task: hello.greet, input: {name: "{% $input.name %}"}}
result: {said: "{% $greet %}", by: "{% $may.outcome %}"}
"""


class Project:
    """A folder with workflows, and the command in it."""

    def __init__(self, folder: Path, up: Up):
        self.folder = folder
        self.up = up
        (folder / "hello").mkdir()
        (folder / "hello" / "hello.yaml").write_text(HELLO)
        (folder / "hello" / "ask.yaml").write_text(ASK)
        self.greet("return f\"Hello, {event['name']}!\"")
        for name in ("orders", "etl", "release"):
            shutil.copytree(EXAMPLES / name, folder / name)

        self.environ = {
            **os.environ, "AWS_ENDPOINT_URL": up.url, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "us-east-1", "AWS_CONFIG_FILE": os.devnull,
        }  # fmt: skip

    def greet(self, body: str) -> None:
        (self.folder / "hello" / "hello.py").write_text(GREET.replace("{body}", body))

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [BIN / "stratum", *arguments],
            cwd=self.folder,
            env=self.environ,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def __call__(self, *arguments: str, code: int = 0) -> tuple[Any, str]:
        """What a command prints, as JSON where it is some, and what it says beside."""
        process = self.start(*arguments)
        out, told = process.communicate(timeout=300)
        assert process.returncode == code, f"{process.returncode}: {out}\n{told}"
        try:
            return json.loads(out), told
        except ValueError:
            return out, told

    def deploy(
        self,
        *files: str,
        code: int = 0,
        target: str = "engine",
        stage: str = "dev",
        options: tuple[str, ...] = (),
    ) -> tuple[Any, str]:
        return self(*self.deploying(*files, target=target, stage=stage, options=options), code=code)

    def deploying(
        self, *files: str, target: str = "engine", stage: str = "dev", options: tuple[str, ...] = ()
    ) -> list[str]:
        data = f"STRATUM_EXAMPLE_DATA={self.folder / 'data'}"
        if target == "engine" and (self.folder / "notify.json").exists():
            options = (*options, "--mcp", "--gate-links", "--notify", str(self.folder / "notify.json"))
        return [
            "deploy", *files, "--stage", stage, "--target", target, "--yes", "--architecture", ARCHITECTURE, "--env", data,
            "--schedule-after", "0", *options,
        ]  # fmt: skip


def until(look: Any, good: Any = bool) -> Any:
    """What is seen when it is good. A deployment packs first, which takes as long as the machine is busy."""
    deadline = time.monotonic() + 200
    while not good(seen := look()):
        assert time.monotonic() < deadline, f"still {seen!r}"
        time.sleep(0.3)
    return seen

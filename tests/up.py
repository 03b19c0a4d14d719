"""A `stratum up` process as its users meet it: boto3 and the AWS CLI with an endpoint URL alone."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

ROLE = "arn:aws:iam::123456789012:role/r"
BIN = Path(sys.executable).parent
PATIENCE = 20.0
"""Seconds that something may take that ought to be there at once: the machine may be busy."""


class Up:
    """A `stratum up` process, and clients for it."""

    def __init__(self, *options: str):
        self.process = subprocess.Popen(
            [BIN / "stratum", "up", "--port", "0", *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert self.process.stdout is not None
        first = self.process.stdout.readline()
        found = re.fullmatch(r"AWS is at (http://127\.0\.0\.1:(\d+)): .*\n", first)
        assert found, first + (self.process.stdout.read() if self.process.poll() is not None else "")
        self.url, self.port = found[1], int(found[2])
        self._clients: dict[tuple[str, str, str], Any] = {}

    def client(self, region: str = "us-east-1", key: str = "test") -> Any:
        """Step Functions."""
        return self.service("stepfunctions", region, key)

    def service(self, name: str, region: str = "us-east-1", key: str = "test") -> Any:
        """boto3's client of a service; an account's twelve digits as `key` choose the account."""
        known = (name, region, key)
        if known not in self._clients:
            self._clients[known] = boto3.client(
                name, endpoint_url=self.url, region_name=region, aws_access_key_id=key, aws_secret_access_key="x",  # pyright: ignore
                config=Config(inject_host_prefix=False, retries={"total_max_attempts": 1}),
            )  # fmt: skip
        return self._clients[known]

    def cli(self, *arguments: str) -> Any:
        """The AWS CLI, with its answer as JSON."""
        text = self.run_cli(*arguments, "--output", "json")
        return json.loads(text) if text.strip() else None

    def run_cli(self, *arguments: str) -> str:
        """The AWS CLI, with what it prints."""
        if arguments[0] == "sqs":
            # Version 1 has a host of its own for it, which comes before the environment.
            arguments = (*arguments, "--endpoint-url", self.url)
        environment = {
            **os.environ, "AWS_ENDPOINT_URL": self.url, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "us-east-1", "AWS_DISABLE_HOST_PREFIX_INJECTION": "true", "AWS_CONFIG_FILE": os.devnull,
        }  # fmt: skip
        done = subprocess.run(
            [BIN / "aws", *arguments],
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, f"{' '.join(arguments)}\n{done.stderr}"
        return done.stdout

    def stop(self, number: int = signal.SIGTERM) -> tuple[int, str]:
        """Ends it; answers its exit code and what it had printed."""
        self.process.send_signal(number)
        assert self.process.stdout is not None
        out = self.process.stdout.read()
        return self.process.wait(timeout=20), out

    # -- what many tests do ------------------------------------------------------------------------------

    def create(self, definition: Any, name: str, **fields: Any) -> str:
        """A state machine; answers its ARN."""
        text = definition if isinstance(definition, str) else json.dumps(definition)
        made = self.client().create_state_machine(name=name, definition=text, roleArn=ROLE, **fields)
        return made["stateMachineArn"]

    def run(self, machine: str, input: Any = None) -> dict[str, Any]:
        """An execution's description when it has ended."""
        client = self.client()
        started = client.start_execution(stateMachineArn=machine, input=json.dumps(input))
        return ended(client, started["executionArn"])

    def make(self, name: str, code: str, handler: str = "app.handler", **fields: Any) -> str:
        """A function out of a zip file with that module `app`; answers its ARN."""
        runtime = fields.pop("Runtime", "python3.12")
        file = "app.js" if runtime.startswith("nodejs") else "app.py"
        made = self.service("lambda").create_function(
            FunctionName=name, Runtime=runtime, Role=ROLE, Handler=handler, Code={"ZipFile": archive({file: code})}, **fields
        )  # fmt: skip
        return made["FunctionArn"]

    def call(self, function: str, event: Any = None, **fields: Any) -> dict[str, Any]:
        """Lambda's answer, with its payload as a value."""
        answer = self.service("lambda").invoke(
            FunctionName=function, Payload=json.dumps(event).encode(), **fields
        )
        text = answer["Payload"].read()
        return {**answer, "Payload": json.loads(text) if text else None}


def archive(files: dict[str, str]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as made:
        for name, text in files.items():
            made.writestr(name, text)
    return content.getvalue()


def ended(client: Any, execution: str) -> dict[str, Any]:
    return until(
        lambda: client.describe_execution(executionArn=execution),
        lambda described: described["status"] != "RUNNING",
    )


def until(look: Callable[[], Any], good: Callable[[Any], bool] = bool) -> Any:
    """What is seen when it is good; looked at again and again."""
    deadline = time.monotonic() + PATIENCE
    while not good(seen := look()):
        assert time.monotonic() < deadline, f"still {seen!r}"
        time.sleep(0.02)
    return seen


def received(client: Any, queue: str, count: int = 1) -> list[dict[str, Any]]:
    """Messages of a queue, which are deleted from it."""
    found: list[dict[str, Any]] = []

    def look() -> int:
        answer = client.receive_message(
            QueueUrl=queue, MaxNumberOfMessages=10, MessageAttributeNames=["All"], WaitTimeSeconds=0
        )
        for message in answer.get("Messages", []):
            client.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
            found.append(message)
        return len(found)

    until(look, lambda seen: seen >= count)
    return found

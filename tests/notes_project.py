"""The project that agents work on in the tests of the MCP server: notes, written by an agent and approved by a person."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from agents import Agent
from stratum.handlers.identity import Identity

SPEC = """\
stratum: "1"
workflow: notes
version: 1.0.0
types: {Notes: {text: string, words: {type: integer, minimum: 1}}}
input: {version: string, key: {type: string, secret: true}}
steps:
  - {id: counted, task: code.count, input: {of: "{% $input.version %}"}, output: {n: integer}}
  - id: notes
    agent: writer
    intent: Write the notes of the release.
    input: {version: "{% $input.version %}", n: "{% $counted.n %}"}
    output: Notes
    ensure: [$result.words < 5]
    attempts: 3
    budget: {usd: 2, tokens: 1000}
    timeout: 1h
  - id: approve
    gate: {approvers: ["*"], shows: "{% $notes %}", message: Ship it?, timeout: 8h, risk: RISK}
  - {id: done, succeed: {text: "{% $notes.text %}", by: "{% $approve.by %}"}}
"""
CODE = """\
def count(event, context):
    print("something on standard output")
    return {"n": len(event["of"])}
"""
BRANCHES = """\
stratum: "1"
workflow: branches
version: 1.0.0
steps:
  - id: both
    parallel:
      left: [{id: l, agent: a, intent: Say l., output: string, timeout: 1h}]
      right: [{id: r, agent: a, intent: Say r., output: string, timeout: 1h}]
  - {id: done, succeed: "{% $both %}"}
"""
GOOD = {"text": "one two", "words": 2}
LONG = {"text": "a b c d e f", "words": 6}
INPUT = {"version": "1.0", "key": "hunter2hunter2"}
BOB = Identity("bob", "cli", "elsewhere")


def write_project(folder: Path, risk: str = "normal") -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "notes.yaml").write_text(SPEC.replace("RISK", risk))
    (folder / "code.py").write_text(CODE)
    return folder


async def begin(agent: Agent, /, **arguments: Any) -> dict[str, Any]:
    return await agent.call("run", **{"file": "notes.yaml", "input": INPUT, "wait": 20, **arguments})

"""Drafts run on a virtual clock, with answers in place of tasks, as far as the answers go.

Nothing is kept between two runs: a draft is run anew with one answer more, which takes milliseconds. So whoever tries it
goes step by step, can take an answer back, and sees the same story as of any other execution.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ...handlers.audit.redaction import Redactor
from ...handlers.console.drafts import content_of
from ...handlers.console.host import Refusal
from ...handlers.console.secrets import parsed, shown
from ...handlers.console.story import Story
from ...handlers.mocks import Response
from ...handlers.times import rfc3339
from ...handlers.workflows import DeploymentRefused, check, deploy, input_violations, workflow_of
from ..clock import VirtualClock
from ..cloud import CallFailed, LocalCloud
from ..stores import open_store
from ..testing.work_items import WORK, whole_answer

if TYPE_CHECKING:
    from ...handlers.tasks import TaskCommand

SECONDS = 5.0
"""Real seconds that one run may take."""
_EVENTS = 5000
_MACHINE = "draft"


def try_out(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Runs `text` with `input`.

    `answers` stand for tasks, by step (of plain ASL: by state): a list of `{"result"}` or `{"error", "cause"?}`, the
    first for the first time that it is asked, the last for every further one. Of a gate the result is an outcome, of an
    agent what it hands in. Answers the story, and what is `waiting` for an answer: `{"step", "state", "resource",
    "arguments", "asked"}`.
    """
    checked = check(content_of(parameters), "workflow.yaml")
    if not checked.ok:
        raise Refusal(422, "the text has errors", findings=checked.findings)
    workflow = workflow_of(checked)
    workflow.name = _MACHINE
    text = json.dumps(parameters.get("input", {}), ensure_ascii=False)
    if found := input_violations(workflow, text):
        raise Refusal(422, "the input is not as the workflow wants it", violations=found)
    states = (workflow.source_map or {}).get("states", {})
    answers = _Answers(_given(parameters.get("answers")), states)
    store = open_store("sqlite:///:memory:")
    with LocalCloud(store, _NoFunctions(), clock=VirtualClock(), workers=0, mocks=answers) as cloud:
        answers.cloud = cloud
        try:
            machine = deploy(cloud.runtime, store.tenant, workflow)
            started = cloud.call("StartExecution", stateMachineArn=machine, name="draft", input=text)
        except (DeploymentRefused, CallFailed) as refused:
            raise Refusal(422, str(refused)) from None
        execution = started["executionArn"]
        stopped = _run(cloud, execution, answers)
        snapshot = cloud.runtime.executions().load(execution).snapshot
        story = Story(workflow.source_map, Redactor())
        told = story.feed(store.commits(execution))
    store.close()
    answer = {
        "status": snapshot["status"], "started": snapshot["execution"]["started"], "stopped": snapshot.get("stopped"),
        "now": cloud.clock(), "output": shown(Redactor(), parsed(snapshot.get("output"))), "error": snapshot.get("error"),
        "cause": snapshot.get("cause"), "story": told.to_json(), "waiting": answers.waiting, "note": stopped,
        "values": answers.asked,
    }  # fmt: skip
    return {name: value for name, value in answer.items() if value is not None}


def _run(cloud: LocalCloud, execution: str, answers: _Answers) -> str | None:
    """Lets it run until it has ended, or waits for an answer that is not there; says why where it is something else."""
    executions = cloud.runtime.executions()
    deadline = time.monotonic() + SECONDS
    clock = cloud.clock
    assert isinstance(clock, VirtualClock)
    while executions.known(execution).snapshot["status"] == "RUNNING":
        if time.monotonic() > deadline or executions.known(execution).snapshot["events"] > _EVENTS:
            return "stopped here: it goes on for too long to be tried out"
        if cloud._work():
            continue
        wake = cloud.queues.next_wake
        if answers.waiting:
            return None
        if wake is None:
            return "it waits for what nobody does here"
        clock.advance_to(wake)
    return None


class _Answers:
    """What stands for the tasks (`handlers.mocks.MockedTasks`): what was given, and else a question."""

    def __init__(self, given: dict[str, list[dict[str, Any]]], states: Mapping[str, Any]):
        self._given = given
        self._states = states
        self._count: dict[str, int] = {}
        self.waiting: list[dict[str, Any]] = []
        self.asked: list[dict[str, Any]] = []
        self.cloud: LocalCloud

    def has(self, machine: str, case: str) -> bool:
        return False

    def answer(self, execution: str, task: TaskCommand) -> Response | None:
        step = self._states.get(task.state, {}).get("step") or task.state
        asked = self._count[step] = self._count.get(step, 0) + 1
        arguments = parsed(task.arguments)
        what = {
            "step": step,
            "state": task.state,
            "resource": task.resource,
            "arguments": arguments,
            "asked": asked,
        }
        self.asked.append(what)
        answers = self._given.get(step) or self._given.get(task.state)
        if not answers:
            self.waiting.append(what)
            return Response(pending=True)
        chosen = answers[min(asked, len(answers)) - 1]
        if "error" in chosen:
            return Response(error=str(chosen["error"]), cause=str(chosen.get("cause") or ""))
        return Response(output=self._output(task, arguments, chosen.get("result")))

    def _output(self, task: TaskCommand, arguments: Any, result: Any) -> str:
        function = arguments.get("FunctionName") if isinstance(arguments, Mapping) else None
        payload = arguments.get("Payload") if isinstance(arguments, Mapping) else None
        if function == WORK:
            result = whole_answer(payload, result, rfc3339(self.cloud.clock()))
        elif function is not None and not task.resource.endswith(".waitForTaskToken"):
            result = {"ExecutedVersion": "$LATEST", "Payload": result, "StatusCode": 200}
        elif "startExecution.sync" in task.resource:
            result = {
                "Output": result if task.resource.endswith(":2") else json.dumps(result),
                "Status": "SUCCEEDED",
            }
        return json.dumps(result, ensure_ascii=False)


def _given(answers: Any) -> dict[str, list[dict[str, Any]]]:
    if answers is None:
        return {}
    if not isinstance(answers, dict) or not all(
        isinstance(each, list) and all(isinstance(one, dict) for one in each) for each in answers.values()
    ):
        raise Refusal(400, '`answers` is {"step": [{"result": …} or {"error": "Name"}, …]}')
    return answers


class _NoFunctions:
    def invoke(self, invocation: Any) -> Any:
        raise RuntimeError("a draft performs no tasks")

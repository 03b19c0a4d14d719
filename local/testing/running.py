"""An execution under a test's control: time passes, and callbacks are answered, when the test says so."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from ...handlers.times import rfc3339
from ...statelang.engine import messages, read_token
from ..cloud import CallFailed, Stuck
from .definitions import TOKEN, called_function, payload, short, token_of
from .mocks import seconds
from .problem import SetupError, brief
from .reports import describe
from .results import Result
from .work_items import is_work, whole_answer
from .workflows import Workflow

if TYPE_CHECKING:
    from collections.abc import Callable

    from ...statelang.engine.messages import Message
    from .session import TestCloud


@dataclass(frozen=True, slots=True)
class Waiting:
    """A task that was handed out and has no answer yet. `token` is there where somebody is to answer by it."""

    state: str
    step: str | None
    resource: str
    input: Any
    token: str | None
    function: str | None = None


class Execution:
    """An execution that was started. `arn` is its ARN."""

    def __init__(self, stratum: TestCloud, arn: str, workflow: Workflow):
        self._stratum = stratum
        self.arn = arn
        self.workflow = workflow

    @property
    def result(self) -> Result:
        """How it stands now."""
        return self._stratum._result(self.arn)

    @property
    def status(self) -> str:
        return self._stratum._executions.snapshot(self.arn)["status"]

    @property
    def waiting(self) -> list[Waiting]:
        """The tasks that were handed out and have not been answered."""
        found: list[Waiting] = []
        snapshot = self._stratum._executions.snapshot(self.arn)
        for id, frame in snapshot["frames"].items():
            if frame["phase"] != "task":
                continue
            task = frame["task"]
            token = token_of(self.arn, id, task["id"], task["resource"], snapshot.get("secret", ""))
            given = payload(task["resource"], task["arguments"])
            state = frame["state"]
            function = called_function(task["resource"], task["arguments"])
            found.append(
                Waiting(state, self.workflow.step_of(state), task["resource"], given, token, function)
            )
        return found

    @brief
    def advance(self, duration: str | float | timedelta) -> Result:
        """Lets so much time pass (`"2h"`, seconds, a timedelta); what is due meanwhile happens when it is due."""
        __tracebackhide__ = True
        at = self._stratum.now + round(seconds(duration) * 1000)
        self._stratum._guarded(lambda: self._stratum._advance_to(at))
        return self.result

    @brief
    def until_waiting(self, step: str | None = None) -> Result:
        """Lets time pass until a task that is not mocked waits to be answered: of that step, or any. Raises
        `SetupError` where it ends before that."""
        __tracebackhide__ = True
        while not self._is_asked(step):
            if self.status != "RUNNING" or not self._stratum._guarded(self._stratum._advance_to_next):
                where = "for nobody's answer" if step is None else f"at '{step}'"
                raise SetupError(f"it never waits {where}\n{describe(self.result)}")
        return self.result

    def _is_asked(self, step: str | None) -> bool:
        return any(
            each.token is not None
            and each.token not in self._stratum._mocking.tokens
            and step in (None, each.state, each.step)
            for each in self.waiting
        )

    @brief
    def finish(self) -> Result:
        """Lets time pass until it has ended. Raises `SetupError` where it waits for what never comes."""
        __tracebackhide__ = True
        try:
            self._stratum._guarded(lambda: self._stratum._to_the_end(self.arn))
        except Stuck:
            raise SetupError(self._stuck()) from None
        return self.result

    def _stuck(self) -> str:
        lines = [f"{self.workflow.name} waits, with no timeout, for what nobody does:"]
        for each in self.waiting:
            what = "its token is not answered" if each.resource.endswith(TOKEN) else "it is not answered"
            lines.append(f"  '{each.state}' ({short(each.resource)}): {what}")
        lines.append(
            "mock it (mocks={…: value}), let it have a timeout, or start it with stratum.start(…) and answer by"
            " send_task_success(…)"
        )
        return "\n".join(lines)

    # -- answers -----------------------------------------------------------------------------------------

    @brief
    def send_task_success(self, output: Any = None, *, step: str | None = None) -> Result:
        """Answers the callback that it waits for; where it waits for several, `step` (or state) says which. A gate is
        answered with its outcome, an agent step with its result."""
        __tracebackhide__ = True
        waiting = self._waiting_for(step)
        if is_work(waiting.function):
            answer = json.dumps(whole_answer(waiting.input, output, rfc3339(self._stratum.now)))
            return self._answered(waiting, lambda frame, task: messages.task_succeeded(frame, task, answer))
        return self._call("SendTaskSuccess", taskToken=waiting.token, output=json.dumps(output))

    @brief
    def send_task_failure(
        self, error: str | None = None, cause: str | None = None, *, step: str | None = None
    ) -> Result:
        __tracebackhide__ = True
        given = {key: value for key, value in (("error", error), ("cause", cause)) if value is not None}
        waiting = self._waiting_for(step)
        if is_work(waiting.function):
            return self._answered(
                waiting, lambda frame, task: messages.task_failed(frame, task, error, cause)
            )
        return self._call("SendTaskFailure", taskToken=waiting.token, **given)

    @brief
    def send_task_heartbeat(self, *, step: str | None = None) -> Result:
        __tracebackhide__ = True
        return self._call("SendTaskHeartbeat", taskToken=self._waiting_for(step).token)

    def _answered(self, waiting: Waiting, message: Callable[[str, int], Message]) -> Result:
        """Says to the execution what a person or an agent did: the API takes no answer of theirs by a token."""
        __tracebackhide__ = True
        found = read_token(waiting.token or "")
        assert found is not None
        execution, frame, task = found
        self._stratum._guarded(lambda: self._stratum._say(execution, [messages.tick(), message(frame, task)]))
        self._stratum._guarded(self._stratum._settle)
        return self.result

    def _waiting_for(self, step: str | None) -> Waiting:
        waiting = [each for each in self.waiting if each.token is not None]
        chosen = [each for each in waiting if step is None or step in (each.state, each.step)]
        if len(chosen) != 1:
            there = ", ".join(each.state for each in waiting) or "nothing"
            if step is not None and not chosen:
                raise SetupError(f"'{step}' waits for no answer; what does: {there}")
            raise SetupError(
                f"{self.workflow.name} waits for {there}"
                + ("; say which by step=…" if len(waiting) > 1 else "")
            )
        return chosen[0]

    @brief
    def stop(self, error: str | None = None, cause: str | None = None) -> Result:
        __tracebackhide__ = True
        given = {key: value for key, value in (("error", error), ("cause", cause)) if value is not None}
        return self._call("StopExecution", executionArn=self.arn, **given)

    @brief
    def redrive(self) -> Result:
        """Goes on from where it failed, as far as it gets before time has to pass."""
        __tracebackhide__ = True
        return self._call("RedriveExecution", executionArn=self.arn)

    def _call(self, operation: str, **parameters: Any) -> Result:
        __tracebackhide__ = True
        try:
            self._stratum._guarded(lambda: self._stratum.call(operation, **parameters))
        except CallFailed as failed:
            raise SetupError(f"{operation}: {failed.message}") from None
        self._stratum._guarded(self._stratum._settle)
        return self.result

    def __repr__(self) -> str:
        return f"<execution {self.arn} {self.status}>"

"""What the tasks handler asks first: the mocks of a test, at once or later."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ...handlers.mocks import Response
from ...handlers.times import rfc3339
from ...statelang.engine import messages
from .definitions import token_of
from .doubles import Doubles
from .executions import Executions
from .mocks import Outcome
from .problem import Interrupted

if TYPE_CHECKING:
    from ...handlers.tasks import TaskCommand


class Mocking:
    """Answers the tasks of executions by their doubles (`handlers.mocks.MockedTasks`)."""

    def __init__(self, executions: Executions, doubles: Callable[[str], Doubles | None]):
        self._executions = executions
        self._doubles = doubles
        self.tokens: set[str] = set()
        """The tokens of tasks that are mocked: nobody else is to answer them."""

    def has(self, machine: str, case: str) -> bool:
        return False

    def answer(self, execution: str, task: TaskCommand) -> Response | None:
        """Raises `Interrupted`, with what is wrong with the test or what an assertion in a mock says."""
        doubles = self._doubles(execution)
        if doubles is None:
            return None
        secret = self._executions.snapshot(execution).get("secret", "")
        now = self._executions.cloud.clock()
        try:
            iteration = self._iteration(execution, task, doubles)
            found = doubles.answer(task, execution, iteration, secret, rfc3339(now))
        except BaseException as error:
            raise error if isinstance(error, Interrupted) else Interrupted(error) from None
        if found is None:
            return None
        response, outcome = found
        token = token_of(execution, task.frame, task.task, task.resource, secret)
        if token is not None:
            self.tokens.add(token)
        if outcome.error is not None:
            self._executions.raised[execution] = outcome.error
        if outcome.delay is None:
            return response
        self._answer_later(execution, task, response, outcome, now)
        return Response(pending=True)

    def _iteration(self, execution: str, task: TaskCommand, doubles: Doubles) -> int | None:
        """Which iteration of the innermost Map a task belongs to."""
        snapshot = self._executions.snapshot(execution)
        parts = task.frame.split("/")
        while len(parts) > 1:
            index = int(parts.pop())
            around = snapshot["frames"].get("/".join(parts), {}).get("state")
            state = doubles.workflow.states.get(around or "")
            if state is not None and state.type == "Map":
                return index
        return (snapshot.get("parent") or {}).get("index")

    def _answer_later(
        self, execution: str, task: TaskCommand, response: Response, outcome: Outcome, now: int
    ) -> None:
        cloud = self._executions.cloud
        body = {"tenant": cloud.store.tenant, "execution": execution}
        at = now + round((outcome.delay or 0) * 1000)
        if outcome.heartbeat:
            every = round(outcome.heartbeat * 1000)
            for beat in range(now + every, at, every):
                message = messages.heartbeat(task.frame, task.task)
                cloud.queues.advance_at(beat, {**body, "message": message})
        if response.output is not None:
            message = messages.task_succeeded(task.frame, task.task, response.output)
        elif not response.pending:
            message = messages.task_failed(task.frame, task.task, response.error, response.cause)
        else:
            return
        cloud.queues.advance_at(at, {**body, "message": message})

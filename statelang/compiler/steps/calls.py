"""Tasks and child workflows, with their retry, their checks and where their errors lead."""

from __future__ import annotations

from typing import Any

from ...spec.checks import covers_violations, has_loop, retry_of
from ...spec.models import AgentStep, Retry, TaskStep, WorkflowStep
from .. import calling, saga, timing
from ..body import Body
from ..errors import ALL, CHECKS, caught
from ..machine import State
from ..predicates import violations_expression
from ..rewriting import Names, braced, quoted
from . import checking, retrying

START = "arn:aws:states:::states:startExecution.sync:2"


class Call:
    """A step that is one Task, and what stands around it. `after` is the step that follows, or END."""

    def __init__(self, body: Body, step: TaskStep | WorkflowStep | AgentStep, after: str):
        self.body = body
        self.step = step
        self.id = step.id
        self.after = after
        self.contract = body.machine.contracts.steps[step.id]
        self.checked = bool(step.ensure) or self.contract.kind != "any"
        self.retry: Retry | None = None
        self.loop = self._loops()
        self.attempt = body.own(step.id, "attempt", 1) if self.loop else ""
        if self.loop or self.checked:
            self.found = body.own(step.id, "violations", [])
        self.result = self._result()
        renamed = {"result": self.result}
        if self.loop:
            renamed |= {"attempt": f"${self.attempt}", "violations": f"${self.found}"}
        self.names: Names = body.names(step.id, {"result": self.contract}, renamed)

    def _loops(self) -> bool:
        assert not isinstance(self.step, AgentStep)
        spec = self.body.machine.spec
        self.retry = retry_of(spec, self.step)
        return has_loop(spec, self.step, self.contract)

    def _result(self) -> str:
        return calling.result(self.step.task) if isinstance(self.step, TaskStep) else "$states.result.Output"

    # -- the Task ----------------------------------------------------------------------------------------

    def run(self) -> None:
        origins = self.body.machine.origins
        state: State = {
            "Type": "Task", "Resource": self.resource(), "Arguments": self.arguments(), "Assign": self.assigned(),
            "Output": braced(self.result),
        }  # fmt: skip
        for key, what, limit in self.limits():
            if limit is not None:
                state[key] = limit
                origins.add(self.id, what, (what,), self.id, key)
        if not self.loop and (retriers := calling.retriers(self.retry)):
            state["Retry"] = retriers
            self.retried(self.id, f"Retry[{len(state['Retry']) - 1}]")
        if catchers := self.catchers():
            state["Catch"] = catchers
        leads = (
            {"Next": self.body.state("check", self.id)} if self.checked else self.body.leads_to(self.after)
        )
        self.body.add(self.id, self.id, self.step.kind, {**state, **leads})
        self.around()

    def around(self) -> None:
        if self.checked:
            checking.check(self)
        if self.loop:
            retrying.again(self)

    def resource(self) -> str:
        return calling.resource(self.step.task) if isinstance(self.step, TaskStep) else START

    def arguments(self) -> Any:
        input = self.names.template(self.step.input) if self.step.input is not None else {}
        if isinstance(self.step, TaskStep):
            return calling.arguments(self.step.task, input)
        assert isinstance(self.step, WorkflowStep)
        return {"StateMachineArn": machine_arn(self.step.workflow), "Input": input}

    def assigned(self) -> State:
        assign: State = {self.id: braced(self.result)}
        violations = self.violations() if self.checked else None
        if violations is not None:
            self.body.machine.origins.checks(
                self.id, self.found, self.contract.kind != "any", self.step.ensure
            )
            assign[self.found] = braced(violations)
        return assign | saga.push(self.body, self.step, self.result)

    def violations(self) -> str:
        contract = None if self.step.output is None else self.contract
        return violations_expression(contract, self.step.ensure, self.result, self.names)

    def limits(self) -> list[tuple[str, str, Any]]:
        step, defaults = self.step, self.body.machine.spec.defaults
        timeout, heartbeat = step.timeout, None
        if isinstance(step, TaskStep):
            timeout = timeout or defaults.timeout
            heartbeat = step.heartbeat or defaults.heartbeat
        return [
            ("TimeoutSeconds", "timeout", timing.limit(self.body, timeout)),
            ("HeartbeatSeconds", "heartbeat", heartbeat),
        ]

    def retried(self, state: str, place: str) -> None:
        """That way out of the state is the step's `retry`."""
        rounds = self.retry.attempts if self.loop and self.retry is not None else None
        self.body.machine.origins.add(self.id, "retry", ("retry",), state, place, rounds=rounds)

    def routed(self, number: int, state: str, place: str) -> None:
        """That way out of the state is the step's `on_error` of that number."""
        self.body.machine.origins.route(self.id, number, self.step.on_error[number].match, state, place)

    # -- errors ------------------------------------------------------------------------------------------

    def catchers(self) -> list[State]:
        if self.loop:
            return retrying.catchers(self)
        found: list[State] = []
        for number, route in enumerate(self.step.on_error):
            if names := caught(route):
                self.routed(number, self.id, f"Catch[{len(found)}]")
                found.append(self.catcher(names, self.body.target(route.next)))
        return self.closed(found)

    def closed(self, found: list[State]) -> list[State]:
        """With what catches every other error, where one must not end the machine."""
        if any(catcher["ErrorEquals"] == [ALL] for catcher in found):
            return found
        return [*found, *self.body.catch_all(self.id)]

    def catcher(self, names: list[str], target: str) -> State:
        return {
            "ErrorEquals": names,
            "Assign": {self.body.uses_error(): braced("$states.errorOutput")},
            "Next": target,
        }

    def covers_violations(self) -> bool:
        return self.loop and covers_violations(self.retry)

    def covered(self) -> list[str]:
        """Which failed checks are tried again."""
        retry = self.retry
        assert retry is not None
        return [
            name
            for name in CHECKS
            if name not in retry.never and (retry.on is None or {name, ALL} & set(retry.on))
        ]


def machine_arn(workflow: str) -> str:
    """The ARN of the state machine of that name, in the account and region where this one runs."""
    if workflow.startswith("arn:"):
        return workflow
    here = "$join($split($states.context.Execution.Id, ':')[[0..4]], ':')"
    return braced(f"{here} & {quoted(f':stateMachine:{workflow}')}")

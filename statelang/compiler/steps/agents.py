"""Agent steps: work that is handed out, checked when it comes back, and handed out again with what was wrong."""

from __future__ import annotations

from typing import Any

from ...spec.expressions import inside, is_expression
from ...spec.models import AgentStep
from .. import timing
from ..body import Body
from ..errors import ALL, BUDGET_EXCEEDED, HEARTBEAT_TIMEOUT, TIMEOUT, caught, route_of
from ..machine import State
from ..rewriting import braced, quoted
from . import checking, work_items
from .calls import Call

_LOST = [{"code": TIMEOUT, "message": "no answer came in time"}]
_USED = ("usd", "tokens", "time")


class AgentCall(Call):
    """`attempts` in all. A budget that is used up is asked for again in a gate before the next one."""

    step: AgentStep

    def __init__(self, body: Body, step: AgentStep, after: str):
        super().__init__(body, step, after)
        budget = step.budget
        self.budget = (
            {} if budget is None else {key: value for key in _USED if (value := getattr(budget, key))}
        )
        self.used = {key: body.own(step.id, f"{key}_used", 0) for key in self.budget}
        self.round = work_items.round_of(body, step)
        self.checked = True

    def _loops(self) -> bool:
        return True

    def _result(self) -> str:
        return "($exists($states.result.result) ? $states.result.result : null)"

    def run(self) -> None:
        super().run()
        if self.budget:
            self.gate()

    def resource(self) -> str:
        return work_items.WAITING

    def arguments(self) -> Any:
        step, names = self.step, self.names
        fields: State = {
            "agent": step.agent,
            "intent": names.template(step.intent),
            "input": names.template(step.input) if step.input is not None else {},
            "contract": self.contract.to_json_schema() if step.output is not None else None,
            "ensure": [
                inside(each.that)[0] if is_expression(each.that) else each.that.strip()
                for each in step.ensure
            ],
            "attempt": braced(f"${self.attempt}"),
            "attempts": step.attempts,
            "violations": braced(f"${self.found}"),
            "budget": {
                "seconds" if key == "time" else key: braced(f"$max([0, {amount} - ${self.used[key]}])")
                for key, amount in self.budget.items()
            },
            "heartbeat": step.heartbeat,
        }
        seconds = self.seconds()
        shown = braced(seconds) if isinstance(seconds, str) else seconds
        deadline = work_items.due(self.body, seconds)
        given = work_items.payload(self.body, step, "agent", shown, deadline, fields, self.round)
        return work_items.arguments(given)

    def seconds(self) -> int | str:
        """How long an attempt may take: what is left of the budget's time, at the most."""
        if "time" not in self.budget:
            return self.step.timeout
        left = f"$ceil({self.budget['time']} - ${self.used['time']})"
        return f"$max([1, $min([{self.step.timeout}, {left}])])"

    def limits(self) -> list[tuple[str, str, Any]]:
        return [
            ("TimeoutSeconds", "timeout", timing.limit(self.body, self.seconds())),
            ("HeartbeatSeconds", "heartbeat", self.step.heartbeat),
        ]

    def assigned(self) -> State:
        return super().assigned() | self.spent(answered=True)

    def spent(self, *, answered: bool) -> State:
        """What to assign for what an attempt has used up."""
        assign: State = {}
        for key, variable in self.used.items():
            if key == "time":
                began = "$toMillis($states.context.State.EnteredTime)"
                assign[variable] = braced(f"${variable} + ($millis() - {began}) / 1000")
            elif answered:
                reported = f"$states.result.usage.{key}"
                assign[variable] = braced(
                    f"$type({reported}) = 'number' ? ${variable} + {reported} : ${variable}"
                )
        return assign

    # -- another attempt ---------------------------------------------------------------------------------

    def catchers(self) -> list[State]:
        body = self.body
        given: State = {self.found: _LOST, **self.spent(answered=False)}
        lost: State = {
            "ErrorEquals": [HEARTBEAT_TIMEOUT, TIMEOUT],
            "Assign": {body.uses_error(): braced("$states.errorOutput"), **given},
            "Next": body.state("lost", self.id),
        }
        found: list[State] = [lost]
        if self._silence_is_routed():  # ASL calls both States.Timeout, and matches both names
            error = {"Error": HEARTBEAT_TIMEOUT, "Cause": braced("$states.errorOutput.Cause")}
            silent = {
                **lost,
                "ErrorEquals": [HEARTBEAT_TIMEOUT],
                "Assign": {body.uses_error(): error, **given},
            }
            found = [silent, {**lost, "ErrorEquals": [TIMEOUT]}]
        for number, route in enumerate(self.step.on_error):
            names = [name for name in caught(route) if name not in (HEARTBEAT_TIMEOUT, TIMEOUT)]
            if names:
                self.routed(number, self.id, f"Catch[{len(found)}]")
                found.append(self.catcher(names, body.target(route.next)))
        return self.closed(found)

    def around(self) -> None:
        name = self.body.state("check", self.id)
        rules = self.more()
        for place in range(len(rules)):
            self.retried(name, f"Choices[{place + 1}]")
        checking.check(self, again=rules)
        self.lost()

    def more(self) -> list[State]:
        """Rules for another attempt; where the budget is used up, somebody is asked first."""
        more = f"${self.attempt} < {self.step.attempts}"
        rules: list[State] = []
        if self.budget:
            over = " or ".join(f"${self.used[key]} >= {amount}" for key, amount in self.budget.items())
            rules.append(
                {"Condition": braced(f"{more} and ({over})"), "Next": self.body.state("budget", self.id)}
            )
        rules.append({"Condition": braced(more), **self.next_attempt()})
        return rules

    def next_attempt(self) -> State:
        return {"Assign": {self.attempt: braced(f"${self.attempt} + 1")}, "Next": self.id}

    def retried(self, state: str, place: str) -> None:
        rounds = self.step.attempts
        self.body.machine.origins.add(self.id, "retry", ("attempts",), state, place, rounds=rounds)

    def lost(self) -> None:
        """No answer came in time: another attempt, or where `on_error` says, or the step fails."""
        body, name = self.body, self.body.state("lost", self.id)
        rules = timing.late(body, self.id) + self.more()
        error = body.uses_error()
        default: State = {}
        for number, route in enumerate(self.step.on_error):
            if route.match is None or {TIMEOUT, ALL} & set(route.match):
                self.routed(number, name, "Default")
                default = {"Default": body.target(route.next)}
                break
            if HEARTBEAT_TIMEOUT in route.match:
                self.routed(number, name, f"Choices[{len(rules)}]")
                condition = braced(f"${error}.Error = '{HEARTBEAT_TIMEOUT}'")
                rules.append({"Condition": condition, "Next": body.target(route.next)})
        default = default or body.give_up(self.id, name, error)
        body.add(name, self.id, "lost", {"Type": "Choice", "Choices": rules, **default})

    def _silence_is_routed(self) -> bool:
        return any(HEARTBEAT_TIMEOUT in (route.match or ()) for route in self.step.on_error)

    # -- the budget --------------------------------------------------------------------------------------

    def gate(self) -> None:
        """A gate for the budget: approved, it is given once more."""
        body, budget = self.body, self.step.budget
        assert budget is not None
        name = body.state("budget", self.id)
        told = ", ".join(f"'{key}': ${self.used[key]}" for key in self.budget)
        fields: State = {
            "reason": "budget",
            "approvers": self.names.template(budget.approvers),
            "shows": {
                "budget": dict(self.budget),
                "used": braced(f"{{{told}}}"),
                "attempt": braced(f"${self.attempt}"),
                "attempts": self.step.attempts,
                "violations": braced(f"${self.found}"),
            },
            "message": f"the budget of {self.id} is used up: may it have as much once more?",
            "form": None,
            "values": None,
            "outcomes": ["approve", "reject"],
            "on_timeout": "reject",
            "risk": "normal",
            "remarks": [],
            "notify": [],
        }
        deadline = work_items.due(body, budget.timeout)
        given = work_items.payload(body, self.step, "gate", budget.timeout, deadline, fields, self.round)
        exceeded = body.state("budget exceeded", self.id)
        answer = "$states.result.outcome = 'approve'"
        assign = {self.used[key]: braced(f"{answer} ? 0 : ${self.used[key]}") for key in self.used}
        state: State = {
            "Type": "Task",
            "Resource": work_items.WAITING,
            "Arguments": work_items.arguments(given),
            "TimeoutSeconds": timing.limit(body, budget.timeout),
            "Assign": assign,
            "Output": {"approved": braced(f"{answer} ? true : false")},
            "Catch": [
                {"ErrorEquals": [TIMEOUT], "Output": {"approved": False}, "Next": exceeded},
                *body.catch_all(self.id),
            ],
            "Next": exceeded,
        }
        body.add(name, self.id, "budget", state)
        used = ", ".join(f"{amount:g} {key}" for key, amount in self.budget.items())
        cause = quoted(f"the budget of {used} is used up, and nobody gave more")
        number = route_of(self.step.on_error, BUDGET_EXCEEDED)
        if number is not None:
            route = self.step.on_error[number]
            self.routed(number, exceeded, "Default")
            assign = {
                body.uses_error(): {"Error": BUDGET_EXCEEDED, "Cause": braced(cause)},
                self.id: braced("null"),
            }
            default: State = {"Default": body.target(route.next), "Assign": assign}
        else:
            target, assign = body.fail(self.id, "over budget", f"'{BUDGET_EXCEEDED}'", cause)
            default = {"Default": target, **({"Assign": assign} if assign else {})}
        rules: list[State] = [
            *timing.late(body, self.id),
            {"Condition": braced("$states.input.approved"), **self.next_attempt()},
        ]
        body.add(exceeded, self.id, "budget exceeded", {"Type": "Choice", "Choices": rules, **default})

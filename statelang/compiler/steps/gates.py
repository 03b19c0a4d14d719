"""Gates: a person's decision, with reminders, escalation, and the way back to an earlier step."""

from __future__ import annotations

from ...spec.checks import answer_of, outcomes_of
from ...spec.contracts import Contract
from ...spec.flow import END
from ...spec.models import GateStep
from .. import saga, timing
from ..body import Body
from ..errors import ALL, GATE_TIMED_OUT, REJECTED, TIMEOUT, caught, route_of
from ..machine import State
from ..predicates import violations_expression
from ..rewriting import braced, quoted
from . import work_items

_NOTIFY_RETRY = {"ErrorEquals": [ALL], "IntervalSeconds": 2, "MaxAttempts": 2, "BackoffRate": 2}


def stages(body: Body, step: GateStep) -> list[str]:
    return [body.state("begin", step.id)] if _comes_again(step) else []


def _comes_again(step: GateStep) -> bool:
    """Whether the Task times out before the gate does."""
    return bool(step.gate.reminders) or step.gate.escalate is not None


class GateLowering:
    def __init__(self, body: Body, step: GateStep, after: str):
        self.body = body
        self.step = step
        self.gate = step.gate
        self.id = step.id
        self.after = after
        self.names = body.names(step.id)
        self.round = work_items.round_of(body, step)
        self.found = body.own(step.id, "violations", [])
        self.again = _comes_again(step)
        if self.again:
            self.due = body.own(step.id, "due", 0)
            self.reminded = body.own(step.id, "reminded", 0)
        if self.gate.escalate is not None:
            self.escalated = body.own(step.id, "escalated", False)
        if self.gate.revise is not None:
            self.revisions = body.own(step.id, "revisions", 0)
            self.remarks = body.own(step.id, "remarks", [])
        self.form = body.machine.contracts.forms.get(step.id)

    def run(self) -> None:
        body, gate = self.body, self.gate
        if self.again:
            begin: State = {
                self.due: braced(work_items.due(body, gate.timeout)), self.reminded: 0,
                **({self.escalated: False} if gate.escalate is not None else {}),
            }  # fmt: skip
            state: State = {"Type": "Pass", "Assign": begin, "Next": self.id}
            body.add(body.state("begin", self.id), self.id, "begin", state)
        answer = "$states.result"
        contract = answer_of(self.step, self.form)
        violations = violations_expression(_forgiving(contract), [], answer, self.names)
        assign = {self.id: braced(answer), self.found: braced(violations)}
        self.onward = saga.keep(body, self.step, body.passing(self.after, self.id))
        task: State = {
            "Type": "Task",
            "Resource": work_items.WAITING,
            "Arguments": work_items.arguments(self.payload()),
            "TimeoutSeconds": self.seconds(),
            "Assign": assign,
            "Output": braced(answer),
            "Catch": self.catchers(),
            "Next": body.state("outcome", self.id),
        }
        body.machine.origins.add(self.id, "timeout", ("gate", "timeout"), self.id, "TimeoutSeconds")
        body.add(self.id, self.id, "gate", task)
        self.outcome()
        self.timed_out()

    # -- the question ------------------------------------------------------------------------------------

    def payload(self) -> State:
        gate = self.gate
        names = self.names
        approvers: object = names.template(gate.approvers)
        if gate.escalate is not None:
            everyone = [*gate.approvers, *(each for each in gate.escalate.to if each not in gate.approvers)]
            approvers = braced(f"${self.escalated} ? {names.value(everyone)} : {names.value(gate.approvers)}")
        outcomes: object = outcomes_of(self.step)
        if gate.revise is not None:
            last = _list([each for each in outcomes_of(self.step) if each != "revise"])
            more = f"${self.revisions} < {gate.revise.rounds}"
            outcomes = braced(f"{more} ? {_list(outcomes_of(self.step))} : {last}")
        fields: State = {
            "approvers": approvers,
            "shows": self.names.template(gate.shows),
            "message": self.names.template(gate.message),
            "form": self.form.to_json_schema() if self.form is not None else None,
            "values": self.names.template(gate.values),
            "outcomes": outcomes,
            "on_timeout": gate.on_timeout,
            "risk": gate.risk,
            "remarks": braced(f"${self.remarks}") if gate.revise is not None else [],
            "notify": names.template(gate.notify),
        }
        return self.item("gate", fields)

    def item(self, kind: str, fields: State) -> State:
        deadline = f"${self.due}" if self.again else work_items.due(self.body, self.gate.timeout)
        return work_items.payload(self.body, self.step, kind, self.gate.timeout, deadline, fields, self.round)

    def seconds(self) -> object:
        """Until the next reminder, or the end."""
        if not self.again:
            return timing.limit(self.body, self.gate.timeout)
        end = f"${self.due}"
        reminders = sorted(self.gate.reminders)
        if reminders:
            before = [self.gate.timeout - each for each in reminders]
            end = f"({end} - [{', '.join(map(str, [*before, 0]))}][${self.reminded}] * 1000)"
        return timing.limit(self.body, f"$max([1, $ceil(({end} - $millis()) / 1000)])")

    def catchers(self) -> list[State]:
        body = self.body
        found: list[State] = [{"ErrorEquals": [TIMEOUT], "Next": body.state("timed out", self.id)}]
        for number, route in enumerate(self.step.on_error):
            names = [name for name in caught(route) if name != TIMEOUT]
            if names:
                body.machine.origins.route(self.id, number, route.match, self.id, f"Catch[{len(found)}]")
                assign = {body.uses_error(): braced("$states.errorOutput")}
                found.append({"ErrorEquals": names, "Assign": assign, "Next": body.target(route.next)})
        if found[-1]["ErrorEquals"] == [ALL]:
            return found
        return [*found, *body.catch_all(self.id)]

    # -- the answer --------------------------------------------------------------------------------------

    def outcome(self) -> None:
        body, gate, name = self.body, self.gate, self.body.state("outcome", self.id)
        outcome = f"${self.id}.outcome"
        origins = body.machine.origins
        wrong = f"$count(${self.found}) > 0"
        cause = (
            f"$string({{'error': ${self.found}[0].code, 'step': '{self.id}', 'attempt': 1,"
            f" 'violations': ${self.found}}})"
        )
        rules = [
            {
                "Condition": braced(wrong),
                **self.raising("Stratum.ContractViolated", cause, "violated", name, 0),
            }
        ]
        origins.add(self.id, "approve", ("gate",), name, "Choices[1]")
        rules.append({"Condition": braced(f"{outcome} = 'approve'"), "Next": self.onward})
        if gate.revise is not None:
            rounds = gate.revise.rounds + 1
            place = f"Choices[{len(rules)}]"
            origins.add(self.id, "revise", ("gate", "revise"), name, place, rounds=rounds)
            rule: State = {
                "Condition": braced(f"{outcome} = 'revise' and ${self.revisions} < {gate.revise.rounds}"),
                "Assign": {},
                "Next": body.entry(gate.revise.to),
            }
            rules.append(rule)
            body.at_end.append(lambda: rule.update(Assign=self.resets()))
        by = f"(${self.id}.by.user & (${self.id}.comment ? ': ' & ${self.id}.comment : ''))"
        origins.add(self.id, "reject", ("gate",), name, "Default")
        default = self.raising(REJECTED, f"'rejected by ' & {by}", "rejected", name, None)
        default["Default"] = default.pop("Next")
        body.add(name, self.id, "outcome", {"Type": "Choice", "Choices": rules, **default})

    def resets(self) -> State:
        """What to assign where the gate leads back: everything on the way is as if it had not run."""
        body = self.body
        assign: State = {}
        for id in sorted(body.machine.revises(self.step) - {END}):
            for suffix, (variable, first) in body.owned.get(id, {}).items():
                if suffix in ("revisions", "remarks") and not self._comes_after(id):
                    continue  # else two gates would give each other new rounds without end
                if suffix == "run":
                    assign[variable] = braced(f"${variable} + 1")
                elif id != self.id:
                    assign[variable] = first
        answer = f"${self.id}"
        remark = f"{{'comment': {answer}.comment, 'by': {answer}.by, 'at': {answer}.at}}"
        return assign | {
            self.revisions: braced(f"${self.revisions} + 1"),
            self.remarks: braced(f"[${self.remarks}, {remark}]"),
        }

    def _comes_after(self, id: str) -> bool:
        return self.id in self.body.flow.reached_from([id], back=False)

    def raising(self, error: str, cause: str, what: str, state: str, rule: int | None) -> State:
        """`Next` and `Assign` for an error that the gate itself raises. `rule` is the number of the Choice's rule."""
        body = self.body
        number = route_of(self.step.on_error, error)
        if number is not None:
            route = self.step.on_error[number]
            place = "Default" if rule is None else f"Choices[{rule}]"
            body.machine.origins.route(self.id, number, route.match, state, place)
            assign = {body.uses_error(): {"Error": error, "Cause": braced(cause)}}
            return {"Next": body.target(route.next), "Assign": assign}
        target, assign = body.fail(self.id, what, f"'{error}'", cause)
        return {"Next": target, "Assign": assign} if assign else {"Next": target}

    # -- silence -----------------------------------------------------------------------------------------

    def timed_out(self) -> None:
        body, gate, name = self.body, self.gate, self.body.state("timed out", self.id)
        rules: list[State] = timing.late(body, self.id)
        origins = body.machine.origins
        if gate.reminders:
            remind = body.state("remind", self.id)
            left = f"${self.reminded} < {len(gate.reminders)}"
            rounds = len(gate.reminders) + 1
            place = f"Choices[{len(rules)}]"
            origins.add(self.id, "reminder", ("gate", "reminders"), name, place, rounds=rounds)
            rules.append({"Condition": braced(left), "Next": remind})
            self.notify(
                remind,
                "reminder",
                {"notify": self.names.template(gate.notify)},
                {self.reminded: braced(f"${self.reminded} + 1")},
            )
        last = gate.on_timeout
        if gate.escalate is not None:
            escalate = body.state("escalate", self.id)
            place = f"Choices[{len(rules)}]"
            origins.add(self.id, "escalation", ("gate", "escalate"), name, place, rounds=2)
            rules.append({"Condition": braced(f"$not(${self.escalated})"), "Next": escalate})
            due = work_items.due(body, gate.escalate.timeout)
            assign = {self.escalated: True, self.due: braced(due), self.reminded: len(gate.reminders)}
            self.notify(escalate, "escalation", {"notify": self.names.template(gate.escalate.to)}, assign)
            last = gate.escalate.on_timeout
        origins.add(self.id, "silence", ("gate", "on_timeout"), name, "Default", last)
        silence = "nobody answered in time"
        if last == "error":
            end = self.raising(GATE_TIMED_OUT, quoted(silence), "no answer", name, None)
        else:
            end = self.answered(last, silence, name)
        end["Default"] = end.pop("Next")
        if not rules:  # a Choice has at least one rule
            state: State = {"Type": "Pass", **end}
            state["Next"] = state.pop("Default")
        else:
            state = {"Type": "Choice", "Choices": rules, **end}
        body.add(name, self.id, "timed out", state)

    def answered(self, outcome: str, comment: str, state: str) -> State:
        """The engine's own answer: assigned and put out like anybody's."""
        values = self.names.template(self.gate.values)
        answer: State = {
            "outcome": outcome,
            "by": {"user": "nobody", "via": "engine"},
            "comment": comment,
            "at": braced("$fromMillis($millis())"),
            **({"form": values} if self.form is not None else {}),
        }
        if outcome == "reject":
            made = self.raising(REJECTED, quoted(comment), "rejected in silence", state, None)
            return {**made, "Assign": {**made.get("Assign", {}), self.id: answer}}
        return {"Next": self.onward, "Assign": {self.id: answer}, "Output": answer}

    def notify(self, name: str, kind: str, fields: State, assign: State) -> None:
        """A Task that tells people; whether it reaches them or not, the gate is asked again."""
        body = self.body
        state: State = {
            "Type": "Task",
            "Resource": work_items.INVOKE,
            "Arguments": work_items.arguments(self.item(kind, fields)),
            "TimeoutSeconds": work_items.NOTIFY_SECONDS,
            "Retry": [_NOTIFY_RETRY],
            "Assign": assign,
            "Catch": [{"ErrorEquals": [ALL], "Assign": assign, "Next": self.id}],
            "Next": self.id,
        }
        body.add(name, self.id, kind, state)


def _forgiving(contract: Contract) -> Contract:
    """The contract for an answer, of which only what steps rely on is insisted on: outcome, person and form."""
    fields = {key: part for key, part in (contract.fields or {}).items() if key in ("outcome", "by", "form")}
    return Contract("object", fields=fields)


def _list(words: list[str]) -> str:
    return "[" + ", ".join(map(quoted, words)) + "]"

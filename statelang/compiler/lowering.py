"""The states of each kind of step.

The state that does a step's work has the step's id; what stands around it is called after it, such as
`charge: check`. As few states as possible: on AWS every one of them costs.
"""

from __future__ import annotations

from typing import Any

from ..spec.checks import Contracts, covers_violations, has_loop, retry_of
from ..spec.expressions import is_expression
from ..spec.flow import END, following
from ..spec.models import (
    AnyStep,
    DecisionStep,
    ErrorRoute,
    FailStep,
    Retry,
    SetStep,
    Spec,
    SucceedStep,
    TaskStep,
    Until,
    WaitStep,
    seconds_of,
)
from .origins import Origins
from .predicates import CONTRACT_VIOLATED, POSTCONDITION_FAILED, PRECONDITION_FAILED, violations_expression
from .rewriting import Names, braced, quoted

State = dict[str, Any]
ALL = "States.ALL"
_CHECKS = (POSTCONDITION_FAILED, CONTRACT_VIOLATED)


class Lowering:
    """Collects the states of a spec. `roles` tells of each state the step that it belongs to, and as what."""

    def __init__(self, spec: Spec, contracts: Contracts):
        self.spec = spec
        self.contracts = contracts
        self.known = {**contracts.steps, **({"input": contracts.input} if contracts.input else {})}
        self.states: dict[str, State] = {}
        self.roles: dict[str, tuple[str | None, str]] = {}
        self.origins = Origins()
        self.variables: dict[str, Any] = {}
        """What the first state assigns, beside the input: every variable has a value from the start."""
        self.entries = {step.id: self._entry(step) for step in spec.steps}

    def _entry(self, step: AnyStep) -> str:
        if step.when is not None:
            return f"{step.id}: when"
        return f"{step.id}: needs" if step.needs else step.id

    def add(self, name: str, step: str | None, role: str, state: State) -> None:
        self.states[name] = state
        self.roles[name] = (step, role)

    def leads_to(self, target: str) -> State:
        """`Next` or `End` for going on with a step, or with the end of the workflow."""
        if target != END:
            return {"Next": self.entries[target]}
        return {"Next": "workflow: result"} if self.spec.result is not None else {"End": True}

    def target(self, target: str) -> str:
        """The state to go on with, where ASL wants a state: a Choice and a Catch cannot end a machine."""
        if target != END:
            return self.entries[target]
        if self.spec.result is not None:
            return "workflow: result"
        self.add("workflow: end", None, "end", {"Type": "Succeed", "Output": braced("null")})
        return "workflow: end"

    def run(self) -> None:
        for index, step in enumerate(self.spec.steps):
            if step.id in self.contracts.steps:
                self.variables[step.id] = braced("null")
            self.step(index, step)
        if self.spec.result is not None:
            names = Names(self.known)
            self.add(
                "workflow: result",
                None,
                "result",
                {"Type": "Succeed", "Output": names.template(self.spec.result)},
            )

    def step(self, index: int, step: AnyStep) -> None:
        after = following(self.spec, index)
        names = Names(self.known)
        if step.when is not None:
            inner = f"{step.id}: needs" if step.needs else step.id
            rule = {"Condition": braced(names.condition(step.when)), "Next": inner}
            self.origins.add(step.id, "when", ("when",), f"{step.id}: when", "Choices[0]", step.when.strip())
            self.origins.add(step.id, "skipped", ("when",), f"{step.id}: when", "Default", step.when.strip())
            self.add(
                f"{step.id}: when",
                step.id,
                "when",
                {"Type": "Choice", "Choices": [rule], "Default": self.target(after)},
            )
        if step.needs:
            self.needs(step, names)
        if isinstance(step, TaskStep):
            _TaskLowering(self, step, after).run()
        elif isinstance(step, DecisionStep):
            rules = [
                {"Condition": braced(names.condition(branch.when)), "Next": self.target(branch.next)}
                for branch in step.decision
                if branch.when is not None
            ]
            default = self.target(step.decision[-1].next)
            for number, branch in enumerate(step.decision if rules else ()):
                place = "Default" if branch.when is None else f"Choices[{number}]"
                text = "otherwise" if branch.when is None else branch.when.strip()
                self.origins.add(step.id, "branch", ("decision", number), step.id, place, text)
            if rules:
                self.add(
                    step.id, step.id, "decision", {"Type": "Choice", "Choices": rules, "Default": default}
                )
            else:
                self.add(step.id, step.id, "decision", {"Type": "Pass", "Next": default})
        elif isinstance(step, WaitStep):
            state = {
                "Type": "Wait",
                **self.wait(step, names),
                "Output": braced("null"),
                **self.leads_to(after),
            }
            self.add(step.id, step.id, "wait", state)
        elif isinstance(step, SetStep):
            made = names.template(step.set)
            self.add(
                step.id,
                step.id,
                "set",
                {"Type": "Pass", "Assign": {step.id: made}, "Output": made, **self.leads_to(after)},
            )
        elif isinstance(step, SucceedStep):
            self.add(step.id, step.id, "succeed", {"Type": "Succeed", "Output": names.template(step.succeed)})
        elif isinstance(step, FailStep):
            state = {"Type": "Fail", "Error": step.fail}
            if step.because is not None:
                state["Cause"] = names.template(step.because)
            self.add(step.id, step.id, "fail", state)

    def wait(self, step: WaitStep, names: Names) -> State:
        if isinstance(step.wait, Until):
            return {"Timestamp": names.template(step.wait.until)}
        if is_expression(step.wait):
            return {"Seconds": names.template(step.wait)}
        return {"Seconds": seconds_of(step.wait)}

    def needs(self, step: AnyStep, names: Names) -> None:
        """A Choice that goes on where every condition holds; one with `within` comes back to it after a while."""
        rules: list[State] = []
        state_name = f"{step.id}: needs"
        self.origins.add(step.id, "ready", ("needs",), state_name, "Default")
        waited = f"{step.id}_waited"
        routes = step.on_error if isinstance(step, TaskStep) else []
        failing = next(
            (
                number
                for number, route in enumerate(routes)
                if route.match is None or {PRECONDITION_FAILED, ALL} & set(route.match)
            ),
            None,
        )
        target = self.target(routes[failing].next) if failing is not None else f"{step.id}: not ready"
        for number, need in enumerate(step.needs or []):
            at, said = ("needs", number), need.that.strip()
            lacking = f"({names.bare(need.that)}) ? false : true"
            cause = (
                names.text(need.otherwise)
                if need.otherwise is not None
                else quoted(f"{need.that.strip()} does not hold")
            )
            if need.within is not None:
                self.variables[waited] = 0
                waiting = f"{step.id}: waiting" + (f" {number + 1}" if number else "")
                self.origins.add(step.id, "waiting", at, state_name, f"Choices[{len(rules)}]", said)
                rules.append(
                    {"Condition": braced(f"({lacking}) and ${waited} < {need.within}"), "Next": waiting}
                )
                state = {
                    "Type": "Wait", "Seconds": need.every, "Assign": {waited: braced(f"${waited} + {need.every}")},
                    "Next": f"{step.id}: needs",
                }  # fmt: skip
                self.add(waiting, step.id, "waiting", state)
            error = {"Error": PRECONDITION_FAILED, "Cause": braced(cause)}
            self.origins.add(step.id, "not ready", at, state_name, f"Choices[{len(rules)}]", said)
            if failing is not None:
                self.origins.route(
                    step.id, failing, routes[failing].match, state_name, f"Choices[{len(rules)}]"
                )
            rules.append({"Condition": braced(lacking), "Assign": {"error": error}, "Next": target})
        self.add(
            f"{step.id}: needs", step.id, "needs", {"Type": "Choice", "Choices": rules, "Default": step.id}
        )
        if failing is None:
            state = {"Type": "Fail", "Error": PRECONDITION_FAILED, "Cause": braced("$error.Cause")}
            self.add(f"{step.id}: not ready", step.id, "not ready", state)
        self.variables["error"] = braced("null")


class _TaskLowering:
    """A task with its retry, its checks and where its errors lead."""

    def __init__(self, lowering: Lowering, step: TaskStep, after: str):
        self.all = lowering
        self.step = step
        self.id = step.id
        self.after = after
        self.contract = lowering.contracts.steps[step.id]
        self.retry = retry_of(lowering.spec, step)
        self.loop = has_loop(lowering.spec, step, self.contract)
        self.checked = bool(step.ensure) or self.contract.kind != "any"
        self.attempt, self.found = f"{step.id}_attempt", f"{step.id}_violations"
        is_lambda = not step.task.startswith(("arn:", "aws-sdk:")) or ":lambda:" in step.task
        self.result = "$states.result.Payload" if is_lambda else "$states.result"
        renamed = {"attempt": f"${self.attempt}", "violations": f"${self.found}", "result": self.result}
        self.names = Names({**lowering.known, "result": self.contract}, renamed)

    def run(self) -> None:
        step, add = self.step, self.all.add
        if self.loop:
            self.all.variables[self.attempt] = 1
            self.all.variables[self.found] = []
        assign: dict[str, Any] = {self.id: braced(self.result)}
        if self.checked:
            self.all.origins.checks(self.id, self.found, self.contract.kind != "any", step.ensure)
            expression = violations_expression(
                None if step.output is None else self.contract, step.ensure, self.result, self.names
            )
            assign[self.found] = braced(expression)
        state: State = {
            "Type": "Task", "Resource": self.resource(), "Arguments": self.arguments(), "Assign": assign,
            "Output": braced(self.result),
        }  # fmt: skip
        defaults = self.all.spec.defaults
        for key, what, seconds in (
            ("TimeoutSeconds", "timeout", step.timeout or defaults.timeout),
            ("HeartbeatSeconds", "heartbeat", step.heartbeat or defaults.heartbeat),
        ):
            if seconds is not None:
                state[key] = seconds
                self.all.origins.add(self.id, what, (what,), self.id, key)
        if not self.loop and (retriers := self.retriers()):
            state["Retry"] = retriers
            self.retried(self.id, f"Retry[{len(retriers) - 1}]")
        if catchers := self.catchers():
            state["Catch"] = catchers
        add(
            self.id,
            self.id,
            "task",
            {**state, **({"Next": f"{self.id}: check"} if self.checked else self.all.leads_to(self.after))},
        )
        if self.checked:
            self.check()
        if self.loop:
            self.again()

    def resource(self) -> str:
        task = self.step.task
        if task.startswith("aws-sdk:"):
            return f"arn:aws:states:::{task}"
        return (
            task if task.startswith("arn:") and ":lambda:" not in task else "arn:aws:states:::lambda:invoke"
        )

    def arguments(self) -> Any:
        input = self.names.template(self.step.input) if self.step.input is not None else {}
        if self.resource() != "arn:aws:states:::lambda:invoke":
            return input
        task = self.step.task
        return {"FunctionName": task if task.startswith("arn:") else task.replace(".", "-"), "Payload": input}

    def retriers(self) -> list[State]:
        """ASL's own Retry. Its MaxAttempts counts the retries, ours every try."""
        retry = self.retry
        if retry is None or retry.attempts < 2:
            return []
        never = [name for name in retry.never if name not in _CHECKS]
        found: list[State] = [{"ErrorEquals": never, "MaxAttempts": 0}] if never else []
        on = (
            [ALL]
            if retry.on is None or ALL in retry.on
            else [name for name in retry.on if name not in _CHECKS]
        )
        if not on:
            return []
        interval = max(1, min(retry.delay, retry.max_delay or retry.delay))
        entry: State = {
            "ErrorEquals": on, "IntervalSeconds": interval, "MaxAttempts": retry.attempts - 1,
            "BackoffRate": 1 if retry.backoff == "fixed" else retry.rate,
        }  # fmt: skip
        if retry.max_delay is not None and retry.max_delay > interval:
            entry["MaxDelaySeconds"] = retry.max_delay
        if retry.jitter == "full":
            entry["JitterStrategy"] = "FULL"
        return [*found, entry]

    def retried(self, state: str, place: str) -> None:
        """That way out of the state is the step's `retry`."""
        self.all.origins.add(self.id, "retry", ("retry",), state, place)

    def routed(self, number: int, state: str, place: str) -> None:
        """That way out of the state is the step's `on_error` of that number."""
        self.all.origins.route(self.id, number, self.step.on_error[number].match, state, place)

    # -- errors ------------------------------------------------------------------------------------------

    def catchers(self) -> list[State]:
        if not self.loop:
            direct: list[State] = []
            for number, route in enumerate(self.step.on_error):
                if names := _names(route):
                    self.routed(number, self.id, f"Catch[{len(direct)}]")
                    direct.append(self.catcher(names, self.all.target(route.next)))
            return direct
        assert self.retry is not None
        found: list[State] = []
        taken: set[str] = set()
        retried = (
            None
            if self.retry.on is None or ALL in self.retry.on
            else [name for name in self.retry.on if name not in _CHECKS]
        )
        never = [name for name in self.retry.never if name not in _CHECKS]

        def routed(only: set[str] | None) -> None:
            """Catchers of `on_error` for these names (None: all but those that are retried)."""
            for number, route in enumerate(self.step.on_error):
                names = _names(route)
                if names == [ALL] and only is not None:
                    names = sorted(only - taken)
                names = [name for name in names if name not in taken and (only is None or name in only)]
                if only is None:
                    names = [name for name in names if name not in (retried or [])]
                if names:
                    taken.update(names)
                    self.routed(number, self.id, f"Catch[{len(found)}]")
                    found.append(self.catcher(names, self.all.target(route.next)))

        if never:
            routed(set(never))
            if rest := [name for name in never if name not in taken]:
                taken.update(rest)
                found.append(self.catcher(rest, self.failed()))
        again = f"{self.id}: again"
        if retried is None:
            found.append(self.catcher([ALL], again))
        else:
            if names := [name for name in retried if name not in taken]:
                found.append(self.catcher(names, again))
            routed(None)
        return found

    def catcher(self, names: list[str], target: str) -> State:
        self.all.variables["error"] = braced("null")
        assign: dict[str, Any] = {"error": braced("$states.errorOutput")}
        if self.loop and target == f"{self.id}: again":
            assign[self.found] = []
        return {"ErrorEquals": names, "Assign": assign, "Next": target}

    def failed(self) -> str:
        """A Fail state that raises the error again; ASL's own names cannot be raised, so they go into the cause."""
        name = f"{self.id}: failed"
        own = "$substring($error.Error, 0, 7) = 'States.'"
        state = {
            "Type": "Fail",
            "Error": braced(f"{own} ? 'Stratum.StepFailed' : $error.Error"),
            "Cause": braced(f"{own} ? $string({{'step': '{self.id}', 'error': $error}}) : $error.Cause"),
        }
        self.all.add(name, self.id, "failed", state)
        return name

    def again(self) -> None:
        """After an error: once more, or where `on_error` says, or the workflow fails."""
        retry = self.retry
        assert retry is not None
        rules: list[State] = [
            {"Condition": braced(f"${self.attempt} < {retry.attempts}"), "Next": f"{self.id}: back off"}
        ]
        default = None
        state_name = f"{self.id}: again"
        self.retried(state_name, "Choices[0]")
        for number, route in enumerate(self.step.on_error):
            names = _names(route)
            if names == [ALL]:
                self.routed(number, state_name, "Default")
                default = self.all.target(route.next)
                break
            if names:
                self.routed(number, state_name, f"Choices[{len(rules)}]")
                listed = ", ".join(f"'{name}'" for name in names)
                rules.append(
                    {"Condition": braced(f"$error.Error in [{listed}]"), "Next": self.all.target(route.next)}
                )
        self.all.add(
            state_name,
            self.id,
            "again",
            {"Type": "Choice", "Choices": rules, "Default": default or self.failed()},
        )
        state = {
            "Type": "Wait", "Seconds": self.seconds(retry),
            "Assign": {self.attempt: braced(f"${self.attempt} + 1")}, "Next": self.id,
        }  # fmt: skip
        self.all.add(f"{self.id}: back off", self.id, "back off", state)

    def seconds(self, retry: Retry) -> Any:
        """How long to wait after the present try: whole seconds, as ASL's Wait counts no others."""
        delay: Any = retry.delay
        if retry.backoff == "linear":
            delay = f"{retry.delay} * ${self.attempt}"
        elif retry.backoff == "exponential":
            delay = f"{retry.delay} * $power({retry.rate:g}, ${self.attempt} - 1)"
        if retry.max_delay is not None:
            delay = f"$min([{delay}, {retry.max_delay}])"
        if retry.jitter == "full":
            delay = f"$random() * ({delay})"
        if isinstance(delay, int):
            return delay
        whole = retry.jitter == "none" and (retry.backoff == "linear" or retry.rate == int(retry.rate))
        return braced(delay if whole else f"$round({delay})")

    # -- checks ------------------------------------------------------------------------------------------

    def check(self) -> None:
        """After an answer: on, once more, where `on_error` says, or the workflow fails with the violations."""
        fine = {"Condition": braced(f"$count(${self.found}) = 0"), "Next": self.fine()}
        rules: list[State] = [fine]
        state_name = f"{self.id}: check"
        if self.loop and covers_violations(self.retry):
            assert self.retry is not None
            more = f"${self.attempt} < {self.retry.attempts}"
            names = [
                name
                for name in _CHECKS
                if name not in self.retry.never
                and (self.retry.on is None or {name, ALL} & set(self.retry.on))
            ]
            if len(names) == 1:
                more += f" and ${self.found}[0].code = '{names[0]}'"
            self.retried(state_name, f"Choices[{len(rules)}]")
            rules.append({"Condition": braced(more), "Next": f"{self.id}: back off"})
        error = {"Error": braced(f"${self.found}[0].code"), "Cause": braced(self.cause())}
        default = None
        for number, route in enumerate(self.step.on_error):
            caught = [name for name in _CHECKS if route.match is None or {name, ALL} & set(route.match)]
            if not caught:
                continue
            self.all.variables["error"] = braced("null")
            self.routed(number, state_name, f"Choices[{len(rules)}]")
            condition = "true" if len(caught) == 2 else f"${self.found}[0].code = '{caught[0]}'"
            rules.append(
                {
                    "Condition": braced(condition),
                    "Assign": {"error": error},
                    "Next": self.all.target(route.next),
                }
            )
            if len(caught) == 2:
                default = self.all.target(route.next)
                break
        if default is None:
            default = f"{self.id}: violated"
            self.all.add(default, self.id, "violated", {"Type": "Fail", **error})
        state = {"Type": "Choice", "Choices": rules, "Default": default}
        self.all.add(state_name, self.id, "check", state)

    def fine(self) -> str:
        """Where an answer without violations leads; its data is the answer."""
        if self.after == END and self.all.spec.result is None:
            name = f"{self.id}: done"
            self.all.add(name, self.id, "done", {"Type": "Succeed"})
            return name
        return self.all.target(self.after)

    def cause(self) -> str:
        attempt = f"${self.attempt}" if self.loop else "1"
        return (
            f"$string({{'error': ${self.found}[0].code, 'step': '{self.id}', 'attempt': {attempt},"
            f" 'violations': ${self.found}}})"
        )


def _names(route: ErrorRoute) -> list[str]:
    """The error names of a route that a task itself can raise; `[States.ALL]` for every error."""
    if route.match is None or ALL in route.match:
        return [ALL]
    return [name for name in route.match if name not in (*_CHECKS, PRECONDITION_FAILED)]

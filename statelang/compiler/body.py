"""One list of steps as the states of one machine: the workflow's own, a branch's, an item's or a round's.

The state that does a step's work has the step's id; what stands around it is called after it, such as
`charge: check`. As few states as possible: on AWS every one of them costs.

A list of steps within a step is a scope: it reads the variables around it and has its own. Where something in it can be
undone, or items may fail, it is *wrapped*: it never fails but ends with `{ok, value | error, saga}`, so that nothing
that was done is lost with it. See `saga` and `steps.joining`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..spec.checks import ERROR
from ..spec.contracts import Contract
from ..spec.flow import END, Path
from ..spec.models import AnyStep, CallStep, MapStep, RepeatStep, bodies
from . import guards
from .errors import ALL, WORKFLOW_TIMED_OUT, reraised
from .machine import Machine, State
from .rewriting import Names, braced, quoted

Stages = list[str]


@dataclass(slots=True)
class Round:
    """What the end of a round of a repeat tells beside its value: `until` and what was found, as expressions."""

    until: str | None = None
    found: str | None = None


@dataclass(slots=True)
class Unwinding:
    """Variables of a stack that is unwound: why it is `stuck`; and, where items of maps may be undone by themselves,
    how many entries to `keep`, and the step to go on after `then`, with its way on in `after`."""

    stuck: str
    keep: str | None = None
    then: str | None = None
    after: dict[str, str] = field(default_factory=dict)


class Body:
    """`key` is how its own states are called, such as `wrap_up.mail` in `wrap_up.mail: start`."""

    def __init__(
        self,
        machine: Machine,
        steps: Sequence[AnyStep],
        path: Path,
        key: str,
        *,
        outer: Body | None = None,
        around: AnyStep | None = None,
        wrapped: bool = False,
        round: Round | None = None,
    ):
        self.machine = machine
        self.steps = steps
        self.path = path
        self.key = key
        self.outer = outer
        self.around = around
        self.wrapped = wrapped
        self.round = round
        self.flow = machine.shape.flows[path]
        self.ids = frozenset(step.id for step in steps)
        self.states: dict[str, State] = {}
        self.variables: dict[str, Any] = {}
        """What the first state assigns: every variable that may be read has a value from the start."""
        self.owned: dict[str, dict[str, tuple[str, Any]]] = {}
        """By step and what it is for, the variables of its states, with their first values."""
        self.at_end: list[Callable[[], None]] = []
        """What is left to do once the states of every step are there."""
        self.bound: dict[str, str] = {}
        """Variables that are the item and its index, made when they are first used."""
        self.captured: dict[str, str] = {}
        """In a distributed map, by variable: the expression around it, which its executions are handed."""
        base = key.replace(".", "_")
        self.error = machine.variable(f"{base}_error") if outer else "error"
        holds = machine.holds_compensation(tuple(steps))
        self.saga: str | None = None
        if holds and (wrapped or outer is None):
            self.saga = machine.variable(f"{base}_saga") if outer else machine.variable("saga")
        self.unwinding: Unwinding | None = None
        if self.saga is not None and outer is None:
            self.unwinding = Unwinding(machine.variable("saga_stuck"))
            if any(machine.undoes_items(step) for step in steps):
                self.unwinding.keep = machine.variable("saga_keep")
                self.unwinding.then = machine.variable("saga_then")
        if self.saga is not None:
            self.variables[self.saga] = []
        self.deadline_variable = machine.variable("deadline") if outer is None and machine.deadline else None
        self._base = base
        self._exposed = self._find_exposed()
        self._stages = {step.id: self._stages_of(step) for step in steps}

    # -- names -------------------------------------------------------------------------------------------

    @property
    def distributed(self) -> bool:
        return isinstance(self.around, MapStep) and self.around.map.mode == "distributed"

    @property
    def root(self) -> Body:
        """The workflow's own list."""
        return self if self.outer is None else self.outer.root

    def state(self, what: str, id: str | None = None) -> str:
        """The name of a state: of the step `id`, or of the list itself."""
        return self.machine.state(f"{id or self.key}: {what}")

    def own(self, step: str, suffix: str, first: Any) -> str:
        """A variable of the step's states, with what it is before the step begins."""
        owned = self.owned.setdefault(step, {})
        if suffix not in owned:
            owned[suffix] = self.machine.variable(f"{step}_{suffix}"), first
            self.variables[owned[suffix][0]] = first
        return owned[suffix][0]

    def names(
        self, at: str, known: Mapping[str, Contract] | None = None, renamed: Mapping[str, str] | None = None
    ) -> Names:
        """How the variables are called where the step of that id stands, or at END."""
        machine = self.machine
        contracts = {**machine.contracts.steps, "error": ERROR, **machine.contracts.within(self.around_all())}
        if machine.contracts.input is not None:
            contracts["input"] = machine.contracts.input
        return Names({**contracts, **(known or {})}, renamed, lambda name: self.resolve(name, at))

    def around_all(self) -> list[AnyStep]:
        """The steps that the list is within, the outermost first."""
        if self.outer is None or self.around is None:
            return []
        return [*self.outer.around_all(), self.around]

    def resolve(self, name: str, at: str) -> str | None:
        """The expression for a variable of the spec; None for what is no variable here."""
        if name == "error" and self.flow.failed.get(at):
            return f"${self.error}"
        if name in self.ids or (self.outer is None and name in ("input", "error")):
            return f"${name}"
        if isinstance(self.around, MapStep) and name in (self.around.map.as_, "index"):
            return f"${self.bind(name)}"
        if self.outer is None or self.around is None:
            return None
        if isinstance(self.around, RepeatStep) and name == "round":
            return self.carried(f"${self.outer.own(self.around.id, 'round', 1)}")
        found = self.outer.resolve(name, self.around.id)
        return None if found is None else self.carried(found)

    def bind(self, name: str) -> str:
        """The variable of the map's item, or of its index."""
        assert self.around is not None
        if name not in self.bound:
            self.bound[name] = self.machine.variable(f"{self.around.id}_{name}")
            if name != "index":
                self.machine.values.append((self.bound[name], self.machine.contracts.items[self.around.id]))
        return self.bound[name]

    def carried(self, expression: str) -> str:
        """A variable from around this list: an execution of a distributed map has to be handed it."""
        if not self.distributed:
            return expression
        assert self.around is not None
        for alias, known in self.captured.items():
            if known == expression:
                return f"${alias}"
        alias = self.machine.variable(f"{self.around.id}_{expression.lstrip('$')}")
        self.captured[alias] = expression
        known = [contract for name, contract in self.machine.values if expression == f"${name}"]
        self.machine.values += [(alias, contract) for contract in known]
        return f"${alias}"

    def iteration(self) -> list[str]:
        """Expressions for the indexes of the maps and the rounds of the repeats around, the outermost first."""
        if self.outer is None or self.around is None:
            return []
        found = [self.carried(each) for each in self.outer.iteration()]
        if isinstance(self.around, MapStep):
            found.append(f"${self.bind('index')}")
        elif isinstance(self.around, RepeatStep):
            found.append(self.carried(f"${self.outer.own(self.around.id, 'round', 1)}"))
        return found

    def deadline(self) -> str | None:
        """The expression for the time, in milliseconds, at which the workflow must have ended."""
        if not self.machine.deadline:
            return None
        if self.outer is None:
            return f"${self.deadline_variable}"
        found = self.outer.deadline()
        assert found is not None
        return self.carried(found)

    # -- ways --------------------------------------------------------------------------------------------

    def add(self, name: str, step: str | None, role: str, state: State) -> None:
        self.states[name] = state
        self.machine.roles[name] = (step, role)

    def entry(self, step: str) -> str:
        """The state at which the step begins."""
        return self._stages[step][0]

    def after(self, step: str, stage: str) -> str:
        """The stage of the step that follows that one."""
        stages = self._stages[step]
        return stages[stages.index(stage) + 1]

    def has(self, step: str, stage: str) -> bool:
        return stage in self._stages[step]

    def leads_to(self, target: str) -> State:
        """`Next` or `End` for going on with a step, or with the end, which takes what the state puts out."""
        if target != END:
            return {"Next": self.entry(target)}
        closing = self._closing()
        return {"End": True} if closing is None else {"Next": closing}

    def target(self, target: str) -> str:
        """The state to go on with, where ASL wants a state, and what is put out is not the step's result."""
        if target != END:
            return self.entry(target)
        closing = self._closing()
        if closing is not None and self.outer is None:
            return closing  # the result does not look at what came before
        name = self.state("end")
        state: State = {"Type": "Succeed"} if closing is None else {"Type": "Pass", "Next": closing}
        self.add(name, None, "end", {**state, "Output": braced("null")})
        return name

    def passing(self, target: str, step: str) -> str:
        """As `target`, for a state that puts out the step's result."""
        if target != END:
            return self.entry(target)
        closing = self._closing()
        if closing is not None:
            return closing
        name = self.state("done", step)
        self.add(name, step, "done", {"Type": "Succeed"})
        return name

    def _closing(self) -> str | None:
        """The state that ends the list, where there is more to say than the last step's result."""
        if self.wrapped or self.round is not None:
            return self.state("done")
        return self.state("result") if self.outer is None and self.machine.spec.result is not None else None

    def closing_of_value(self) -> str | None:
        """The state that ends the list with a value that it is handed; None where any state may."""
        return self.state("done") if self.wrapped or self.round is not None else None

    # -- errors ------------------------------------------------------------------------------------------

    def managed(self, at: str) -> bool:
        """Whether an error there must not end the machine: something may have been done that is to be undone."""
        return self.wrapped or at in self._exposed

    def uncaught(self, at: str) -> str | None:
        """The state to which an error leads that nothing caught; it has been assigned. None: it ends the machine."""
        if not self.managed(at):
            return None
        return self.state("failed") if self.wrapped else self.state("compensate")

    def uses_error(self) -> str:
        """The variable for errors, which then has a value from the start."""
        self.variables[self.error] = braced("null")
        return self.error

    def raised(self, step: str, error: str, cause: str) -> State:
        """What to assign for an error that nothing catches; `error` and `cause` are expressions."""
        made = f"{{'Error': {error}, 'Cause': {cause}, 'Step': '{step}'}}"
        deadline = self.deadline()
        if deadline is not None:
            late = quoted(f"the workflow did not end within {self.machine.spec.timeout} s")
            late = f"{{'Error': '{WORKFLOW_TIMED_OUT}', 'Cause': {late}, 'Step': '{step}'}}"
            made = f"$millis() >= {deadline} ? {late} : {made}"
        assign: State = {self.uses_error(): braced(made)}
        if self.unwinding is not None and self.unwinding.keep is not None:
            assign[self.unwinding.keep] = 0
        return assign

    def catch_all(self, step: str, at: str | None = None) -> list[State]:
        """Catchers for every error that nothing else of the step catches; none where it may end the machine."""
        target = self.uncaught(at or step)
        if target is None:
            return []
        assign = self.raised(step, "$states.errorOutput.Error", "$states.errorOutput.Cause")
        # States.ALL leaves out a result that is too large, and what was done before is to be undone all the same.
        return [
            {"ErrorEquals": [names], "Assign": assign, "Next": target}
            for names in ("States.DataLimitExceeded", ALL)
        ]

    def give_up(self, step: str, state: str, error: str) -> State:
        """`Default` and `Assign` for a Choice that ends with the error in the variable `error`."""
        target = self.uncaught(step)
        if target is not None:
            return {"Default": target, "Assign": self.raised(step, f"${error}.Error", f"${error}.Cause")}
        name = self.state("failed", step)
        raised, cause = reraised(f"${error}", f"'{step}'")
        self.add(name, step, "failed", {"Type": "Fail", "Error": braced(raised), "Cause": braced(cause)})
        return {"Default": name}

    def fail(self, step: str, what: str, error: str, cause: str) -> tuple[str, State]:
        """Where an error leads that is raised here, and what to assign on the way. `error` and `cause`: expressions.

        `what` is how the Fail state is called, where there is one.
        """
        target = self.uncaught(step)
        if target is not None:
            return target, self.raised(step, error, cause)
        name = self.state(what, step)
        self.add(name, step, what, {"Type": "Fail", "Error": _literal(error), "Cause": braced(cause)})
        return name, {}

    def _find_exposed(self) -> frozenset[str]:
        """The steps of the workflow's own list at which something may have been done that can be undone."""
        if self.outer is not None or self.saga is None:
            return frozenset()
        if self.machine.deadline:  # every error may be that the time is over, and be told as that
            return self.ids | {END}
        within = {
            step.id
            for step in self.steps
            if any(self.machine.holds_compensation(tuple(body.steps)) for body in bodies(step))
        }
        own = {step.id for step in self.steps if step.id in self.machine.compensated}
        # An answer that is refused was given all the same.
        refusing = {step.id for step in self.steps if step.id in own and self._checks(step)}
        return frozenset({*within, *refusing, *self.flow.reached_from({*within, *own})})

    def _checks(self, step: AnyStep) -> bool:
        if not isinstance(step, CallStep):
            return False
        return bool(step.ensure) or self.machine.contracts.steps[step.id].kind != "any"

    # -- stages ------------------------------------------------------------------------------------------

    def _stages_of(self, step: AnyStep) -> Stages:
        """The states of the step that come one after the other, up to the one that does its work."""
        from .steps import first_stages

        stages: Stages = []
        if step.when is not None:
            if self.guarded(step.id) and guards.may_raise(_bare(step.when), self.names(step.id).known):
                stages.append(self.state("when guarded", step.id))
            stages.append(self.state("when", step.id))
        if step.needs:
            known = self.names(step.id).known
            texts = [need.that for need in step.needs]
            uncertain = any(guards.may_raise(_bare(text), known) for text in texts) or any(
                self.may_fail(need.otherwise, step.id) for need in step.needs
            )
            if self.guarded(step.id) and uncertain:
                stages.append(self.state("needs guarded", step.id))
            stages.append(self.state("needs", step.id))
        return [*stages, *first_stages(self, step), step.id]

    def guarded(self, at: str) -> bool:
        """Whether what may fail there, and cannot catch, must be computed in a guard."""
        return self.managed(at)

    def may_fail(self, value: Any, at: str, known: Mapping[str, Contract] | None = None) -> bool:
        names = self.names(at, known)
        must = self.surely_there(at)
        always = {"input", "context", "index", "round", *(known or {})}
        return guards.may_fail(
            value, names.known, lambda name: name in must or name in always or self._is_item(name)
        )

    def surely_there(self, at: str) -> frozenset[str]:
        """The steps that have run by then, here and around."""
        must = self.flow.must.get(at, frozenset())
        if self.outer is None or self.around is None:
            return must
        return must | self.outer.surely_there(self.around.id)

    def _is_item(self, name: str) -> bool:
        return any(isinstance(step, MapStep) and step.map.as_ == name for step in self.around_all())

    def guard(
        self,
        name: str,
        step: str | None,
        at: str,
        output: Any,
        assign: Callable[[str], State],
        leads: State,
        role: str = "guard",
    ) -> None:
        """A Parallel of one branch that computes `output` and puts it out; `assign` is given the expression for it."""
        value = "$states.result[0].value"
        inner = self.machine.state(f"{name.removesuffix(' guarded')} computed")
        computed: State = {"Type": "Pass", "Output": {"value": output}, "End": True}
        self.machine.roles[inner] = (step, "computed")
        made = assign(value)
        state: State = {
            "Type": "Parallel",
            "Branches": [{"StartAt": inner, "States": {inner: computed}}],
            **({"Assign": made} if made else {}),
            "Output": braced(value),
            **leads,
        }
        if catchers := self.catch_all(step or self.key, at):
            state["Catch"] = catchers
        self.add(name, step, role, state)

    # -- the whole ---------------------------------------------------------------------------------------

    def lower(self) -> None:
        """Makes the states of every step."""
        from .steps import lower

        for index, step in enumerate(self.steps):
            if step.id in self.machine.contracts.steps:
                self.owned.setdefault(step.id, {})["result"] = step.id, braced("null")
                if not self.flow.straight() or self.outer is None:
                    self.variables[step.id] = braced("null")
            lower(self, index, step)
        for finish in self.at_end:
            finish()

    def definition(self) -> State:
        """The machine of the list, for a branch or an item processor."""
        assign = {**self._given(), **self.variables}
        first = self.entry(self.steps[0].id)
        if not assign:
            return {"StartAt": first, "States": self.states}
        name = self.state("start")
        self.machine.roles[name] = (None, "start")
        start = {"Type": "Pass", "Assign": assign, "Next": first}
        return {"StartAt": name, "States": {name: start, **self.states}}

    def _given(self) -> State:
        """What the first state takes out of what the list is handed."""
        if not isinstance(self.around, MapStep):
            return {}
        made: State = {}
        for name, variable in self.bound.items():
            if self.distributed:
                made[variable] = braced(f"$states.input.{'index' if name == 'index' else 'item'}")
            else:
                made[variable] = braced(
                    "$states.context.Map.Item.Index" if name == "index" else "$states.input"
                )
        for alias in self.captured:
            made[alias] = braced(f"$states.input.{alias}")
        return made


def _bare(text: str) -> str:
    from ..spec.expressions import inside, is_expression

    return inside(text)[0] if is_expression(text) else text.strip()


def _literal(expression: str) -> str:
    """An error's name as a Fail state has it: a string where it is one."""
    if expression.startswith("'") and expression.endswith("'") and expression.count("'") == 2:
        return expression[1:-1]
    return braced(expression)

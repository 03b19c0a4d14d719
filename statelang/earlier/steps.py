"""A step of the earlier Stratum as a step of this language."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .. import jsonata
from ..spec.contracts import ANY, Contract
from ..spec.expressions import is_expression
from ..spec.models import MAX_SECONDS, Gate
from ..spec.source import Path
from .conditions import Term, Untranslatable, conjuncts, field_of, text_of, translate
from .reading import Old
from .references import Seen
from .types import Types

VIOLATED = ["Stratum.PostconditionFailed", "Stratum.ContractViolated"]
REJECTED = "Stratum.Rejected"
_ROUNDS = 100
"""What a gate of a flow without `max_rounds` may send back: as often as there can be."""
_MAX_REPEATS = 1000
_RETRIES = {"function": 3, "inline": 1, "decompose": 2, "parallel_dispatch": 2}
"""The tries of a step that does not say."""

_OF_FUNCTIONS = {
    "mode",
    "intent",
    "input",
    "output",
    "ensure",
    "budget",
    "retries",
    "model",
    "timeout",
    "guardrails",
}
_OF_STEPS = {
    "id", "type", "function", "intent", "flow", "agent", "inputs", "depends_on", "output_schema", "on_approve", "on_revise",
    "on_kill", "on_fail", "next", "skip_if", "skip_reason", "policy", "policy_fallback", "ensure", "retries",
    "output_contract", "model", "budget", "max_iterations", "exit_criterion", "guardrails", "source", "max_concurrent",
    "isolation", "require", "merge", "intent_template", "timeout",
}  # fmt: skip
_NOT_KEPT = {
    "model": "whoever takes the work chooses the model",
    "isolation": "how an agent keeps its work apart is the agent's own",
    "merge": "what comes of the agents' work in the end is a step of your own",
    "policy_fallback": "there are no policies; a gate is asked, or its `when` skips it",
}


@dataclass(slots=True)
class Place:
    """Where a step stands: the index in the old flow, and what follows it in the new list."""

    path: Path
    id: str
    following: str | None
    earlier: frozenset[str]
    """The steps above it, by their old ids: leading back to one would be a loop."""


class StepRewriter:
    """`note` is told of what is not carried over, `changed` of what means something else here."""

    def __init__(
        self, old: Old, types: Types, contract_named: Callable[[str], Contract], children: Mapping[str, str], module: str,
        note: Callable[[str, Path], None], changed: Callable[[str, Path], None],
    ):  # fmt: skip
        self.old = old
        self.types = types
        self.contract_named = contract_named
        self.children = children
        self.module = module
        self.note = note
        self.changed = changed

    def step(self, step: Mapping[str, Any], place: Place, seen: Seen, rounds: int | None) -> dict[str, Any]:
        mode = self.old.mode_of(step)
        self._unknown(step, place.path)
        made: dict[str, Any] = {"id": place.id}
        if step.get("skip_if") is not None:
            self._when(step, place, seen, made)
        if mode == "gate":
            self._gate(step, place, seen, rounds, made)
            return made
        call = self._call(step, mode, place, seen)
        if step.get("max_iterations") is not None and mode != "parallel_dispatch":
            inner = {"id": f"{place.id}_round", **call}
            made |= {"repeat": self._repeat(step, place), "steps": [inner]}
        else:
            made |= call
        self._routes(step, place, seen, made)
        return made

    # -- what is handed out ------------------------------------------------------------------------------

    def _call(self, step: Mapping[str, Any], mode: str, place: Place, seen: Seen) -> dict[str, Any]:
        if mode == "parallel_dispatch":
            return self._dispatch(step, place, seen)
        inputs = self._inputs(step, place.path, seen)
        if mode == "flow":
            child = self.children[step["flow"]]
            made: dict[str, Any] = {
                "workflow": child,
                "input": inputs,
                "output": self._output(step, mode, place),
            }
            made["ensure"] = self._ensure(step, place.path, self._contract(step, mode))
            return {key: value for key, value in made.items() if value not in (None, [], {})}
        function, at = self.old.function_of(step), self._path_of(step, place.path)
        contract = self._contract(step, mode)
        kind = "function" if step.get("function") else step.get("type") or "inline"
        attempts = _whole(function.get("retries")) or _RETRIES.get(kind, 1)
        common: dict[str, Any] = {
            "input": inputs,
            "output": self._output(step, mode, place),
            "ensure": self._ensure(function, at, contract),
        }
        if mode == "compute":
            self.changed(
                f"`{step['function']}` was computed in the agent's session: write it as {self.module}.{_word(step['function'])}",
                (*place.path, "function"),
            )
            made = {
                "description": _one_line(function["intent"]),
                "task": f"{self.module}.{_word(step['function'])}",
                **common,
            }
            made["retry"] = {"attempts": attempts} if attempts > 1 else None
            made["timeout"] = _seconds(function.get("timeout"))
            if isinstance(function.get("budget"), dict):
                self.note("`budget`: a task has none; it has a `timeout`", (*at, "budget"))
        else:
            made = {
                "agent": step.get("agent") or "claude",
                "intent": _text(function["intent"]),
                **common,
                "attempts": attempts if attempts > 1 else None,
                "budget": self._budget(function.get("budget"), (*at, "budget")),
                "timeout": _seconds(function.get("timeout")),
            }
        return {key: value for key, value in made.items() if value not in (None, [], {})}

    def _dispatch(self, step: Mapping[str, Any], place: Place, seen: Seen) -> dict[str, Any]:
        """Tasks that an agent has made out, handed out side by side."""
        item = "task" if "task" not in seen.ids.values() else "task_of"
        path = place.path
        try:
            items = seen.term(step["source"]).text
        except Untranslatable as why:
            self.note(f"`source`: {why}", (*path, "source"))
            items = "[]"
        over: dict[str, Any] = {
            "items": items,
            "as": item,
            "max_concurrency": _whole(step.get("max_concurrent")) or 3,
        }
        require = step.get("require", "all")
        if require == "any":
            over["tolerate"] = "99%"
            self.changed(
                "`require: any` is nearly that: 99 of 100 may fail, and those that do are left out",
                (*path, "require"),
            )
        elif require != "all":
            self.note(f"`require: {require}`: how many must succeed; here every one must", (*path, "require"))
        if step.get("ensure"):
            self.note("`ensure`: a map has none; put a task with one below it", (*path, "ensure"))
        self.changed(
            "tasks that depend on each other are handed out side by side: order them in a step before", path
        )
        attempts = _whole(step.get("retries")) or _RETRIES["parallel_dispatch"]
        inner: dict[str, Any] = {
            "id": f"{place.id}_{item}",
            "agent": step.get("agent") or "claude",
            "intent": self._template(step["intent_template"], item, seen, (*path, "intent_template")),
            "input": "{% $" + item + " %}",
            "output": self._named(step.get("output_contract"), (*path, "output_contract")),
            "attempts": attempts if attempts > 1 else None,
        }
        return {"map": over, "steps": [{key: value for key, value in inner.items() if value is not None}]}

    def _template(self, template: str, item: str, seen: Seen, path: Path) -> str:
        """`Implement {task.description}` as an expression."""
        parts: list[str] = []
        for text, reference in re.findall(r"([^{]*)(\{[\w.]*\}|\{|$)", template):
            parts += [text_of(text)] if text else []
            names = reference.strip("{}").split(".")
            if names[0] == "task":
                made = f"${item}"
                for name in names[1:]:
                    made = field_of(made, name)
                parts.append(made if len(names) > 1 else f"$string({made})")
            elif names[0] == "input" and len(names) > 1:
                parts.append(seen.term("$." + ".".join(names)).text)
            elif reference:
                parts.append(text_of(reference))
                if reference != "{":
                    self.note(f"`{reference}` stands for nothing that is known: it is kept as it is", path)
        if not any(part.startswith("$") for part in parts):
            return _text(template)
        return "{% " + " & ".join(parts) + " %}"

    def _inputs(self, step: Mapping[str, Any], path: Path, seen: Seen) -> Any:
        made: dict[str, Any] = {}
        for name, value in (step.get("inputs") or {}).items():
            if isinstance(value, str) and value.startswith("$"):
                try:
                    made[name] = seen.value(value)
                except Untranslatable as why:
                    self.note(f"`{name}`: {why}; it is null here", (*path, "inputs", name))
                    made[name] = None
            else:
                made[name] = _literal(value)
        return made

    # -- what must come back -----------------------------------------------------------------------------

    def contract_of(self, step: Mapping[str, Any]) -> Contract:
        """What later steps can refer to."""
        return self._contract(step, self.old.mode_of(step))

    def _contract_name(self, step: Mapping[str, Any], mode: str) -> Any:
        if mode == "flow":
            return step.get("output_contract") or self.old.flows[step["flow"]].get("output")
        return (
            self.old.function_of(step).get("output") if step.get("function") else step.get("output_contract")
        )

    def _contract(self, step: Mapping[str, Any], mode: str) -> Contract:
        name = self._contract_name(step, mode)
        if mode in ("gate", "parallel_dispatch") or not isinstance(name, str) or step.get("output_schema"):
            return ANY
        return self.contract_named(name)

    def _output(self, step: Mapping[str, Any], mode: str, place: Place) -> Any:
        schema = step.get("output_schema")
        if isinstance(schema, dict):
            return self.types.schema(schema, f"{place.id[:1].upper()}{place.id[1:]}Output")
        path = self._path_of(step, place.path)
        return self._named(self._contract_name(step, mode), (*path, "output"))

    def _named(self, name: Any, path: Path) -> str | None:
        if not name:
            return None
        if isinstance(name, str) and name in self.types.names:
            return self.types.names[name]
        self.note(f"there is no contract `{str(name)[:60]}`: any result is taken", path)
        return None

    def _ensure(self, owner: Mapping[str, Any], path: Path, contract: Contract) -> list[Any]:
        names = {"result": Term("$result", contract=contract)}
        names |= {
            "true": Term("true", contract=Contract("boolean")),
            "false": Term("false", contract=Contract("boolean")),
        }
        made: list[Any] = []
        for index, condition in enumerate(owner.get("ensure") or []):
            at = (*path, "ensure", index)
            try:
                made.append(translate(condition, names))
                continue
            except Untranslatable:
                parts = conjuncts(condition)
            for part in parts:
                try:
                    made.append(translate(part, names))
                except Untranslatable as why:
                    self.note(f"ensure `{part[:200]}`: {why}", at)
        for index, pattern in enumerate(owner.get("guardrails") or []):
            made += self._guardrail(pattern, (*path, "guardrails", index))
        return made

    def _guardrail(self, pattern: str, path: Path) -> list[Any]:
        """A regular expression that must match nothing in the result."""
        slashed = re.sub(r"(?<!\\)((?:\\\\)*)/", r"\1\\/", pattern)
        condition = f"$not($contains($string($result), /{slashed}/im))"
        try:
            jsonata.compile(condition)
        except jsonata.JsonataError as error:
            self.note(
                f"guardrail `{pattern[:100]}`: no regular expression of JSONata's: {error.message}", path
            )
            return []
        return [
            {"that": condition, "otherwise": _text(f"the result has what is not allowed in it: {pattern}")}
        ]

    def _budget(self, budget: Any, path: Path) -> dict[str, Any] | None:
        if not isinstance(budget, dict):
            return None
        made: dict[str, Any] = {}
        if isinstance(budget.get("usd"), int | float) and budget["usd"] > 0:
            made["usd"] = budget["usd"]
        if _whole(budget.get("ms")):
            made["time"] = duration(-(-budget["ms"] // 1000))
        for key in budget:
            if key not in ("usd", "ms"):
                self.note(f"`{key}`: a budget has usd, tokens and time", (*path, key))
        return made or None

    # -- where it leads ----------------------------------------------------------------------------------

    def _when(self, step: Mapping[str, Any], place: Place, seen: Seen, made: dict[str, Any]) -> None:
        at = (*place.path, "skip_if")
        try:
            made["when"] = seen.condition(step["skip_if"], negated=True)
        except Untranslatable as why:
            self.note(f"skip_if `{step['skip_if'][:200]}`: {why}; the step is never skipped here", at)
        if step.get("skip_reason"):
            made.setdefault("description", f"skipped: {_one_line(str(step['skip_reason']))}")

    def _routes(self, step: Mapping[str, Any], place: Place, seen: Seen, made: dict[str, Any]) -> None:
        target = step.get("on_fail")
        if target is not None and self._forward(target, "on_fail", place):
            made["on_error"] = [{"match": VIOLATED, "next": seen.ids[target]}]
        target = step.get("next")
        if (
            target is not None
            and self._forward(target, "next", place)
            and seen.ids[target] != place.following
        ):
            made["next"] = seen.ids[target]

    def _forward(self, target: str, key: str, place: Place) -> bool:
        if target not in place.earlier:
            return True
        message = f"`{key}: {target}` leads back, a loop with no bound: put the steps between into a `repeat`"
        self.note(message, (*place.path, key))
        return False

    def _repeat(self, step: Mapping[str, Any], place: Place) -> dict[str, Any]:
        path, made = place.path, {}
        if step.get("exit_criterion"):
            names = {"result": Term("$result", contract=self.contract_of(step))}
            try:
                made["until"] = translate(step["exit_criterion"], names)
            except Untranslatable as why:
                self.note(
                    f"exit_criterion `{step['exit_criterion'][:200]}`: {why}; every round is run, until there is an `until`",
                    (*path, "exit_criterion"),
                )
        most = _whole(step["max_iterations"]) or 1
        if most > _MAX_REPEATS:
            self.changed(f"at most {_MAX_REPEATS} rounds, not {most}", (*path, "max_iterations"))
        # The earlier Stratum went on with what the last round came to.
        return (
            {**made, "max": min(most, _MAX_REPEATS), "on_max": "end"}
            if made
            else {"max": min(most, _MAX_REPEATS)}
        )

    def _gate(
        self, step: Mapping[str, Any], place: Place, seen: Seen, rounds: int | None, made: dict[str, Any]
    ) -> None:
        function, path = self.old.function_of(step), place.path
        gate: dict[str, Any] = {"approvers": ["*"]}
        self.changed(
            "whoever called could decide: name the `approvers`; `*` is anyone but who started it, and no agent",
            path,
        )
        if isinstance(function.get("intent"), str):
            gate["message"] = _text(function["intent"])
        if inputs := self._inputs(step, path, seen):
            gate["shows"] = inputs
        gate["timeout"] = _seconds(function.get("timeout")) or "7d"
        if not _whole(function.get("timeout")):
            self.changed(
                "a gate without `timeout` waited for ever: here for 7 days, and then it is rejected", path
            )
        back = step.get("on_revise")
        if back is not None and back in place.earlier:
            gate["revise"] = {"to": seen.ids[back], "rounds": min(rounds or _ROUNDS, _ROUNDS)}
        elif back is not None:
            self.note(f"`on_revise: {back}` does not lead back", (*path, "on_revise"))
        Gate.model_validate(gate)
        made["gate"] = gate
        if step.get("policy") in ("skip", "flag"):
            made["when"] = "false"
            self.changed(
                f"`policy: {step['policy']}` approved without asking: the gate is skipped", (*path, "policy")
            )
        killed = step.get("on_kill")
        if killed is not None and self._forward(killed, "on_kill", place):
            made["on_error"] = [{"match": [REJECTED], "next": seen.ids[killed]}]
        approved = step.get("on_approve")
        if approved is not None and self._forward(approved, "on_approve", place):
            if seen.ids[approved] != place.following:
                made["next"] = seen.ids[approved]
        elif approved is None and "on_approve" in step and place.following is not None:
            made["next"] = "end"

    # -- what is left ------------------------------------------------------------------------------------

    def _path_of(self, step: Mapping[str, Any], path: Path) -> Path:
        return ("functions", step["function"]) if step.get("function") else path

    def _unknown(self, step: Mapping[str, Any], path: Path) -> None:
        self._not_kept(step, path, _OF_STEPS)
        if step.get("function"):
            self._not_kept(self.old.function_of(step), self._path_of(step, path), _OF_FUNCTIONS)

    def _not_kept(self, owner: Mapping[str, Any], path: Path, known: set[str]) -> None:
        for key, value in owner.items():
            if key not in known:
                self.note(f"`{key}` has no counterpart", (*path, key))
            elif key in _NOT_KEPT and value is not None:
                self.note(f"`{key}: {value}`: {_NOT_KEPT[key]}", (*path, key))


def _whole(value: Any) -> int | None:
    return value if type(value) is int and value > 0 else None


def _seconds(value: Any) -> str | None:
    return duration(value) if _whole(value) else None


def duration(seconds: int) -> str:
    seconds = min(seconds, MAX_SECONDS)
    unit, size = next(
        (unit, size)
        for unit, size in (("d", 86_400), ("h", 3600), ("m", 60), ("s", 1))
        if seconds % size == 0
    )
    return f"{seconds // size}{unit}"


def _word(name: str) -> str:
    word = re.sub(r"\W", "_", name, flags=re.ASCII)
    return word if word[:1].isalpha() or word[:1] == "_" else f"_{word}"


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _text(text: str) -> str:
    """Text that is not taken for an expression."""
    text = text.strip("\n")
    return "{% " + text_of(text) + " %}" if is_expression(text) else text


def _literal(value: Any) -> Any:
    if isinstance(value, str):
        return _text(value) if is_expression(value) else value
    if isinstance(value, dict):
        return {key: _literal(part) for key, part in value.items()}
    if isinstance(value, Sequence):
        return [_literal(part) for part in value]
    return value

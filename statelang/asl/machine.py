"""The models of a definition: a machine, its states, their retriers and catchers, ready to be run.

Fields are named as in ASL, in Python's spelling. What a definition must have, and what each type of state
may have, follows the Amazon States Language specification and AWS's guide, "State machine structure".
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from .problems import InvalidDefinition, Problem
from .templates import Template

SCHEMA = "SCHEMA_VALIDATION_FAILED"

_COMMON = {"Type", "Comment", "QueryLanguage"}
_FLOW = {"Next", "End"}
FIELDS: dict[str, set[str]] = {
    "Pass": _COMMON | _FLOW | {"Output", "Assign"},
    "Task": _COMMON
    | _FLOW
    | {
        "Resource",
        "Arguments",
        "Output",
        "Assign",
        "TimeoutSeconds",
        "HeartbeatSeconds",
        "Retry",
        "Catch",
        "Credentials",
    },
    "Choice": _COMMON | {"Choices", "Default", "Output", "Assign"},
    "Wait": _COMMON | _FLOW | {"Seconds", "Timestamp", "Output", "Assign"},
    "Succeed": _COMMON | {"Output"},
    "Fail": _COMMON | {"Error", "Cause"},
}
"""The fields that each type of state may have in JSONata."""

LATER = {"Parallel", "Map"}
MAX_NAME = 80


@dataclass(slots=True)
class Retrier:
    """One entry of `Retry`: which errors, how often, and how long to wait before the n-th retry."""

    error_equals: tuple[str, ...]
    interval_seconds: int = 1
    max_attempts: int = 3
    backoff_rate: float = 2.0
    max_delay_seconds: int | None = None
    jitter_strategy: str = "NONE"


@dataclass(slots=True)
class Catcher:
    """One entry of `Catch`: which errors lead where, and what is assigned and put out on the way."""

    error_equals: tuple[str, ...]
    next: str
    assign: Template | None = None
    output: Template | None = None


@dataclass(slots=True)
class State:
    """What every state has. `next` is None for a state that ends its machine."""

    name: str
    type: str
    next: str | None = None
    assign: Template | None = None
    output: Template | None = None


@dataclass(slots=True)
class Pass(State):
    pass


@dataclass(slots=True)
class Task(State):
    resource: str = ""
    arguments: Template | None = None
    timeout_seconds: Template | None = None
    heartbeat_seconds: Template | None = None
    retry: tuple[Retrier, ...] = ()
    catch: tuple[Catcher, ...] = ()


@dataclass(slots=True)
class ChoiceRule:
    condition: Template
    next: str
    assign: Template | None = None
    output: Template | None = None


@dataclass(slots=True)
class Choice(State):
    rules: tuple[ChoiceRule, ...] = ()
    default: str | None = None


@dataclass(slots=True)
class Wait(State):
    seconds: Template | None = None
    timestamp: Template | None = None


@dataclass(slots=True)
class Succeed(State):
    pass


@dataclass(slots=True)
class Fail(State):
    error: Template | None = None
    cause: Template | None = None


@dataclass(slots=True)
class StateMachine:
    """A prepared definition. `digest` is the SHA-256 of its text, in hex."""

    start_at: str
    states: dict[str, State]
    timeout_seconds: int | None = None
    comment: str | None = None
    digest: str = ""
    definition: dict[str, Any] = field(default_factory=dict, repr=False)


def digest_of(text: str) -> str:
    """How a definition is known: the SHA-256 of its text, in hex."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


@lru_cache(maxsize=256)
def load_definition(text: str) -> StateMachine:
    """The machine that `text` (JSON) defines. Raises `InvalidDefinition` with every problem found."""
    try:
        definition = json.loads(text)
    except ValueError as error:
        raise InvalidDefinition([Problem("INVALID_JSON_DESCRIPTION", str(error), "")]) from None
    except RecursionError:
        raise InvalidDefinition([Problem("INVALID_JSON_DESCRIPTION", "nested too deeply", "")]) from None
    return _Loader().machine(definition, text)


class _Loader:
    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def problem(self, location: str, message: str, code: str = SCHEMA) -> None:
        self.problems.append(Problem(code, message, location))

    def machine(self, definition: Any, text: str) -> StateMachine:
        machine = self._machine(definition)
        if self.problems or machine is None:
            raise InvalidDefinition(self.problems)
        machine.digest = digest_of(text)
        return machine

    def _machine(self, definition: Any) -> StateMachine | None:
        if not isinstance(definition, dict):
            self.problem("", "a state machine is a JSON object")
            return None
        for key in definition.keys() - {
            "Comment",
            "QueryLanguage",
            "StartAt",
            "States",
            "TimeoutSeconds",
            "Version",
        }:
            self.problem(f"/{key}", f"Field '{key}' is not supported")
        states = definition.get("States")
        if not isinstance(states, dict) or not states:
            self.problem("/States", "a state machine needs a 'States' object with at least one state")
            return None
        start_at = self._text(definition, "StartAt", "", required=True) or ""
        language = definition.get("QueryLanguage", "JSONPath")
        prepared = {
            name: state for name, body in states.items() if (state := self._state(name, body, language))
        }
        if start_at and start_at not in states:
            self.problem("/StartAt", f"MISSING_TRANSITION_TARGET: there is no state '{start_at}'")
        self._targets(states)
        timeout = self._whole(definition, "TimeoutSeconds", "")
        comment = definition.get("Comment")
        return StateMachine(
            start_at, prepared, timeout, comment if isinstance(comment, str) else None, definition=definition
        )

    def _targets(self, states: dict[str, Any]) -> None:
        for name, body in states.items():
            if isinstance(body, dict):
                for location, target in transitions(body):
                    if isinstance(target, str) and target not in states:
                        place = f"/States/{name}/{location}"
                        self.problem(place, f"MISSING_TRANSITION_TARGET: there is no state '{target}'")

    def _state(self, name: str, body: Any, language: str) -> State | None:
        at = f"/States/{name}"
        if not isinstance(body, dict):
            self.problem(at, "a state is a JSON object")
            return None
        if not 1 <= len(name) <= MAX_NAME:
            self.problem(at, f"a state's name has 1 to {MAX_NAME} characters")
        kind = body.get("Type")
        if not isinstance(kind, str) or kind not in FIELDS:
            known = ", ".join(sorted(FIELDS))
            what = f"'{kind}' states are not supported yet" if kind in LATER else f"Type is one of {known}"
            self.problem(f"{at}/Type", what)
            return None
        if body.get("QueryLanguage", language) != "JSONata":
            self.problem(f"{at}/QueryLanguage", "JSONPath is not supported yet: set QueryLanguage to JSONata")
            return None
        for key in sorted(body.keys() - FIELDS[kind]):
            self.problem(f"{at}/{key}", f"Field '{key}' is not supported in a {kind} state")
        if "Next" in FIELDS[kind]:
            self._flow(body, at)
        common: dict[str, Any] = {
            "name": name,
            "type": kind,
            "next": body.get("Next"),
            "assign": self._assign(body, at),
            "output": self._template(body, "Output", at),
        }
        return getattr(self, f"_{kind.lower()}")(body, at, common)

    def _flow(self, body: dict[str, Any], at: str) -> None:
        if ("Next" in body) == bool(body.get("End")):
            self.problem(at, "a state needs either 'Next' or 'End': true")
        if "End" in body and not isinstance(body["End"], bool):
            self.problem(f"{at}/End", "'End' is true or false")
        self._text(body, "Next", at)

    def _pass(self, body: dict[str, Any], at: str, common: dict[str, Any]) -> State:
        return Pass(**common)

    def _task(self, body: dict[str, Any], at: str, common: dict[str, Any]) -> State:
        return Task(
            **common,
            resource=self._text(body, "Resource", at, required=True) or "",
            arguments=self._template(body, "Arguments", at),
            timeout_seconds=self._seconds(body, "TimeoutSeconds", at),
            heartbeat_seconds=self._seconds(body, "HeartbeatSeconds", at),
            retry=tuple(self._retriers(body, at)),
            catch=tuple(self._catchers(body, at)),
        )

    def _choice(self, body: dict[str, Any], at: str, common: dict[str, Any]) -> State:
        rules = []
        for place, rule in self._entries(body, "Choices", at, required=True):
            if "Condition" not in rule:
                self.problem(place, "a rule of a JSONata Choice needs a 'Condition'")
                continue
            condition = self._template(rule, "Condition", place, f"Choices[{len(rules)}]/Condition")
            target = self._text(rule, "Next", place, required=True)
            if condition and target:
                index = len(rules)
                assign = self._assign(rule, place, f"Choices[{index}]/Assign")
                output = self._template(rule, "Output", place, f"Choices[{index}]/Output")
                rules.append(ChoiceRule(condition, target, assign, output))
        return Choice(**common, rules=tuple(rules), default=self._text(body, "Default", at))

    def _wait(self, body: dict[str, Any], at: str, common: dict[str, Any]) -> State:
        if ("Seconds" in body) == ("Timestamp" in body):
            self.problem(at, "a Wait state needs either 'Seconds' or 'Timestamp'")
        return Wait(
            **common,
            seconds=self._seconds(body, "Seconds", at, least=0),
            timestamp=self._template(body, "Timestamp", at),
        )

    def _succeed(self, body: dict[str, Any], at: str, common: dict[str, Any]) -> State:
        return Succeed(**common)

    def _fail(self, body: dict[str, Any], at: str, common: dict[str, Any]) -> State:
        return Fail(
            **common, error=self._template(body, "Error", at), cause=self._template(body, "Cause", at)
        )

    def _retriers(self, body: dict[str, Any], at: str) -> Iterator[Retrier]:
        for place, entry in self._entries(body, "Retry", at):
            errors = self._errors(entry, place)
            rate = entry.get("BackoffRate", 2.0)
            if isinstance(rate, bool) or not isinstance(rate, int | float) or rate < 1:
                self.problem(f"{place}/BackoffRate", "'BackoffRate' is a number from 1 up")
                rate = 2.0
            jitter = entry.get("JitterStrategy", "NONE")
            if jitter not in ("NONE", "FULL"):
                self.problem(f"{place}/JitterStrategy", "'JitterStrategy' is NONE or FULL")
            interval = self._whole(entry, "IntervalSeconds", place, least=1)
            attempts = self._whole(entry, "MaxAttempts", place, least=0)
            yield Retrier(
                errors,
                1 if interval is None else interval,
                3 if attempts is None else attempts,
                rate,
                self._whole(entry, "MaxDelaySeconds", place, least=1),
                jitter,
            )

    def _catchers(self, body: dict[str, Any], at: str) -> Iterator[Catcher]:
        for index, (place, entry) in enumerate(self._entries(body, "Catch", at)):
            target = self._text(entry, "Next", place, required=True) or ""
            yield Catcher(
                self._errors(entry, place),
                target,
                self._assign(entry, place, f"Catch[{index}]/Assign"),
                self._template(entry, "Output", place, f"Catch[{index}]/Output"),
            )

    def _errors(self, entry: dict[str, Any], at: str) -> tuple[str, ...]:
        errors = entry.get("ErrorEquals")
        if not isinstance(errors, list) or not errors or not all(isinstance(name, str) for name in errors):
            self.problem(f"{at}/ErrorEquals", "'ErrorEquals' is a list of at least one error name")
            return ()
        return tuple(errors)

    def _entries(
        self, body: dict[str, Any], key: str, at: str, *, required: bool = False
    ) -> Iterator[tuple[str, dict[str, Any]]]:
        entries = body.get(key, [])
        if not isinstance(entries, list) or (required and not entries):
            self.problem(f"{at}/{key}", f"'{key}' is a list{' of at least one entry' if required else ''}")
            return
        for index, entry in enumerate(entries):
            if isinstance(entry, dict):
                yield f"{at}/{key}[{index}]", entry
            else:
                self.problem(f"{at}/{key}[{index}]", f"an entry of '{key}' is a JSON object")

    def _text(self, body: Mapping[str, Any], key: str, at: str, *, required: bool = False) -> str | None:
        value = body.get(key)
        if isinstance(value, str) and value:
            return value
        if key in body:
            self.problem(f"{at}/{key}", f"'{key}' is a string that is not empty")
        elif required:
            self.problem(at, f"Missing '{key}'")
        return None

    def _whole(self, body: Mapping[str, Any], key: str, at: str, *, least: int = 1) -> int | None:
        value = body.get(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= 99999999:
            self.problem(f"{at}/{key}", f"'{key}' is a whole number from {least} to 99999999")
            return None
        return value

    def _seconds(self, body: Mapping[str, Any], key: str, at: str, *, least: int = 1) -> Template | None:
        if key in body and not isinstance(body[key], str):
            self._whole(body, key, at, least=least)
        return self._template(body, key, at)

    def _assign(self, body: Mapping[str, Any], at: str, name: str = "Assign") -> Template | None:
        if not isinstance(body.get("Assign", {}), dict):
            self.problem(f"{at}/Assign", "'Assign' is an object of variable names and values")
            return None
        return self._template(body, "Assign", at, name) if body.get("Assign") else None

    def _template(
        self, body: Mapping[str, Any], key: str, at: str, name: str | None = None
    ) -> Template | None:
        if key not in body:
            return None
        return Template(
            body[key],
            name or key,
            lambda place, error: self.problem(
                f"{at}/{place.partition('/')[2] or key}" if name else f"{at}/{place}",
                f"the JSONata expression does not parse: {error.code}: {error.message}",
                "INVALID_JSONATA_EXPRESSION",
            ),
        )


def transitions(state: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Where a state (as in its definition) can go: pairs of the place of the field in it, and the target."""
    for key in ("Next", "Default"):
        if key in state:
            yield key, state[key]
    for key in ("Choices", "Catch"):
        entries = state.get(key)
        for index, entry in enumerate(entries if isinstance(entries, list) else []):
            if isinstance(entry, dict) and "Next" in entry:
                yield f"{key}[{index}]/Next", entry["Next"]

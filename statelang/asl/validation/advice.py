"""Warnings: what AWS accepts, and somebody may regret. The first three are AWS's own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...engine.errors import ALL, DATA_LIMIT_EXCEEDED, RUNTIME
from ...jsonpath import InvalidPath, parse_query
from .findings import Body, Findings
from .states import language_of

_PATH_FIELDS = ("Seconds", "Timestamp", "TimeoutSeconds", "HeartbeatSeconds")


def give(found: Findings, definition: Body) -> None:
    """Looks through a definition that has no error in it."""
    for at, body, language in _states(definition, "", "JSONPath"):
        if language == "JSONPath":
            _forgotten_dollars(found, body, at)
        _callback(found, body, at)
        _choice(found, body, at)
        for key in ("Retry", "Catch"):
            _shadowed(found, body, key, at)


def _states(machine: Body, at: str, inherited: str) -> Iterator[tuple[str, Body, str]]:
    language = language_of(machine, inherited)
    for name, body in machine["States"].items():
        place = f"{at}/States/{name}"
        yield place, body, language_of(body, language)
        for index, branch in enumerate(body.get("Branches", [])):
            yield from _states(branch, f"{place}/Branches[{index}]", language)
        for key in ("ItemProcessor", "Iterator"):
            if key in body:
                yield from _states(body[key], f"{place}/{key}", language)


def _forgotten_dollars(found: Findings, body: Body, at: str) -> None:
    for key in ("Parameters", "ResultSelector", "ItemSelector"):
        for place, name, value in _strings(body.get(key), f"{at}/{key}"):
            if not name.endswith(".$") and _looks_like_query(value):
                found.warn(
                    "NO_DOLLAR",
                    "Field contains a value that looks like a JSONPath or intrinsic function, but its name does not end with '.$'",
                    place,
                )
    for place, name, _ in _strings(body.get("Result"), f"{at}/Result"):
        if name.endswith(".$"):
            found.warn(
                "PASS_RESULT_IS_STATIC",
                "The Result of a Pass state is taken as it is: paths in it are not evaluated",
                place,
            )
    for key in _PATH_FIELDS:
        if isinstance(body.get(key), str) and body[key].startswith("$"):
            found.warn(
                "NO_PATH", f"The value looks like a path, but the field is not '{key}Path'", f"{at}/{key}"
            )


def _strings(value: Any, at: str, name: str = "") -> Iterator[tuple[str, str, str]]:
    """Every string in data, with its place and the key that it is under."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _strings(item, f"{at}/{key}", key)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _strings(item, f"{at}[{index}]", name)
    elif isinstance(value, str):
        yield at, name, value


def _looks_like_query(text: str) -> bool:
    if not text.startswith(("$.", "$$.", "$[", "States.")):
        return False
    try:
        parse_query(text)
    except InvalidPath:
        return False
    return True


def _callback(found: Findings, body: Body, at: str) -> None:
    if not str(body.get("Resource", "")).endswith(".waitForTaskToken"):
        return
    limits = ("TimeoutSeconds", "TimeoutSecondsPath", "HeartbeatSeconds", "HeartbeatSecondsPath")
    if not any(key in body for key in limits):
        found.warn(
            "CALLBACK_WITHOUT_TIMEOUT",
            "The task waits for its token for ever when nobody answers: give it TimeoutSeconds or HeartbeatSeconds",
            at,
        )


def _choice(found: Findings, body: Body, at: str) -> None:
    if body["Type"] == "Choice" and "Default" not in body:
        found.warn(
            "CHOICE_WITHOUT_DEFAULT",
            "The execution fails with States.NoChoiceMatched when no rule matches",
            at,
        )


def _shadowed(found: Findings, body: Body, key: str, at: str) -> None:
    """Entries whose every error an earlier entry takes, and names that nothing can match."""
    taken: set[str] = set()
    for index, entry in enumerate(body.get(key, [])):
        names = set(entry["ErrorEquals"])
        if names <= taken or (("States.TaskFailed" in taken) and names <= _of_tasks(names)):
            found.warn(
                f"{key.upper()}_NEVER_MATCHES",
                "An earlier entry takes every error of this one",
                f"{at}/{key}[{index}]",
            )
        for name in sorted(names & {RUNTIME, DATA_LIMIT_EXCEEDED} if key == "Retry" else names & {RUNTIME}):
            found.warn(
                f"{key.upper()}_NEVER_MATCHES",
                f"'{name}' ends the execution: nothing {'retries' if key == 'Retry' else 'catches'} it",
                f"{at}/{key}[{index}]",
            )
        for name in sorted(
            name
            for name in names
            if name.startswith("State.") or (name.lower() == "states.all" and name != ALL)
        ):
            found.warn(
                f"{key.upper()}_NEVER_MATCHES",
                f"There is no error '{name}': did you mean 'States.{name.partition('.')[2]}'?",
                f"{at}/{key}[{index}]",
            )
        taken |= names


def _of_tasks(names: set[str]) -> set[str]:
    """Those of `names` that `States.TaskFailed` takes as well: every error of a task's own."""
    return {name for name in names if not name.startswith("States.")}

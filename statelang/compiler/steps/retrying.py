"""A task that is tried again by states: where the back-off is linear, or the checks of its answer are to be retried."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...spec.models import Retry
from .. import timing
from ..errors import ALL, CHECKS, caught, matches
from ..machine import State
from ..rewriting import braced

if TYPE_CHECKING:
    from .calls import Call


def catchers(call: Call) -> list[State]:
    """The Catch of a Task whose errors may lead to another try."""
    retry, body = call.retry, call.body
    assert retry is not None
    found: list[State] = []
    taken: set[str] = set()
    retried = (
        None if retry.on is None or ALL in retry.on else [name for name in retry.on if name not in CHECKS]
    )
    never = [name for name in retry.never if name not in CHECKS]

    def routed(only: set[str] | None) -> None:
        """Catchers of `on_error` for these names (None: all but those that are retried)."""
        for number, route in enumerate(call.step.on_error):
            names = caught(route)
            if names == [ALL] and only is not None:
                names = sorted(only - taken)
            names = [name for name in names if name not in taken and (only is None or name in only)]
            if only is None:
                names = [name for name in names if name not in (retried or [])]
            if names:
                taken.update(names)
                call.routed(number, call.id, f"Catch[{len(found)}]")
                found.append(call.catcher(names, body.target(route.next)))

    if never:
        routed(set(never))
        if rest := [name for name in never if name not in taken]:
            taken.update(rest)
            found.append(_lost(call, rest))
    again = {call.found: []}
    if retried is None:
        found.append(_with(call.catcher([ALL], body.state("again", call.id)), again))
    else:
        if names := [name for name in retried if name not in taken]:
            found.append(_with(call.catcher(names, body.state("again", call.id)), again))
        routed(None)
    return call.closed(found)


def _with(catcher: State, assign: State) -> State:
    return {**catcher, "Assign": {**catcher["Assign"], **assign}}


def _lost(call: Call, names: list[str]) -> State:
    """A catcher for errors that are fatal, and that no route takes."""
    body = call.body
    if body.uncaught(call.id) is not None:
        return {**body.catch_all(call.id)[-1], "ErrorEquals": names}
    catcher = call.catcher(names, "")
    return {**catcher, "Next": body.give_up(call.id, call.id, body.error)["Default"]}


def again(call: Call) -> None:
    """After an error: once more, or where `on_error` says, or the step fails."""
    retry, body = call.retry, call.body
    assert retry is not None
    name, back_off = body.state("again", call.id), body.state("back off", call.id)
    more = f"${call.attempt} < {retry.attempts}"
    if (deadline := body.deadline()) is not None:
        more += f" and $millis() < {deadline}"
    rules: list[State] = [{"Condition": braced(more), "Next": back_off}]
    default: State = {}
    call.retried(name, "Choices[0]")
    error = f"${body.uses_error()}"
    for number, route in enumerate(call.step.on_error):
        names = caught(route)
        if names == [ALL]:
            call.routed(number, name, "Default")
            default = {"Default": body.target(route.next)}
            break
        if names:
            call.routed(number, name, f"Choices[{len(rules)}]")
            condition = matches(names, f"{error}.Error")
            rules.append({"Condition": braced(condition), "Next": body.target(route.next)})
    default = default or body.give_up(call.id, name, body.error)
    body.add(name, call.id, "again", {"Type": "Choice", "Choices": rules, **default})
    seconds = _seconds(call, retry)
    state: State = {
        "Type": "Wait", "Seconds": timing.capped(body, seconds),
        "Assign": {call.attempt: braced(f"${call.attempt} + 1")}, "Next": call.id,
    }  # fmt: skip
    body.add(back_off, call.id, "back off", state)


def _seconds(call: Call, retry: Retry) -> int | str:
    """How long to wait after the present try: whole seconds, as ASL's Wait counts no others."""
    delay: Any = retry.delay
    if retry.backoff == "linear":
        delay = f"{retry.delay} * ${call.attempt}"
    elif retry.backoff == "exponential":
        delay = f"{retry.delay} * $power({retry.rate:g}, ${call.attempt} - 1)"
    if retry.max_delay is not None:
        delay = f"$min([{delay}, {retry.max_delay}])"
    if retry.jitter == "full":
        delay = f"$random() * ({delay})"
    if isinstance(delay, int):
        return delay
    whole = retry.jitter == "none" and (retry.backoff == "linear" or retry.rate == int(retry.rate))
    return delay if whole else f"$round({delay})"

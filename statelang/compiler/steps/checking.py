"""After an answer: on, once more, where `on_error` says, or the step fails with the violations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import ALL, CHECKS
from ..machine import State
from ..rewriting import braced

if TYPE_CHECKING:
    from .calls import Call


def check(call: Call, first: list[State] | None = None, again: list[State] | None = None) -> None:
    """The Choice `x: check`. `first` are rules before all others, `again` those for another try."""
    body, found = call.body, call.found
    name = body.state("check", call.id)
    fine = {"Condition": braced(f"$count(${found}) = 0"), "Next": body.passing(call.after, call.id)}
    rules: list[State] = [*(first or []), fine]
    if again is not None:
        rules += again
    elif call.covers_violations():
        assert call.retry is not None
        more = f"${call.attempt} < {call.retry.attempts}"
        if len(names := call.covered()) == 1:
            more += f" and ${found}[0].code = '{names[0]}'"
        call.retried(name, f"Choices[{len(rules)}]")
        rules.append({"Condition": braced(more), "Next": body.state("back off", call.id)})
    error, cause = f"${found}[0].code", _cause(call)
    default: State = {}
    for number, route in enumerate(call.step.on_error):
        caught = [name for name in CHECKS if route.match is None or {name, ALL} & set(route.match)]
        if not caught:
            continue
        call.routed(number, name, f"Choices[{len(rules)}]")
        condition = "true" if len(caught) == 2 else f"{error} = '{caught[0]}'"
        assign = {
            body.uses_error(): {"Error": braced(error), "Cause": braced(cause)},
            call.id: braced("null"),
        }
        target = body.target(route.next)
        rules.append({"Condition": braced(condition), "Assign": assign, "Next": target})
        if len(caught) == 2:
            default = {"Default": target}
            break
    if not default:
        target, assign = body.fail(call.id, "violated", error, cause)
        default = {"Default": target, **({"Assign": assign} if assign else {})}
    body.add(name, call.id, "check", {"Type": "Choice", "Choices": rules, **default})


def _cause(call: Call) -> str:
    attempt = f"${call.attempt}" if call.loop else "1"
    return (
        f"$string({{'error': ${call.found}[0].code, 'step': '{call.id}', 'attempt': {attempt},"
        f" 'violations': ${call.found}}})"
    )

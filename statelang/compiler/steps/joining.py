"""What wrapped lists come to, and where the step goes that holds them.

Every list has ended with `{ok, value: [its result] | error, saga}`: the value in an array of its own, so that an array of
arrays stays one.
"""

from __future__ import annotations

from collections.abc import Sequence

from ...spec.flow import END
from ...spec.models import AnyStep, FallibleStep, MapStep, ParallelStep
from .. import guards, saga
from ..body import Body
from ..errors import ALL, caught, matches
from ..machine import State
from ..rewriting import braced

RESULTS = "$states.result"
FAILED = f"{RESULTS}[ok = false]"


def close(body: Body) -> None:
    """The states that end a list which is wrapped, or is a round: `x: done` and `x: failed`, where something leads there."""
    leads = {target for state in body.states.values() for target in _targets(state)}
    done, failed = body.state("done"), body.state("failed")
    handed: State = {"saga": braced(f"${body.saga}")} if body.saga is not None else {}
    if done in leads:
        output: State = {
            **({"ok": True, **handed} if body.wrapped else {}),
            "value": [braced("$states.input")],
        }
        round = body.round
        if round is not None and round.until is not None:
            output["stop"] = braced(round.until)
        if round is not None and round.found is not None:
            output["found"] = braced(round.found)
        told = [text for text in (round.until, round.found) if text is not None] if round is not None else []
        known = body.names(END).known
        if body.guarded(END) and any(guards.may_raise(text, known) for text in told):
            body.guard(done, None, END, output, lambda value: {}, {"End": True}, "done")
        else:
            body.add(done, None, "done", {"Type": "Succeed", "Output": output})
        # A guard may be the first that leads to it.
        leads |= set(_targets(body.states[done]))
    if failed in leads:
        error = f"{{'Error': ${body.error}.Error, 'Cause': ${body.error}.Cause}}"
        output = {"ok": False, "error": braced(error), **handed}
        body.add(failed, None, "failed", {"Type": "Succeed", "Output": output})


def _targets(state: State) -> list[str]:
    found = [state[key] for key in ("Next", "Default") if key in state]
    for key in ("Choices", "Catch"):
        found += [each["Next"] for each in state.get(key, ())]
    return found


def adopted(
    body: Body, step: FallibleStep, lists: Sequence[Body], own: str | None, undo: bool = False
) -> State:
    """What to assign to take over the stacks of the lists. `own`: the expression for the step's result, for its own
    compensation, where nothing failed. `undo`: what failing items did is marked, as it is undone at once."""
    if body.saga is None:
        return {}
    results = RESULTS
    parts: list[str] = []
    if any(each.saga is not None for each in lists):
        if undo:
            marked = f"$map($reverse({FAILED}).saga, function($_e){{$merge([$_e, {{'undo': true}}])}})"
            good = f"$reverse({RESULTS})[ok].saga"
            parts.append(f"$sort([{marked}, {good}], function($_l, $_r){{$_l.at < $_r.at}})")
        else:
            parts.append(saga.merged(results))
    if step.compensate is not None and own is not None:
        parts.insert(0, own)
    if not parts:
        return {}
    return {body.saga: braced(f"[{', '.join([*parts, f'${body.saga}'])}]")}


def join(body: Body, step: ParallelStep | MapStep, after: str, error: str) -> None:
    """The Choice `x: join`: on where the variable `error` is null, else where `on_error` says, or the step fails."""
    name = body.state("join", step.id)
    onward = body.passing(after, step.id)
    rules: list[State] = list(undone(body, step, onward, f"${error} = null"))
    rules.append({"Condition": braced(f"${error} = null"), "Next": onward})
    default = routes(body, step, name, rules, error)
    body.add(name, step.id, "join", {"Type": "Choice", "Choices": rules, **default})


def undone(body: Body, step: AnyStep, onward: str, condition: str) -> list[State]:
    """A rule for where items failed and were tolerated: what they did is undone, then the workflow goes on."""
    unwinding = body.unwinding
    if unwinding is None or unwinding.keep is None or unwinding.then is None:
        return []
    if not body.machine.undoes_items(step):
        return []
    unwinding.after[step.id] = onward
    stack = f"${body.saga}"
    body.variables[unwinding.then] = braced("null")
    body.variables[unwinding.keep] = 0
    assign = {
        body.saga or "": braced(f"[{stack}[undo], {stack}[$not($exists(undo))]]"),
        unwinding.keep: braced(f"$count({stack}[$not($exists(undo))])"),
        unwinding.then: step.id,
    }
    met = f"{condition} and $count({stack}[undo]) > 0"
    return [{"Condition": braced(met), "Assign": assign, "Next": body.state("compensate")}]


def routes(body: Body, step: FallibleStep, name: str, rules: list[State], error: str) -> State:
    """Adds the rules of the step's `on_error` for the error in the variable; answers the Choice's default."""
    for number, route in enumerate(step.on_error):
        names = caught(route, within=True)
        target = body.target(route.next)
        assign = {body.uses_error(): braced(f"${error}"), step.id: braced("null")}
        place = f"Choices[{len(rules)}]" if names != [ALL] else "Default"
        body.machine.origins.route(step.id, number, route.match, name, place)
        if names == [ALL]:
            return {"Default": target, "Assign": assign}
        condition = matches(names, f"${error}.Error")
        rules.append({"Condition": braced(condition), "Assign": assign, "Next": target})
    return body.give_up(step.id, name, error)


def catchers(body: Body, step: FallibleStep) -> list[State]:
    """The Catch of a state that holds others. Wrapped ones fail in themselves alone, as where a result is too large."""
    found: list[State] = []
    for number, route in enumerate(step.on_error):
        names = caught(route, within=True)
        body.machine.origins.route(step.id, number, route.match, step.id, f"Catch[{len(found)}]")
        assign = {body.uses_error(): braced("$states.errorOutput")}
        found.append({"ErrorEquals": names, "Assign": assign, "Next": body.target(route.next)})
    if any(catcher["ErrorEquals"] == [ALL] for catcher in found):
        return found
    return [*found, *body.catch_all(step.id)]

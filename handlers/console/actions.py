"""What people do in the console, each under their own name, which the log keeps.

Nothing here is a way around a rule: executions are started and stopped, gates decided and aliases moved by the very
functions that the command line calls.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from ...statelang.engine import CannotFork, messages
from ..api.errors import ApiError
from ..api.front_door import call
from ..arns import StatesArn, parse_arn
from ..runtime import Runtime
from ..time_travel import forks, points, redriving
from ..versions import publishing, routing
from ..workflows import spec_text
from .api import optional, text
from .host import Console, Refusal

_MOST_INPUT = 300 * 1024


def start(console: Console, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Starts `machine` (an ARN; with `version` or `alias`, that one) with `input` (any JSON), as `name` if given."""
    by = console.actor()
    machine = text(parameters, "machine")
    version, alias = optional(parameters, "version"), optional(parameters, "alias")
    if version is None and alias is None:
        alias = _leading(console, console.runtime.workflow(machine))
    name = optional(parameters, "name", most=80) or _name()
    given = json.dumps(parameters.get("input", {}), ensure_ascii=False)
    runtime = _runtime(console, machine).on_behalf_of(by.to_json())
    workflow = runtime.workflow(machine)
    target = machine
    if version is not None:
        try:
            published = publishing.find(console.store, workflow, version)
        except publishing.NoSuchVersion as error:
            raise Refusal(404, str(error)) from None
        _check(publishing.input_violations(published, given))
        target = published.arn
    elif alias is not None:
        target = f"{machine}:{alias}"
    else:
        _check(_violations(console, machine, given))
    request = {"stateMachineArn": target, "name": name, "input": given}
    try:
        execution = call(runtime, "StartExecution", request, console.store.tenant)["executionArn"]
    except ApiError as error:
        raise Refusal(409, error.message) from None
    head = console.head(execution)
    by_arn = publishing.by_arn(console.store, workflow)
    console.started(execution, by_arn.get(head.fields.get("version", "")))
    return {"execution": execution, "name": name}


def _leading(console: Console, workflow: str) -> str | None:
    """The alias that is meant where nobody names one."""
    if console.alias is None:
        return None
    found = routing.describe(console.runtime, console.store.tenant, workflow, console.alias)
    return console.alias if found is not None and found.routing else None


def _check(found: list[str]) -> None:
    if found:
        raise Refusal(422, "the input is not as the workflow wants it", violations=found)


def _violations(console: Console, machine: str, given: str) -> list[str]:
    """What the input contract of the definition as it stands has against an input."""
    record = console.store.get("state-machine", machine)
    source = None if record is None else spec_text(console.store, record.value["definition"])
    if source is None:
        return []
    from ..workflows import check, input_violations, workflow_of

    checked = check(source.encode(), "workflow.yaml")
    return input_violations(workflow_of(checked), given) if checked.ok else []


def stop(console: Console, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Stops an execution that runs; `error` and `cause` say why."""
    by = console.actor()
    head = console.head(text(parameters, "execution"))
    if head.status != "RUNNING":
        raise Refusal(409, f"{head.name} has ended already: {head.status}")
    said = messages.stop(optional(parameters, "error", most=256), optional(parameters, "cause"), by.to_json())
    _advance(console, head.execution, said)
    return {"execution": head.execution}


def redrive(console: Console, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Goes on with an execution where it failed."""
    by = console.actor()
    head = console.head(text(parameters, "execution"))
    if head.status in ("RUNNING", "SUCCEEDED"):
        raise Refusal(409, f"{head.name} is {head.status}, so nothing is to be redriven; fork it from a step")
    try:
        redriving.redrive(console.executions, head.execution, by)
    except Exception as refused:  # of the tenant's limits, or of the execution itself
        raise Refusal(409, str(refused)) from None
    console.started(head.execution, None)
    return {"execution": head.execution}


def _advance(console: Console, execution: str, message: dict[str, Any]) -> None:
    for failure in console.executions.advance({execution: [message]}).values():
        raise Refusal(409, str(failure))


def fork(console: Console, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Begins a new execution that goes on from the `event` of another; with `input`, on another input from there."""
    by = console.actor()
    head = console.head(text(parameters, "execution"))
    at = parameters.get("event")
    if isinstance(at, bool) or not isinstance(at, int):
        raise Refusal(400, "`event` is the id of the event that the fork is to begin before")
    given = json.dumps(parameters["input"], ensure_ascii=False) if "input" in parameters else None
    name = optional(parameters, "name", most=80) or _name()
    if not re.fullmatch(r"[^\s<>{}\[\]?*\"#%\\^|~`$&,;:/\x00-\x1f\x7f-\x9f]{1,80}", name):
        raise Refusal(400, f"{name!r} is no name of an execution: letters, digits, - and _ are")
    try:
        made, point = forks.fork(
            console.runtime, console.store.tenant, head.execution, str(at), name, by, input=given,
            reason=optional(parameters, "reason"),
        )  # fmt: skip
    except (points.NoSuchPoint, CannotFork, forks.ExecutionExists, forks.NotAllowed) as refused:
        raise Refusal(409, str(refused)) from None
    console.started(made.execution, None)
    return {"execution": made.execution, "name": name, "point": point.to_json()}


def decide(console: Console, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Decides a gate: `outcome`, `comment`, `form`, and `shown`, the digest of what was looked at."""
    by = console.actor()
    gate = text(parameters, "gate", most=100)
    item = console.desk.decide(
        gate, text(parameters, "outcome", most=20), by, comment=optional(parameters, "comment"),
        form=parameters.get("form"), shown=text(parameters, "shown", most=64),
    )  # fmt: skip
    return {"gate": item.id, "answer": item.answer}


def alias(console: Console, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Moves an alias to a `version`, with `weight` percent of what is started; or approves or drops a move that waits."""
    by = console.actor()
    workflow, name = text(parameters, "workflow"), text(parameters, "alias", most=80)
    runtime, tenant = console.runtime, console.store.tenant
    what = optional(parameters, "what") or "move"
    try:
        if what == "approve":
            found = routing.approve(runtime, tenant, workflow, name, by)
        elif what == "drop":
            found = routing.drop(runtime, tenant, workflow, name)
        elif what == "move":
            weight = parameters.get("weight", 100)
            if isinstance(weight, bool) or not isinstance(weight, int):
                raise Refusal(400, "`weight` is a number of percent, from 1 to 100")
            found = routing.move(
                runtime, tenant, workflow, name, text(parameters, "version"), by, shift=routing.Shift(weight),
                reason=optional(parameters, "reason"),
            )  # fmt: skip
        else:
            raise Refusal(400, "`what` is move, approve or drop")
    except publishing.NoSuchVersion as error:
        raise Refusal(404, str(error)) from None
    except (routing.MoveRefused, ApiError) as refused:
        raise Refusal(409, str(refused)) from None
    return found.to_json()


def _name() -> str:
    return f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"


def _runtime(console: Console, machine: str) -> Runtime:
    """The runtime for the account and region that the state machine is in."""
    arn: StatesArn | None = parse_arn(machine)
    if arn is None or arn.kind != "stateMachine":
        raise Refusal(400, f"{machine[:200]!r} is no state machine's ARN")
    return console.runtime.at(arn.account, arn.region)

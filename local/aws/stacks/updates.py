"""Updates of stacks as CloudFormation makes them: what something needs comes before it, what is gone is taken away last, and
what is to be retained is not; an update that fails, or whose alarms go off, is taken back.

See the AWS CloudFormation guide, "Roll back your CloudFormation stack on alarm breach with rollback triggers".
"""

from __future__ import annotations

import contextlib
import json
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ....handlers.logs import logger

MINUTE = 60.0
"""Seconds of a minute of monitoring."""
_LOOK = 0.1
_NAMED = re.compile(r"\$\{([A-Za-z0-9]+)")


def install(parsing: Any, models: Any, responses: Any) -> None:
    """Has moto's stacks updated so."""
    _compare_as_text(parsing)
    resource_map: Any = parsing.ResourceMap
    delete = resource_map._delete_resource

    def update(self: Any, template: dict[str, Any], parameters: dict[str, Any] | None = None) -> None:
        _update(parsing, self, delete, template, parameters)

    resource_map.update = update
    change_set: Any = models.ChangeSet
    apply = change_set.apply

    def apply_or_take_back(self: Any) -> None:
        former = _Former(self.stack)
        try:
            apply(self)
        except Exception:
            if self.change_set_type == "UPDATE":
                with contextlib.suppress(Exception):
                    former.restore()
            raise
        if self.change_set_type == "UPDATE":
            self.former = former

    change_set.apply = apply_or_take_back
    response: Any = responses.CloudFormationResponse
    create, execute = response.create_change_set, response.execute_change_set

    def create_change_set(self: Any) -> Any:
        # That nothing would be changed is told by the change set's own status, and is no error.
        self._validate_different_update = lambda *given: None
        answer = create(self)
        made = self.cloudformation_backend.change_sets[answer.result["Id"]]
        made.rollback = self._get_param("RollbackConfiguration", {})
        if made.rollback:
            made.stack.rollback_configuration = made.rollback
        return answer

    def execute_change_set(self: Any) -> Any:
        named = self._get_param("ChangeSetName")
        every = list(self.cloudformation_backend.change_sets.values())
        answer = execute(self)
        executed = next(
            each
            for each in every
            if named in (each.change_set_id, each.change_set_name) and each.execution_status
        )
        _watch(executed)
        return answer

    response.create_change_set, response.execute_change_set = create_change_set, execute_change_set


def _compare_as_text(parsing: Any) -> None:
    """A parameter that is a number is the text of one where it is compared."""
    parse = parsing.parse_condition

    def parse_condition(condition: Any, resources: Any, conditions: Any) -> bool:
        if isinstance(condition, Mapping) and (pair := condition.get("Fn::Equals")) is not None:
            one, other = (parsing.clean_json(value, resources) for value in pair)
            if isinstance(one, int | float) != isinstance(other, int | float):
                return str(one).lower() == str(other).lower()
        return parse(condition, resources, conditions)

    parsing.parse_condition = parse_condition


# -- order ---------------------------------------------------------------------------------------------------


def _update(
    parsing: Any, resources: Any, delete: Callable[..., None], template: dict[str, Any], parameters: dict[str, Any] | None
) -> None:  # fmt: skip
    former = resources._resource_json_map
    changed = resources.build_resource_diff(template, parameters)
    resources._template = template
    if parameters:
        resources.input_parameters = {**resources.input_parameters, **parameters}
    resources.load_mapping()
    resources.load_parameters()
    resources.load_conditions()
    resources._resource_json_map = template["Resources"]
    added, modified, another = set(changed["Add"]), set(changed["Modify"]), set[str]()
    for name in in_order(template["Resources"]):
        resource = template["Resources"][name]
        if name in added:
            _ = resources[name]  # the map makes what it is asked for
        elif name in modified or not another.isdisjoint(_needs(resource)):
            before = _seen(resources._parsed_resources.get(name))
            made = parsing.parse_and_update_resource(
                name,
                resource,
                resources,
                account_id=resources._account_id,
                region_name=resources._region_name,
            )
            resources._parsed_resources[name] = made
            if _seen(made) != before:
                another.add(name)  # and what refers to it is made to refer to that
    gone = list(reversed([name for name in in_order(former) if name in set(changed["Remove"])]))
    for name in gone:
        parsed = resources._parsed_resources.pop(name, None)
        if parsed is not None and former[name].get("DeletionPolicy") != "Retain":
            delete(resources, parsed, former[name])


def in_order(resources: Mapping[str, Any]) -> list[str]:
    """The names of resources, each after what it needs."""
    found: dict[str, None] = {}

    def take(name: str, above: tuple[str, ...]) -> None:
        if name in found or name in above:
            return
        for needed in sorted(_needs(resources[name])):
            if needed in resources:
                take(needed, (*above, name))
        found[name] = None

    for name in resources:
        take(name, ())
    return list(found)


def _seen(resource: Any) -> tuple[Any, Any]:
    """What others see of a resource."""
    return getattr(resource, "physical_resource_id", None), dict(getattr(resource, "attributes", None) or {})


def _needs(resource: Any) -> set[str]:
    """The names that a resource refers to."""
    depends = resource.get("DependsOn", []) if isinstance(resource, Mapping) else []
    named = {depends} if isinstance(depends, str) else set(depends)
    return named | set(_references(resource))


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            if key == "Ref" and isinstance(item, str):
                yield item
            elif key == "Fn::GetAtt":
                yield item.partition(".")[0] if isinstance(item, str) else str(item[0])
            elif key == "Fn::Sub":
                text = item if isinstance(item, str) else str(item[0])
                yield from _NAMED.findall(text)
                if not isinstance(item, str):
                    yield from _references(item[1])
            else:
                yield from _references(item)
    elif isinstance(value, list):
        for item in value:
            yield from _references(item)


# -- taken back ----------------------------------------------------------------------------------------------


class _Former:
    """What a stack was."""

    def __init__(self, stack: Any):
        self._stack = stack
        self._template = stack.template
        self._whole = json.loads(json.dumps(stack.resource_map._template or {}, default=str))
        self._parameters = dict(stack.resource_map.input_parameters)
        self._parsed = dict(stack.resource_map._parsed_resources)

    def restore(self) -> None:
        stack = self._stack
        resources = stack.resource_map
        there = dict(resources._resource_json_map)
        for name, each in self._whole.get("Resources", {}).items():
            # What was to be retained is there still, and is the stack's again.
            if name not in there and name in self._parsed and each.get("DeletionPolicy") == "Retain":
                resources._parsed_resources[name], there[name] = self._parsed[name], each
        resources._resource_json_map = there
        resources.update(self._whole, self._parameters)
        stack.template, stack.template_dict = self._template, self._whole
        stack.output_map = stack._create_output_map()


def _watch(change_set: Any) -> None:
    """Watches the alarms of an update that went well, for as long as it wants; the stack is in progress meanwhile."""
    wanted, former = getattr(change_set, "rollback", None) or {}, getattr(change_set, "former", None)
    triggers = [each["Arn"] for each in wanted.get("RollbackTriggers", [])]
    stack = change_set.stack
    if former is None or not triggers or stack.status != "UPDATE_COMPLETE":
        return
    minutes = float(wanted.get("MonitoringTimeInMinutes", 0) or 0)
    if minutes:
        stack.status = "UPDATE_IN_PROGRESS"
        threading.Thread(target=_monitor, args=(stack, former, triggers, minutes), daemon=True).start()
    else:
        _monitor(stack, former, triggers, 0)


def _monitor(stack: Any, former: _Former, triggers: list[str], minutes: float) -> None:
    until = time.monotonic() + minutes * MINUTE
    while True:
        gone_off = [arn for arn in triggers if _is_in_alarm(arn)]
        if gone_off or time.monotonic() >= until or stack.status.startswith("DELETE"):
            break
        time.sleep(_LOOK)
    if not gone_off:
        stack.status = "UPDATE_COMPLETE"
        return
    reason = f"Rollback triggers breached: {', '.join(gone_off)}"
    stack._add_stack_event("UPDATE_ROLLBACK_IN_PROGRESS", resource_status_reason=reason)
    stack.status = "UPDATE_ROLLBACK_IN_PROGRESS"
    try:
        former.restore()
    except Exception as error:
        logger.error("the stack was not rolled back", stack=stack.name, reason=str(error))
        stack._add_stack_event("UPDATE_ROLLBACK_FAILED", resource_status_reason=str(error))
        stack.status = "UPDATE_ROLLBACK_FAILED"
        return
    stack._add_stack_event("UPDATE_ROLLBACK_COMPLETE")
    stack.status = "UPDATE_ROLLBACK_COMPLETE"


def _is_in_alarm(arn: str) -> bool:
    from moto.backends import get_backend

    parts = arn.split(":", 6)
    region, account, name = parts[3], parts[4], parts[6]
    alarm = get_backend("cloudwatch")[account][region].alarms.get(name)
    return alarm is not None and alarm.state_value == "ALARM"

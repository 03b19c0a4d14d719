"""An alias and its versions, and what a running execution keeps."""

from __future__ import annotations

import json
from typing import Any

from api_calls import ROLE, create, definition, refused
from endpoint import Endpoint


def test_an_alias_leads_to_its_versions_by_weight(endpoint: Endpoint, sfn: Any) -> None:
    one = definition({"Type": "Pass", "Result": 1})
    created = sfn.create_state_machine(name="m", definition=one, roleArn=ROLE, publish=True)
    machine, first = created["stateMachineArn"], created["stateMachineVersionArn"]
    two = definition({"Type": "Pass", "Result": 2})
    second = sfn.update_state_machine(stateMachineArn=machine, definition=two, publish=True)[
        "stateMachineVersionArn"
    ]
    assert (first, second) == (f"{machine}:1", f"{machine}:2")
    routing = [
        {"stateMachineVersionArn": first, "weight": 50},
        {"stateMachineVersionArn": second, "weight": 50},
    ]
    alias = sfn.create_state_machine_alias(name="live", routingConfiguration=routing)["stateMachineAliasArn"]
    started = [sfn.start_execution(stateMachineArn=alias)["executionArn"] for _ in range(40)]
    endpoint.cloud.drain()
    outputs = [sfn.describe_execution(executionArn=execution) for execution in started]
    assert {given["output"] for given in outputs} == {"1", "2"}
    assert {given["stateMachineVersionArn"] for given in outputs} == {first, second}
    assert {given["stateMachineAliasArn"] for given in outputs} == {alias}
    listed = sfn.list_executions(stateMachineArn=alias)["executions"]
    assert len(listed) == 40
    of_first = sfn.list_executions(stateMachineArn=first)["executions"]
    assert 0 < len(of_first) < 40

    code, message = refused(sfn.delete_state_machine_version, stateMachineVersionArn=first)
    assert code == "ConflictException"
    assert "live" in message
    sfn.update_state_machine_alias(
        stateMachineAliasArn=alias,
        description="all",
        routingConfiguration=[{"stateMachineVersionArn": second, "weight": 100}],
    )
    sfn.delete_state_machine_version(stateMachineVersionArn=first)
    assert sfn.describe_state_machine_alias(stateMachineAliasArn=alias)["description"] == "all"
    assert refused(sfn.start_execution, stateMachineArn=first)[0] == "StateMachineDoesNotExist"
    sfn.delete_state_machine(stateMachineArn=machine)
    assert refused(sfn.describe_state_machine_alias, stateMachineAliasArn=alias)[0] == "ResourceNotFound"


def test_a_running_execution_keeps_its_definition(endpoint: Endpoint, sfn: Any) -> None:
    machine = create(sfn, definition({"Type": "Wait", "Seconds": 10}, {"Type": "Pass", "Result": "old"}))
    execution = sfn.start_execution(stateMachineArn=machine)["executionArn"]
    sfn.update_state_machine(
        stateMachineArn=machine, definition=definition({"Type": "Pass", "Result": "new"})
    )
    endpoint.cloud.drain()
    assert sfn.describe_execution(executionArn=execution)["output"] == '"old"'
    described = sfn.describe_state_machine_for_execution(executionArn=execution)
    assert json.loads(described["definition"])["States"]["B"]["Result"] == "old"

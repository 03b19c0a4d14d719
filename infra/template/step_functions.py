"""The step-functions target: AWS's own state machines. Gates and agent steps are handed to our work handler, which keeps them
in the table; answers go to Step Functions by task token."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..plan import ARTIFACTS, WORK, Deployment, Source, functions_called, logical, machine_name
from . import alarms, functions, people, release, roles, storage
from .functions import Code, Own
from .parts import Parts, att, ref, sub
from .release import Live

_WORK_SECONDS = 30


def add(parts: Parts, deployment: Deployment, code: Code, packages: Mapping[str, str], live: Live) -> None:
    """`packages` are keys by workflow."""
    storage.add(parts, deployment)
    watched = alarms.Alarms(parts, deployment)
    versions = functions.add_users(parts, deployment, code, None)
    own: list[str] = []
    work = None
    if deployment.has_work:
        telling, told = people.telling(parts, deployment)
        kept = [roles.table(), roles.bucket(), *_answers(deployment)]
        work = functions.add_own(
            parts, deployment, code, live,
            Own(
                "Work", "stratum.handlers.work.handler", _WORK_SECONDS,
                [*kept, *told], telling,
                description="Keeps what people and agents are asked for",
            ),
        )  # fmt: skip
        watched.function("Work")
        own = ["Work", *people.add_page(parts, deployment, code, live, watched, kept, {})]
    for workflow in deployment.workflows:
        machine = _machine(parts, deployment, workflow, packages[workflow.name], versions, work, live)
        watched.machine(logical(workflow.name), machine)
    alarms.dashboard(parts, deployment, own, [])
    watched.of_release()


def _machine(
    parts: Parts, deployment: Deployment, workflow: Source, key: str, versions: Mapping[str, str], work: str | None, live: Live
) -> str:  # fmt: skip
    """Answers the state machine's logical name. Its log is its history: delivering another one to CloudWatch Logs would take a
    role that may do so everywhere."""
    base = logical(workflow.name)
    called = functions_called(workflow.definition)
    functions_of = [each.logical for each in deployment.functions_of(workflow).values()]
    bound = {name: ref(versions[name]) for name in functions_of}
    if WORK in called and work is not None:
        bound[logical(WORK)] = ref(work)
    role = roles.add(
        parts, deployment, f"{base}MachineRole", "states",
        [
            roles.allow("lambda:InvokeFunction", *(sub(arn) for arn in _callable(functions_of, called))) if bound else None,
            *roles.of_tasks(deployment.statements),
            roles.key(deployment),
        ],
    )  # fmt: skip
    machine = parts.add(
        f"{base}Machine",
        "AWS::StepFunctions::StateMachine",
        {
            "DefinitionS3Location": {"Bucket": ref(ARTIFACTS), "Key": key},
            "DefinitionSubstitutions": bound or None,
            "EncryptionConfiguration": _encryption(deployment),
            "RoleArn": att(role),
            "StateMachineName": machine_name(deployment.settings.stage, workflow.name),
            "StateMachineType": "STANDARD",
        },
    )
    mark = functions.mark_of({"key": key, "functions": bound})
    version = parts.add(
        f"{base}MachineVersion{mark}",
        "AWS::StepFunctions::StateMachineVersion",
        {"StateMachineArn": ref(machine), "StateMachineRevisionId": att(machine, "StateMachineRevisionId")},
        DeletionPolicy="Retain",
        UpdateReplacePolicy="Retain",
    )
    before = live.machines.get(workflow.name) if version not in live.resources else None
    parts.add(
        f"{base}MachineAlias",
        "AWS::StepFunctions::StateMachineAlias",
        {"Name": functions.ALIAS, "RoutingConfiguration": release.machine_routing(parts, version, before)},
    )
    parts.output(f"{base}Arn", ref(machine), f"The state machine {workflow.name}")
    return machine


def _callable(functions_of: list[str], called: Mapping[str, int | None]) -> list[str]:
    """ARNs of the functions that a state machine calls, in any version of theirs."""
    found = ["${" + name + "Function.Arn}:*" for name in functions_of]
    return [*found, "${WorkFunction.Arn}:*"] if WORK in called else found


def _answers(deployment: Deployment) -> list[dict[str, Any]]:
    """The work handler itself answers what cannot be asked: for that it needs no more than the tokens that it is handed."""
    arn = (
        "arn:${AWS::Partition}:states:${AWS::Region}:${AWS::AccountId}:stateMachine:"
        + deployment.settings.stack
        + "-*"
    )
    actions = ["states:SendTaskFailure", "states:SendTaskHeartbeat", "states:SendTaskSuccess"]
    return [roles.allow(actions, sub(arn))]


def _encryption(deployment: Deployment) -> dict[str, Any] | None:
    key = deployment.settings.kms_key
    return None if key is None else {"Type": "CUSTOMER_MANAGED_KMS_KEY", "KmsKeyId": key}

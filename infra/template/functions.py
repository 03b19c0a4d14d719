"""Functions: with a log group that forgets, a published version, and an alias where they are called by one."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ..bundle.functions import ENTRY
from ..plan import ARTIFACTS, Deployment, Function, handler_name
from . import release, roles, storage
from .parts import Parts, Value, att, ref
from .release import Live

ALIAS = "live"


@dataclass(frozen=True, slots=True)
class Code:
    """Where the archives are: keys in the bucket of artifacts; `functions` by the folder that they are of, `mcp` with the MCP
    server, where there is one."""

    engine: str
    functions: dict[str, str] = field(default_factory=dict)
    mcp: str | None = None


@dataclass(frozen=True, slots=True)
class Own:
    """A handler of ours. `timeout` in seconds, `concurrency` what is reserved: where the stage reserves at all, or `always`.
    `archive` is its code where that is not the engine's."""

    name: str
    handler: str
    timeout: int
    statements: Sequence[dict[str, Any] | None]
    environment: dict[str, Value]
    memory: int | None = None
    concurrency: int | None = None
    always: bool = False
    archive: str | None = None
    description: str = ""


def add_own(parts: Parts, deployment: Deployment, code: Code, live: Live, own: Own) -> str:
    """A handler of ours, its role and its alias. Answers the alias's logical name, whose `Ref` is its ARN."""
    settings = deployment.settings
    group = _log_group(parts, deployment, own.name, own_name(deployment, own.name))
    role = roles.add(
        parts,
        deployment,
        f"{own.name}Role",
        "lambda",
        [*own.statements, roles.logs(group), roles.key(deployment)],
    )
    properties = {
        "Architectures": [settings.architecture],
        "Code": {"S3Bucket": ref(ARTIFACTS), "S3Key": own.archive or code.engine},
        "Description": own.description,
        "Environment": {"Variables": {**_common(deployment), **own.environment}},
        "FunctionName": own_name(deployment, own.name),
        "Handler": own.handler,
        "KmsKeyArn": settings.kms_key,
        "LoggingConfig": {"LogGroup": ref(group), "LogFormat": "JSON", "ApplicationLogLevel": "INFO"},
        "MemorySize": own.memory or settings.memory,
        "ReservedConcurrentExecutions": own.concurrency if settings.reserve or own.always else None,
        "Role": att(role),
        "Runtime": f"python{settings.python}",
        "Timeout": own.timeout,
    }  # fmt: skip
    function = parts.add(f"{own.name}Function", "AWS::Lambda::Function", properties)
    version = _version(parts, own.name, function, properties)
    before = live.functions.get(own_name(deployment, own.name)) if version not in live.resources else None
    return parts.add(
        f"{own.name}Alias",
        "AWS::Lambda::Alias",
        {"FunctionName": ref(function), "Name": ALIAS, **release.alias_versions(parts, version, before)},
    )


def add_users(parts: Parts, deployment: Deployment, code: Code, results: str | None) -> dict[str, str]:
    """The users' functions; `results` is the queue that long ones send what comes of them to. Answers the logical name of
    the version of each (by the function's), whose `Ref` is its ARN."""
    if not deployment.functions:
        return {}
    groups = {
        each.logical: _log_group(parts, deployment, each.logical, each.deployed)
        for each in deployment.functions
    }
    longs = any(each.long for each in deployment.functions) and results is not None
    role = roles.add(
        parts, deployment, "TaskFunctionsRole", "lambda",
        [roles.logs(*groups.values()), roles.send(results) if longs and results else None, roles.key(deployment)],
    )  # fmt: skip
    return {
        each.logical: _add_users(parts, deployment, code, each, groups[each.logical], role, results)
        for each in deployment.functions
    }


def _add_users(
    parts: Parts,
    deployment: Deployment,
    code: Code,
    function: Function,
    group: str,
    role: str,
    results: str | None,
) -> str:
    settings = deployment.settings
    entered = function.long and results is not None
    environment = dict(settings.environment)
    if entered:
        environment["STRATUM_HANDLER"] = function.handler
    properties = {
        "Architectures": [settings.architecture],
        "Code": {"S3Bucket": ref(ARTIFACTS), "S3Key": code.functions[str(function.folder)]},
        "Description": f"The task {function.name}",
        "Environment": {"Variables": environment} if environment else None,
        "FunctionName": function.deployed,
        "Handler": f"{ENTRY}.handler" if entered else function.handler,
        "KmsKeyArn": settings.kms_key,
        "LoggingConfig": {"LogGroup": ref(group)},
        "MemorySize": settings.function_memory,
        "Role": att(role),
        "Runtime": f"python{settings.python}",
        "Timeout": function.timeout,
    }
    made = parts.add(f"{function.logical}Function", "AWS::Lambda::Function", properties)
    version = _version(parts, function.logical, made, properties)
    if entered and results is not None:
        destination = {"Destination": att(results)}
        # Trying again is the workflow's business. The versions before this one keep theirs: executions still call them.
        parts.add(
            f"{version}Results",
            "AWS::Lambda::EventInvokeConfig",
            {
                "DestinationConfig": {"OnFailure": destination, "OnSuccess": destination}, "FunctionName": ref(made),
                "MaximumRetryAttempts": 0, "Qualifier": att(version, "Version"),
            },
            DeletionPolicy="Retain", UpdateReplacePolicy="Retain",
        )  # fmt: skip
    return version


def own_name(deployment: Deployment, name: str) -> str:
    """What a handler of ours is called on Lambda."""
    return handler_name(deployment.settings.stack, name)


def _version(parts: Parts, name: str, function: str, properties: dict[str, Any]) -> str:
    """A version is made when its resource is: so that bears the digest of what it is a version of. Executions may still call
    the one before, so it stays."""
    about = {key: value for key, value in properties.items() if key != "ReservedConcurrentExecutions"}
    return parts.add(
        f"{name}Version{mark_of(about)}",
        "AWS::Lambda::Version",
        {"FunctionName": ref(function)},
        DeletionPolicy="Retain",
        UpdateReplacePolicy="Retain",
    )


def mark_of(about: Any) -> str:
    """The end of the name of a resource that is another one whenever what it is made of is."""
    return hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()[:10]


def _log_group(parts: Parts, deployment: Deployment, name: str, function: str) -> str:
    settings = deployment.settings
    return parts.add(
        f"{name}Logs",
        "AWS::Logs::LogGroup",
        {
            "KmsKeyId": settings.kms_key,
            "LogGroupName": f"/aws/lambda/{function}",
            "RetentionInDays": settings.keep_days,
        },
        DeletionPolicy="Delete",
        UpdateReplacePolicy="Delete",
    )


def _common(deployment: Deployment) -> dict[str, Value]:
    return {
        "POWERTOOLS_LOG_LEVEL": "INFO",
        "POWERTOOLS_METRICS_NAMESPACE": "Stratum",
        "POWERTOOLS_SERVICE_NAME": deployment.settings.stack,
        "STRATUM_ACCOUNT": ref("AWS::AccountId"),
        "STRATUM_STORE": storage.store_url(),
    }

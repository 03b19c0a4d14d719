"""What the tasks of workflows need to be allowed, as IAM has it: each action on what the definition itself names.

Nothing is allowed on everything. Where only the execution knows what a task touches, somebody has to say what it may
(`--allow ACTION=ARN`). See AWS's Service Authorization Reference for actions and the ARNs of resources.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_PARTS = "${AWS::Region}:${AWS::AccountId}"


@dataclass(frozen=True, slots=True)
class Statement:
    """`resources` are ARNs as `Fn::Sub` takes them."""

    actions: tuple[str, ...]
    resources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unclear:
    """An action of which nobody knows yet what it is for."""

    state: str
    action: str


_IAM_NAMES = {
    "sfn": "states",
    "cloudwatchlogs": "logs",
    "eventbridge": "events",
    "ddb": "dynamodb",
    "bedrockruntime": "bedrock",
}
"""Services whose name in a resource is another than in IAM."""
_ACTIONS = {
    ("s3", "HeadObject"): "s3:GetObject", ("s3", "ListObjectsV2"): "s3:ListBucket", ("s3", "ListObjects"): "s3:ListBucket",
    ("s3", "CopyObject"): "s3:PutObject", ("lambda", "Invoke"): "lambda:InvokeFunction",
    ("dynamodb", "TransactWriteItems"): "dynamodb:PutItem", ("events", "PutEvents"): "events:PutEvents",
    ("sqs", "SendMessageBatch"): "sqs:SendMessage",
}  # fmt: skip
"""Operations that IAM has under another name."""
_NAMED: dict[str, tuple[tuple[str, str], ...]] = {
    "dynamodb": (("TableName", f"arn:${{AWS::Partition}}:dynamodb:{_PARTS}:table/{{}}"),),
    "sns": (("TopicArn", "{}"), ("TargetArn", "{}")),
    "events": (("EventBusName", f"arn:${{AWS::Partition}}:events:{_PARTS}:event-bus/{{}}"),),
    "ssm": (("Name", f"arn:${{AWS::Partition}}:ssm:{_PARTS}:parameter/{{}}"),),
    "secretsmanager": (("SecretId", f"arn:${{AWS::Partition}}:secretsmanager:{_PARTS}:secret:{{}}-??????"),),
    "lambda": (("FunctionName", f"arn:${{AWS::Partition}}:lambda:{_PARTS}:function:{{}}"),),
    "kinesis": (("StreamName", f"arn:${{AWS::Partition}}:kinesis:{_PARTS}:stream/{{}}"),),
    "firehose": (("DeliveryStreamName", f"arn:${{AWS::Partition}}:firehose:{_PARTS}:deliverystream/{{}}"),),
    "bedrock": (("ModelId", "arn:${AWS::Partition}:bedrock:${AWS::Region}::foundation-model/{}"),),
    "states": (("StateMachineArn", "{}"),),
    "logs": (("LogGroupName", f"arn:${{AWS::Partition}}:logs:{_PARTS}:log-group:{{}}:*"),),
    "codebuild": (("ProjectName", f"arn:${{AWS::Partition}}:codebuild:{_PARTS}:project/{{}}"),),
    "glue": (("JobName", f"arn:${{AWS::Partition}}:glue:{_PARTS}:job/{{}}"),),
}  # fmt: skip
"""By service: the argument that says what is touched, and the ARN of that."""
_CHILD = re.compile(r":stateMachine:([A-Za-z0-9_-]+)")
_ARN = re.compile(r"arn:[a-z-]+:[a-z0-9-]+:[^\s]*")


def needed(
    definitions: Sequence[Mapping[str, Any]], target: str, allow: Sequence[str]
) -> tuple[list[Statement], list[Unclear]]:
    """What the tasks of the definitions need, and what nobody knows. Raises `ValueError` for an `allow` that is none."""
    given = actions_of(allow)
    asked: defaultdict[str, set[str]] = defaultdict(set)
    unclear: list[Unclear] = []
    for definition in definitions:
        for state, action, resource in _asked(definition, target):
            if resource is not None:
                asked[action].add(resource)
            elif action not in given:
                unclear.append(Unclear(state, action))
    for action, arns in given.items():
        asked[action] |= arns
    together: defaultdict[tuple[str, ...], list[str]] = defaultdict(list)
    for action, resources in sorted(asked.items()):
        together[tuple(sorted(resources))].append(action)
    return [Statement(tuple(actions), resources) for resources, actions in together.items()], unclear


def actions_of(allow: Sequence[str]) -> dict[str, set[str]]:
    """`ACTION=ARN` as they are given. Raises `ValueError`."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for text in allow:
        action, _, arn = text.partition("=")
        if not re.fullmatch(r"[a-z0-9-]+:[A-Za-z0-9]+", action) or not _ARN.fullmatch(arn):
            raise ValueError(
                f"--allow {text}: it is ACTION=ARN, without wildcards in the action, such as "
                "dynamodb:PutItem=arn:aws:dynamodb:us-east-1:123456789012:table/orders"
            )
        found[action].add(arn)
    return dict(found)


def _asked(definition: Mapping[str, Any], target: str) -> Iterator[tuple[str, str, str | None]]:
    """State, action and resource of everything that a definition's states do beside calling functions by name."""
    for name, state in definition["States"].items():
        if state["Type"] == "Task":
            yield from ((name, action, resource) for action, resource in _of_task(state, target))
        for key, action in (("ItemReader", "s3:GetObject"), ("ResultWriter", "s3:PutObject")):
            if key in state:
                yield from ((name, *each) for each in _of_map(state[key], action))
        for branch in state.get("Branches", ()):
            yield from _asked(branch, target)
        for key in ("ItemProcessor", "Iterator"):
            if key in state:
                yield from _asked(state[key], target)


def _of_task(state: Mapping[str, Any], target: str) -> Iterator[tuple[str, str | None]]:
    resource = str(state["Resource"])
    arguments = state.get("Arguments", state.get("Parameters", {}))
    arguments = arguments if isinstance(arguments, dict) else {}
    if ":lambda:" in resource and ":function:" in resource:
        yield "lambda:InvokeFunction", resource
        return
    if ":states:::" not in resource:
        return  # an activity: its workers call, and are allowed to, themselves
    service, _, action = resource.split(":states:::")[1].removeprefix("aws-sdk:").partition(":")
    call = action.partition(".")[0]
    service = _IAM_NAMES.get(service, service)
    if service == "lambda":
        name = arguments.get("FunctionName")
        if isinstance(name, str) and name.startswith("arn:"):
            yield "lambda:InvokeFunction", name
        elif not isinstance(name, str) or name.startswith("{%"):
            yield "lambda:InvokeFunction", None
        return
    if service == "states":
        yield from _nested(arguments, call, target)
        return
    if service == "http":
        yield from _http(arguments, target)
        return
    operation = call[:1].upper() + call[1:]
    for named in _names(service, operation):
        yield named, _resource(service, operation, arguments)


def _names(service: str, operation: str) -> Iterator[str]:
    yield _ACTIONS.get((service, operation), f"{service}:{operation}")


def _resource(service: str, operation: str, arguments: Mapping[str, Any]) -> str | None:
    if service == "s3":
        return _bucket(arguments, whole=operation.startswith("List"))
    if service == "sqs":
        return _queue(arguments.get("QueueUrl"))
    if service == "events" and operation == "PutEvents":
        entries = arguments.get("Entries")
        arguments = (
            entries[0] if isinstance(entries, list) and entries and isinstance(entries[0], dict) else {}
        )
        arguments = {"EventBusName": "default", **arguments}
    for name, form in _NAMED.get(service, ()):
        value = _static(arguments.get(name))
        if value is not None:
            return value if value.startswith("arn:") else form.replace("{}", value)
    return None


def _static(value: Any) -> str | None:
    """A text that is the same in every execution, or None."""
    return value if isinstance(value, str) and "{%" not in value and "${" not in value else None


def _bucket(arguments: Mapping[str, Any], *, whole: bool) -> str | None:
    bucket = _static(arguments.get("Bucket"))
    if bucket is None:
        return None
    arn = f"arn:${{AWS::Partition}}:s3:::{bucket}"
    return arn if whole else f"{arn}/{_static(arguments.get('Key')) or '*'}"


def _queue(url: Any) -> str | None:
    found = re.fullmatch(r"https://sqs\.([a-z0-9-]+)\.amazonaws\.com/(\d{12})/([\w.-]+)", _static(url) or "")
    return None if found is None else f"arn:${{AWS::Partition}}:sqs:{found[1]}:{found[2]}:{found[3]}"


def _nested(arguments: Mapping[str, Any], call: str, target: str) -> Iterator[tuple[str, str | None]]:
    """Executions started by executions: our engine's own are no business of IAM."""
    if target == "engine":
        return
    found = _CHILD.search(str(arguments.get("StateMachineArn", "")))
    machine = None if found is None else f"arn:${{AWS::Partition}}:states:{_PARTS}:stateMachine:{found[1]}"
    execution = None if found is None else f"arn:${{AWS::Partition}}:states:{_PARTS}:execution:{found[1]}:*"
    yield f"states:{call[:1].upper()}{call[1:]}", machine
    if call == "startExecution":
        yield "states:DescribeExecution", execution
        yield "states:StopExecution", execution
        rule = f"arn:${{AWS::Partition}}:events:{_PARTS}:rule/StepFunctionsGetEventsForStepFunctionsExecutionRule"
        for action in ("PutTargets", "PutRule", "DescribeRule"):
            yield f"events:{action}", rule


def _http(arguments: Mapping[str, Any], target: str) -> Iterator[tuple[str, str | None]]:
    authentication = arguments.get("Authentication")
    connection = _static(authentication.get("ConnectionArn")) if isinstance(authentication, dict) else None
    yield "events:RetrieveConnectionCredentials", connection
    secret = f"arn:${{AWS::Partition}}:secretsmanager:{_PARTS}:secret:events!connection/*"
    yield "secretsmanager:GetSecretValue", secret
    yield "secretsmanager:DescribeSecret", secret
    if target == "step-functions":
        # The state machine itself is who calls.
        yield "states:InvokeHTTPEndpoint", f"arn:${{AWS::Partition}}:states:{_PARTS}:stateMachine:stratum-*"


def _of_map(part: Mapping[str, Any], action: str) -> Iterator[tuple[str, str | None]]:
    arguments = part.get("Arguments", part.get("Parameters", {}))
    arguments = arguments if isinstance(arguments, dict) else {}
    if action == "s3:PutObject":
        bucket = _static(arguments.get("Bucket"))
        yield action, None if bucket is None else f"arn:${{AWS::Partition}}:s3:::{bucket}/*"
        return
    if "listObjects" in str(part.get("Resource", "")):
        yield "s3:ListBucket", _bucket(arguments, whole=True)
    else:
        yield action, _bucket(arguments, whole=False)

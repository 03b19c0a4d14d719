"""The intrinsic functions of CloudFormation, worked out as far as they can be without a deployment.

Resources have the names that the template gives them, or their logical ids; references and attributes are made of
those. See the AWS CloudFormation template reference, "Intrinsic functions" and each resource's "Return values".
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from .aws import ACCOUNT
from .problem import SetupError, named

_PLACEHOLDER = re.compile(r"\$\{([^!{}][^{}]*)\}")
_LITERAL = re.compile(r"\$\{!([^{}]*)\}")
NO_VALUE = object()


class Intrinsics:
    """What stands in a template, as values. `given` are values for parameters, and for what the template has not."""

    def __init__(self, data: Mapping[str, Any], region: str, given: Mapping[str, str]):
        self._data = data
        self._region = region
        self._given = given
        self._resources: Mapping[str, Any] = data["Resources"]
        self._deciding: set[str] = set()

    # -- names -------------------------------------------------------------------------------------------

    def type_of(self, body: Any) -> str:
        return str(body.get("Type", "")) if isinstance(body, Mapping) else ""

    def is_made(self, body: Mapping[str, Any]) -> bool:
        return "Condition" not in body or self._condition(body["Condition"])

    def properties(self, id: str) -> Mapping[str, Any]:
        properties = self._resources[id].get("Properties") or {}
        if not isinstance(properties, Mapping):
            raise SetupError(f"the properties of '{id}' in the template are no mapping")
        return properties

    def name(self, id: str) -> str:
        """The physical name: the one that the template gives, else the logical id."""
        service = self.type_of(self._resources[id]).split("::")
        key = _NAMES.get("::".join(service[1:]), f"{service[-1]}Name")
        given = self.properties(id).get(key)
        name = self.resolve(given) if given is not None else id
        return name if isinstance(name, str) else id

    def _reference(self, id: str) -> Any:
        """What `Ref` gives."""
        if id in _PSEUDO:
            return _PSEUDO[id](self._region)
        parameters = self._data.get("Parameters") or {}
        if id in parameters:
            if id in self._given:
                return self._given[id]
            default = parameters[id].get("Default")
            return _split_list(parameters[id], default) if default is not None else id
        if id not in self._resources:
            if id in self._given:
                return self._given[id]
            raise SetupError(f"the template refers to '{id}', and has none; {named(id, self._resources)}")
        kind = self.type_of(self._resources[id]).removeprefix("AWS::")
        name = self.name(id)
        if kind == "SQS::Queue":
            return f"https://sqs.{self._region}.amazonaws.com/{ACCOUNT}/{name}"
        if kind == "S3::Bucket":
            return name.lower() if name == id else name
        if kind in _ARN_BY_REF:
            return self._arn(id)
        return name

    def _attribute(self, id: str, attribute: str) -> str:
        """What `Fn::GetAtt` gives."""
        if id not in self._resources:
            raise SetupError(f"the template refers to '{id}', and has none; {named(id, self._resources)}")
        name = self.name(id)
        if attribute in ("Arn", "TopicArn", "ClusterArn", "FunctionArn", "StateMachineArn"):
            return self._arn(id)
        if attribute in ("Name", "QueueName", "TopicName", "TableName", "FunctionName"):
            return name
        if attribute == "QueueUrl":
            return str(self._reference(id))
        return f"{name}.{attribute}"

    def _arn(self, id: str) -> str:
        kind = self.type_of(self._resources[id]).removeprefix("AWS::")
        name = self.name(id)
        if kind == "S3::Bucket":
            return f"arn:aws:s3:::{self._reference(id)}"
        if kind in ("Lambda::Alias", "Lambda::Version"):
            function = self.resolve(self.properties(id).get("FunctionName", ""))
            base = (
                function
                if str(function).startswith("arn:")
                else self._arn_of("lambda", f"function:{function}")
            )
            return f"{base}:{name}" if kind == "Lambda::Alias" else f"{base}:1"
        service, form = _ARNS.get(kind, (kind.partition("::")[0].lower(), "{}"))
        if kind == "IAM::Role":
            return f"arn:aws:iam::{ACCOUNT}:role/{name}"
        return self._arn_of(service, form.format(name))

    def _arn_of(self, service: str, rest: str) -> str:
        return f"arn:aws:{service}:{self._region}:{ACCOUNT}:{rest}"

    # -- intrinsic functions -----------------------------------------------------------------------------

    def resolve(self, value: Any) -> Any:
        """The value with its intrinsic functions worked out."""
        if isinstance(value, Mapping):
            if len(value) == 1:
                [(name, argument)] = value.items()
                if name == "Ref" and isinstance(argument, str):
                    return self._reference(argument)
                if (
                    name == "Condition"
                    and isinstance(argument, str)
                    and argument in (self._data.get("Conditions") or {})
                ):
                    return self._condition(argument)
                if isinstance(name, str) and name.startswith("Fn::"):
                    return self._intrinsic(name.removeprefix("Fn::"), argument)
            resolved = {key: self.resolve(item) for key, item in value.items()}
            return {key: item for key, item in resolved.items() if item is not NO_VALUE}
        if isinstance(value, list):
            return [item for item in map(self.resolve, value) if item is not NO_VALUE]
        return value

    def _intrinsic(self, name: str, argument: Any) -> Any:
        function = getattr(self, f"_fn_{name.replace('::', '_').lower()}", None)
        if function is None:
            raise SetupError(f"the template uses Fn::{name}, which cannot be worked out without a deployment")
        try:
            return function(argument)
        except (TypeError, ValueError, KeyError, IndexError, AttributeError) as error:
            raise SetupError(f"the template's Fn::{name} has wrong arguments: {error}") from None

    def _fn_join(self, argument: Any) -> str:
        separator, parts = argument
        return separator.join(text_of(part) for part in self.resolve(parts))

    def _fn_sub(self, argument: Any) -> str:
        text, values = (
            (argument, {}) if isinstance(argument, str) else (argument[0], self.resolve(argument[1]))
        )

        def put(found: re.Match[str]) -> str:
            name = found[1].strip()
            if name in values:
                return text_of(values[name])
            if "." in name and name.partition(".")[0] in self._resources:
                return text_of(self._attribute(*name.split(".", 1)))
            return text_of(self._reference(name))

        return _LITERAL.sub(r"${\1}", _PLACEHOLDER.sub(put, text))

    def _fn_getatt(self, argument: Any) -> str:
        id, attribute = argument.split(".", 1) if isinstance(argument, str) else argument
        return self._attribute(id, text_of(self.resolve(attribute)))

    def _fn_select(self, argument: Any) -> Any:
        index, items = self.resolve(argument)
        return items[int(index)]

    def _fn_split(self, argument: Any) -> list[str]:
        separator, text = self.resolve(argument)
        return text.split(separator)

    def _fn_base64(self, argument: Any) -> str:
        return base64.b64encode(text_of(self.resolve(argument)).encode()).decode()

    def _fn_findinmap(self, argument: Any) -> Any:
        name, first, second = self.resolve(argument)[:3]
        return self._data["Mappings"][name][first][second]

    def _fn_importvalue(self, argument: Any) -> str:
        name = text_of(self.resolve(argument))
        return self._given.get(name, name)

    def _fn_getazs(self, argument: Any) -> list[str]:
        return [f"{self._region}{zone}" for zone in "abc"]

    def _fn_tojsonstring(self, argument: Any) -> str:
        return json.dumps(self.resolve(argument))

    def _fn_length(self, argument: Any) -> int:
        return len(self.resolve(argument))

    def _fn_if(self, argument: Any) -> Any:
        name, yes, no = argument
        return self.resolve(yes if self._condition(name) else no)

    def _fn_equals(self, argument: Any) -> bool:
        first, second = self.resolve(argument)
        return text_of(first) == text_of(second)

    def _fn_not(self, argument: Any) -> bool:
        return not self.resolve(argument)[0]

    def _fn_and(self, argument: Any) -> bool:
        return all(self.resolve(argument))

    def _fn_or(self, argument: Any) -> bool:
        return any(self.resolve(argument))

    def _condition(self, name: Any) -> bool:
        conditions = self._data.get("Conditions") or {}
        if name not in conditions:
            raise SetupError(f"the template has no condition '{name}'; {named(str(name), conditions)}")
        if name in self._deciding:
            raise SetupError(f"the template's condition '{name}' refers to itself")
        self._deciding.add(name)
        try:
            return bool(self.resolve(conditions[name]))
        finally:
            self._deciding.discard(name)


_NAMES = {
    "Serverless::StateMachine": "Name",
    "StepFunctions::Activity": "Name",
    "Events::EventBus": "Name",
    "Lambda::Alias": "Name",
    "Serverless::SimpleTable": "TableName",
    "Batch::JobQueue": "JobQueueName",
    "Glue::Job": "Name",
}
_ARN_BY_REF = {
    "StepFunctions::StateMachine", "Serverless::StateMachine", "StepFunctions::Activity", "SNS::Topic", "Lambda::Alias",
    "Lambda::Version", "ECS::TaskDefinition", "Batch::JobQueue", "Batch::JobDefinition", "SecretsManager::Secret",
}  # fmt: skip
_ARNS = {
    "Lambda::Function": ("lambda", "function:{}"),
    "Serverless::Function": ("lambda", "function:{}"),
    "StepFunctions::StateMachine": ("states", "stateMachine:{}"),
    "Serverless::StateMachine": ("states", "stateMachine:{}"),
    "StepFunctions::Activity": ("states", "activity:{}"),
    "DynamoDB::Table": ("dynamodb", "table/{}"),
    "Serverless::SimpleTable": ("dynamodb", "table/{}"),
    "Events::EventBus": ("events", "event-bus/{}"),
    "Events::Connection": ("events", "connection/{}"),
    "ECS::Cluster": ("ecs", "cluster/{}"),
    "ECS::TaskDefinition": ("ecs", "task-definition/{}:1"),
    "Batch::JobQueue": ("batch", "job-queue/{}"),
    "Batch::JobDefinition": ("batch", "job-definition/{}:1"),
    "KMS::Key": ("kms", "key/{}"),
    "Logs::LogGroup": ("logs", "log-group:{}:*"),
    "SecretsManager::Secret": ("secretsmanager", "secret:{}"),
}
_PSEUDO: dict[str, Any] = {
    "AWS::Region": lambda region: region,
    "AWS::AccountId": lambda region: ACCOUNT,
    "AWS::Partition": lambda region: "aws",
    "AWS::URLSuffix": lambda region: "amazonaws.com",
    "AWS::StackName": lambda region: "stack",
    "AWS::StackId": lambda region: f"arn:aws:cloudformation:{region}:{ACCOUNT}:stack/stack/0",
    "AWS::NotificationARNs": lambda region: [],
    "AWS::NoValue": lambda region: NO_VALUE,
}


def _split_list(parameter: Mapping[str, Any], default: Any) -> Any:
    kind = str(parameter.get("Type", ""))
    if (kind == "CommaDelimitedList" or kind.startswith("List<")) and isinstance(default, str):
        return [item.strip() for item in default.split(",")]
    return default


def text_of(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ",".join(map(text_of, value))
    return str(value)

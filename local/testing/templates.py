"""State machines within CloudFormation templates: those that CDK makes, SAM's, and ones written by hand.

What a template says by intrinsic functions is worked out as far as it can be without a deployment: resources have
the names that the template gives them, or their logical ids. See the AWS CloudFormation template reference and the AWS
SAM specification.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .aws import ACCOUNT
from .problem import SetupError, named

_MACHINES = ("AWS::StepFunctions::StateMachine", "AWS::Serverless::StateMachine")
_FUNCTIONS = ("AWS::Lambda::Function", "AWS::Serverless::Function")
_PLACEHOLDER = re.compile(r"\$\{([^!{}][^{}]*)\}")
_LITERAL = re.compile(r"\$\{!([^{}]*)\}")
NO_VALUE = object()


@dataclass(frozen=True, slots=True)
class TemplateFunction:
    """A Lambda function of a template: its handler `module.attribute` in `folder`, or in `code` where that is inline."""

    name: str
    handler: str
    runtime: str
    folder: Path | None = None
    code: str | None = None
    environ: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TemplateMachine:
    """A state machine of a template; `definition` is its text."""

    id: str
    name: str
    definition: str
    express: bool
    file: Path | None = None


def is_template(data: Any) -> bool:
    return isinstance(data, Mapping) and isinstance(data.get("Resources"), Mapping) and "StartAt" not in data


def read_template(content: bytes, name: str) -> Any:
    """The data of a template in YAML or JSON, with the short forms of intrinsic functions written out, or None."""
    from ...statelang.spec import read_source

    source, findings = read_source(content, name)
    root = source.nodes.get(())
    if root is None or any(finding.code not in ("S106", "S203") for finding in findings):
        return None
    return _data(root)


def _data(node: Any) -> Any:
    import yaml

    if isinstance(node, yaml.MappingNode):
        value: Any = {str(key.value): _data(item) for key, item in node.value}
    elif isinstance(node, yaml.SequenceNode):
        value = [_data(item) for item in node.value]
    else:
        return _scalar(node)
    return _long_form(node.tag, value)


def _scalar(node: Any) -> Any:
    kind, text = node.tag.rpartition(":")[2], node.value
    if node.tag.startswith("!"):
        return _long_form(node.tag, text)
    if kind == "null":
        return None
    if kind == "bool":
        return text.lower() == "true"
    if kind in ("int", "float"):
        try:
            return int(text, 0) if kind == "int" and text[:2] in ("0x", "0o") else json.loads(text)
        except ValueError:
            return text
    return text


def _long_form(tag: str, value: Any) -> Any:
    if not tag.startswith("!"):
        return value
    name = tag[1:]
    if name in ("Ref", "Condition"):
        return {name: value}
    if name == "GetAtt" and isinstance(value, str):
        return {"Fn::GetAtt": value.split(".", 1)}
    return {f"Fn::{name}": value}


class Template:
    """A template that can be asked for its state machines and functions.

    `folder` is where its local files are; `parameters` are for parameters without a default, and `substitutions` for
    placeholders of definitions that the template says nothing of.
    """

    def __init__(
        self,
        data: Mapping[str, Any],
        *,
        folder: Path | None,
        region: str,
        substitutions: Mapping[str, str] | None = None,
    ):
        self._data = data
        self._folder = folder
        self._region = region
        self._given = dict(substitutions or {})
        self._resources: Mapping[str, Any] = data["Resources"]
        self._deciding: set[str] = set()

    # -- what is in it -----------------------------------------------------------------------------------

    def machines(self) -> list[str]:
        """The logical ids of its state machines."""
        return [
            id
            for id, body in self._resources.items()
            if self._type(body) in _MACHINES and self._is_made(body)
        ]

    def machine(self, wanted: str | None) -> TemplateMachine:
        """The state machine by logical id or name; the only one where none is named. Raises `SetupError`."""
        there = self.machines()
        if wanted is None:
            if len(there) != 1:
                names = ", ".join(there) or "none"
                raise SetupError(
                    f"the template has {len(there)} state machines; state_machine= says which: {names}"
                )
            return self._machine(there[0])
        for id in there:
            if wanted == id or wanted == self._name(id) or _without_hash(id) == wanted:
                return self._machine(id)
        raise SetupError(f"the template has no state machine '{wanted}'; {named(wanted, there)}")

    def functions(self) -> dict[str, TemplateFunction]:
        """Its Lambda functions by name."""
        found = [self._function(id) for id, body in self._resources.items() if self._type(body) in _FUNCTIONS]
        return {function.name: function for function in found}

    def _machine(self, id: str) -> TemplateMachine:
        properties = self._properties(id)
        kind = self.resolve(properties.get("StateMachineType") or properties.get("Type") or "STANDARD")
        file: Path | None = None
        if "DefinitionString" in properties:
            text = self.resolve(properties["DefinitionString"])
        elif "Definition" in properties:
            text = self.resolve(properties["Definition"])
        elif "DefinitionUri" in properties:
            file = self._local(id, "DefinitionUri", self.resolve(properties["DefinitionUri"]))
            text = _read(file)
        elif "DefinitionS3Location" in properties:
            place = self.resolve(properties["DefinitionS3Location"])
            file = self._asset(id, str(place.get("Key", "")) if isinstance(place, dict) else "")
            text = _read(file)
        else:
            raise SetupError(f"the state machine '{id}' of the template has no definition")
        if not isinstance(text, str):
            text = json.dumps(text)
        given = self.resolve(properties.get("DefinitionSubstitutions") or {})
        values = {str(name): _text(value) for name, value in given.items()} | self._given
        text = re.sub(r"\$\{([A-Za-z0-9_]+)\}", lambda found: _escaped(values.get(found[1], found[0])), text)
        return TemplateMachine(id, self._name(id), text, str(kind).upper() == "EXPRESS", file)

    def _function(self, id: str) -> TemplateFunction:
        body = self._resources[id]
        shared = self._data.get("Globals", {}).get("Function", {}) if self._is_serverless(body) else {}
        properties = {**shared, **self._properties(id)}
        variables = {
            **self._variables(shared),
            **self._variables(self._properties(id)),
        }
        code = self.resolve(properties.get("Code", {}))
        inline = self.resolve(properties.get("InlineCode")) if "InlineCode" in properties else None
        if isinstance(code, dict) and "ZipFile" in code:
            inline = code["ZipFile"]
        folder = None if inline is not None else self._code_folder(body, properties, code)
        handler = self.resolve(properties.get("Handler", ""))
        runtime = self.resolve(properties.get("Runtime", ""))
        return TemplateFunction(self._name(id), _text(handler), _text(runtime), folder, inline, variables)

    def _variables(self, properties: Mapping[str, Any]) -> dict[str, str]:
        environment = self.resolve(properties.get("Environment") or {})
        variables = environment.get("Variables") if isinstance(environment, dict) else None
        return {str(name): _text(value) for name, value in (variables or {}).items()}

    def _code_folder(self, body: Mapping[str, Any], properties: Mapping[str, Any], code: Any) -> Path | None:
        """The folder on this machine that the function's code is in, where the template says so."""
        if self._folder is None:
            return None
        metadata = body.get("Metadata") or {}
        path = metadata.get("aws:asset:path") or self.resolve(properties.get("CodeUri"))
        if path is None and isinstance(code, str):
            path = code
        if path is None and isinstance(code, dict) and isinstance(code.get("S3Key"), str):
            path = f"asset.{code['S3Key'].removesuffix('.zip')}"
        if not isinstance(path, str):
            return None
        folder = self._folder / path
        return folder if folder.is_dir() else None

    # -- names -------------------------------------------------------------------------------------------

    def _type(self, body: Any) -> str:
        return str(body.get("Type", "")) if isinstance(body, Mapping) else ""

    def _is_serverless(self, body: Any) -> bool:
        return self._type(body).startswith("AWS::Serverless::")

    def _is_made(self, body: Mapping[str, Any]) -> bool:
        return "Condition" not in body or self._condition(body["Condition"])

    def _properties(self, id: str) -> Mapping[str, Any]:
        properties = self._resources[id].get("Properties") or {}
        if not isinstance(properties, Mapping):
            raise SetupError(f"the properties of '{id}' in the template are no mapping")
        return properties

    def _name(self, id: str) -> str:
        """The physical name: the one that the template gives, else the logical id."""
        service = self._type(self._resources[id]).split("::")
        key = _NAMES.get("::".join(service[1:]), f"{service[-1]}Name")
        given = self._properties(id).get(key)
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
        kind = self._type(self._resources[id]).removeprefix("AWS::")
        name = self._name(id)
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
        name = self._name(id)
        if attribute in ("Arn", "TopicArn", "ClusterArn", "FunctionArn", "StateMachineArn"):
            return self._arn(id)
        if attribute in ("Name", "QueueName", "TopicName", "TableName", "FunctionName"):
            return name
        if attribute == "QueueUrl":
            return str(self._reference(id))
        return f"{name}.{attribute}"

    def _arn(self, id: str) -> str:
        kind = self._type(self._resources[id]).removeprefix("AWS::")
        name = self._name(id)
        if kind == "S3::Bucket":
            return f"arn:aws:s3:::{self._reference(id)}"
        if kind in ("Lambda::Alias", "Lambda::Version"):
            function = self.resolve(self._properties(id).get("FunctionName", ""))
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
        return separator.join(_text(part) for part in self.resolve(parts))

    def _fn_sub(self, argument: Any) -> str:
        text, values = (
            (argument, {}) if isinstance(argument, str) else (argument[0], self.resolve(argument[1]))
        )

        def put(found: re.Match[str]) -> str:
            name = found[1].strip()
            if name in values:
                return _text(values[name])
            if "." in name and name.partition(".")[0] in self._resources:
                return _text(self._attribute(*name.split(".", 1)))
            return _text(self._reference(name))

        return _LITERAL.sub(r"${\1}", _PLACEHOLDER.sub(put, text))

    def _fn_getatt(self, argument: Any) -> str:
        id, attribute = argument.split(".", 1) if isinstance(argument, str) else argument
        return self._attribute(id, _text(self.resolve(attribute)))

    def _fn_select(self, argument: Any) -> Any:
        index, items = self.resolve(argument)
        return items[int(index)]

    def _fn_split(self, argument: Any) -> list[str]:
        separator, text = self.resolve(argument)
        return text.split(separator)

    def _fn_base64(self, argument: Any) -> str:
        return base64.b64encode(_text(self.resolve(argument)).encode()).decode()

    def _fn_findinmap(self, argument: Any) -> Any:
        name, first, second = self.resolve(argument)[:3]
        return self._data["Mappings"][name][first][second]

    def _fn_importvalue(self, argument: Any) -> str:
        name = _text(self.resolve(argument))
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
        return _text(first) == _text(second)

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

    # -- files -------------------------------------------------------------------------------------------

    def _local(self, id: str, key: str, value: Any) -> Path:
        if not isinstance(value, str) or "://" in value:
            raise SetupError(
                f"{key} of '{id}' is in S3, and not on this machine: give the definition's own file"
            )
        if self._folder is None:
            raise SetupError(
                f"{key} of '{id}' is the file {value}: give the template as a file, so that it is found"
            )
        return self._folder / value

    def _asset(self, id: str, key: str) -> Path:
        """CDK's file for what it would put into a bucket under that key."""
        if self._folder is not None:
            for name in (f"asset.{key}", key):
                if (self._folder / name).is_file():
                    return self._folder / name
        raise SetupError(
            f"the definition of '{id}' is in S3 under '{key}', and no asset beside the template has it"
        )


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


def _without_hash(id: str) -> str:
    """A logical id of CDK's without the eight characters that it puts behind."""
    return re.sub(r"(?<=.)[0-9A-F]{8}$", "", id)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ",".join(map(_text, value))
    return str(value)


def _escaped(value: str) -> str:
    """A value as it stands within a JSON text."""
    return json.dumps(value, ensure_ascii=False)[1:-1] if not _PLACEHOLDER.fullmatch(value) else value


def _read(file: Path) -> str:
    from ..cli.files import read_bytes
    from ..cli.problem import WrongRequest

    try:
        return read_bytes(file).decode("utf-8-sig")
    except WrongRequest as problem:
        raise SetupError(str(problem)) from None
    except UnicodeDecodeError:
        raise SetupError(f"{file} is not UTF-8 text") from None

"""State machines within CloudFormation templates: those that CDK makes, SAM's, and ones written by hand.

What a template says by intrinsic functions is worked out as far as it can be without a deployment: resources have
the names that the template gives them, or their logical ids. See the AWS CloudFormation template reference and the AWS
SAM specification.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .intrinsics import Intrinsics, text_of
from .problem import SetupError, named

_MACHINES = ("AWS::StepFunctions::StateMachine", "AWS::Serverless::StateMachine")
_FUNCTIONS = ("AWS::Lambda::Function", "AWS::Serverless::Function")
_PLACEHOLDER = re.compile(r"\$\{[^!{}][^{}]*\}")


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

    if content.lstrip()[:1] == b"{":  # as CDK writes them: large, and without short forms
        try:
            return json.loads(content)
        except (ValueError, RecursionError):
            pass
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
        self._given = dict(substitutions or {})
        self._resources: Mapping[str, Any] = data["Resources"]
        self._values = Intrinsics(data, region, self._given)

    # -- what is in it -----------------------------------------------------------------------------------

    def machines(self) -> list[str]:
        """The logical ids of its state machines."""
        return [
            id
            for id, body in self._resources.items()
            if self._values.type_of(body) in _MACHINES and self._values.is_made(body)
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
            if wanted == id or wanted == self._values.name(id) or _without_hash(id) == wanted:
                return self._machine(id)
        raise SetupError(f"the template has no state machine '{wanted}'; {named(wanted, there)}")

    def functions(self) -> dict[str, TemplateFunction]:
        """Its Lambda functions by name."""
        found = [
            self._function(id)
            for id, body in self._resources.items()
            if self._values.type_of(body) in _FUNCTIONS
        ]
        return {function.name: function for function in found}

    def _machine(self, id: str) -> TemplateMachine:
        properties = self._values.properties(id)
        kind = self._values.resolve(
            properties.get("StateMachineType") or properties.get("Type") or "STANDARD"
        )
        file: Path | None = None
        if "DefinitionString" in properties:
            text = self._values.resolve(properties["DefinitionString"])
        elif "Definition" in properties:
            text = self._values.resolve(properties["Definition"])
        elif "DefinitionUri" in properties:
            file = self._local(id, "DefinitionUri", self._values.resolve(properties["DefinitionUri"]))
            text = _read(file)
        elif "DefinitionS3Location" in properties:
            place = self._values.resolve(properties["DefinitionS3Location"])
            file = self._asset(id, str(place.get("Key", "")) if isinstance(place, dict) else "")
            text = _read(file)
        else:
            raise SetupError(f"the state machine '{id}' of the template has no definition")
        if not isinstance(text, str):
            text = json.dumps(text)
        given = self._values.resolve(properties.get("DefinitionSubstitutions") or {})
        values = {str(name): text_of(value) for name, value in given.items()} | self._given
        text = re.sub(r"\$\{([A-Za-z0-9_]+)\}", lambda found: _escaped(values.get(found[1], found[0])), text)
        return TemplateMachine(id, self._values.name(id), text, str(kind).upper() == "EXPRESS", file)

    def _function(self, id: str) -> TemplateFunction:
        body = self._resources[id]
        shared = (
            self._data.get("Globals", {}).get("Function", {})
            if self._values.type_of(body).startswith("AWS::Serverless::")
            else {}
        )
        properties = {**shared, **self._values.properties(id)}
        variables = {
            **self._variables(shared),
            **self._variables(self._values.properties(id)),
        }
        code = self._values.resolve(properties.get("Code", {}))
        inline = self._values.resolve(properties.get("InlineCode")) if "InlineCode" in properties else None
        if isinstance(code, dict) and "ZipFile" in code:
            inline = code["ZipFile"]
        folder = None if inline is not None else self._code_folder(body, properties, code)
        handler = self._values.resolve(properties.get("Handler", ""))
        runtime = self._values.resolve(properties.get("Runtime", ""))
        return TemplateFunction(
            self._values.name(id), text_of(handler), text_of(runtime), folder, inline, variables
        )

    def _variables(self, properties: Mapping[str, Any]) -> dict[str, str]:
        environment = self._values.resolve(properties.get("Environment") or {})
        variables = environment.get("Variables") if isinstance(environment, dict) else None
        return {str(name): text_of(value) for name, value in (variables or {}).items()}

    def _code_folder(self, body: Mapping[str, Any], properties: Mapping[str, Any], code: Any) -> Path | None:
        """The folder on this machine that the function's code is in, where the template says so."""
        if self._folder is None:
            return None
        metadata = body.get("Metadata") or {}
        path = metadata.get("aws:asset:path") or self._values.resolve(properties.get("CodeUri"))
        if path is None and isinstance(code, str):
            path = code
        if path is None and isinstance(code, dict) and isinstance(code.get("S3Key"), str):
            path = f"asset.{code['S3Key'].removesuffix('.zip')}"
        if not isinstance(path, str):
            return None
        folder = self._folder / path
        return folder if folder.is_dir() else None

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


def _without_hash(id: str) -> str:
    """A logical id of CDK's without the eight characters that it puts behind."""
    return re.sub(r"(?<=.)[0-9A-F]{8}$", "", id)


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

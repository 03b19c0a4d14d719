"""What templates are written with: references, and the parts of one as it is put together."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Value = Any
"""JSON data of a template."""


def ref(name: str) -> Value:
    return {"Ref": name}


def att(name: str, attribute: str = "Arn") -> Value:
    return {"Fn::GetAtt": [name, attribute]}


def sub(text: str) -> Value:
    """Text with `${…}` in it."""
    return {"Fn::Sub": text}


def if_(condition: str, yes: Value, no: Value) -> Value:
    return {"Fn::If": [condition, yes, no]}


NO_VALUE = {"Ref": "AWS::NoValue"}


@dataclass(slots=True)
class Parts:
    """A template while it is made."""

    resources: dict[str, Any] = field(default_factory=dict)
    outputs: dict[str, Any] = field(default_factory=dict)
    parameters: dict[str, Any] = field(default_factory=dict)
    conditions: dict[str, Any] = field(default_factory=dict)

    def add(self, name: str, type: str, properties: dict[str, Any], **more: Any) -> str:
        """A resource; properties that are None are left out. Answers its name."""
        if name in self.resources:
            raise ValueError(f"the template has two resources called {name}")
        given = {key: value for key, value in properties.items() if value is not None}
        self.resources[name] = {"Type": type, **more, "Properties": given}
        return name

    def output(self, name: str, value: Value, description: str) -> None:
        self.outputs[name] = {"Description": description, "Value": value}

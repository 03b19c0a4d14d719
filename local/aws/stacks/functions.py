"""Lambda in stacks: functions and what belongs to them."""

from __future__ import annotations

import io
import zipfile
from typing import Any

from ....handlers.functions import function_name
from .resource import Made, Place, Properties, StackResource


class Function(StackResource):
    type = "AWS::Lambda::Function"
    name_property = "FunctionName"
    _CONFIGURATION = (
        "Handler", "Role", "Runtime", "Description", "MemorySize", "Timeout", "VpcConfig", "Environment", "Layers",
        "EphemeralStorage", "TracingConfig", "DeadLetterConfig", "KMSKeyArn", "LoggingConfig",
    )  # fmt: skip

    @classmethod
    def make(cls, place: Place, name: str, properties: Properties) -> Made:
        fields = cls._configuration(properties)
        for extra in ("Architectures", "PackageType"):
            if extra in properties:
                fields[extra] = properties[extra]
        tags = {tag["Key"]: tag["Value"] for tag in properties.get("Tags", [])}
        made = place("lambda").create_function(
            FunctionName=name, Code=cls._code(properties), Tags=tags, **fields
        )
        if "ReservedConcurrentExecutions" in properties:
            place("lambda").put_function_concurrency(
                FunctionName=name,
                ReservedConcurrentExecutions=int(properties["ReservedConcurrentExecutions"]),
            )
        return name, {"Arn": made["FunctionArn"]}

    @classmethod
    def change(cls, place: Place, id: str, properties: Properties) -> Made | None:
        if properties.get("FunctionName", id) != id:
            return None
        place("lambda").update_function_code(FunctionName=id, **cls._code(properties))
        made = place("lambda").update_function_configuration(
            FunctionName=id, **cls._configuration(properties)
        )
        return id, {"Arn": made["FunctionArn"].removesuffix(":$LATEST")}

    @classmethod
    def drop(cls, place: Place, id: str, properties: Properties) -> None:
        place("lambda").delete_function(FunctionName=id)

    @classmethod
    def _configuration(cls, properties: Properties) -> dict[str, Any]:
        fields = {name: properties[name] for name in cls._CONFIGURATION if name in properties}
        for name in ("MemorySize", "Timeout"):
            if name in fields:
                fields[name] = int(fields[name])
        variables = fields.get("Environment", {}).get("Variables")
        if variables:
            fields["Environment"] = {"Variables": {name: str(value) for name, value in variables.items()}}
        return fields

    @classmethod
    def _code(cls, properties: Properties) -> dict[str, Any]:
        code = dict(properties.get("Code") or {})
        if "ZipFile" in code:
            code["ZipFile"] = _inline(code["ZipFile"], str(properties.get("Runtime", "")))
        return code


class Alias(StackResource):
    type = "AWS::Lambda::Alias"

    @classmethod
    def make(cls, place: Place, name: str, properties: Properties) -> Made:
        made = place("lambda").create_alias(**cls._fields(properties))
        return made["AliasArn"], {"AliasArn": made["AliasArn"]}

    @classmethod
    def change(cls, place: Place, id: str, properties: Properties) -> Made | None:
        place("lambda").update_alias(**cls._fields(properties))
        return id, {"AliasArn": id}

    @classmethod
    def drop(cls, place: Place, id: str, properties: Properties) -> None:
        function, _, name = id.rpartition(":")
        place("lambda").delete_alias(FunctionName=function, Name=name)

    @classmethod
    def _fields(cls, properties: Properties) -> dict[str, Any]:
        names = ("FunctionName", "FunctionVersion", "Name", "Description")
        fields: dict[str, Any] = {name: str(properties[name]) for name in names if name in properties}
        shares = properties.get("RoutingConfig", {}).get("AdditionalVersionWeights", [])
        fields["RoutingConfig"] = {
            "AdditionalVersionWeights": {
                str(each["FunctionVersion"]): float(each["FunctionWeight"]) for each in shares
            }
        }
        return fields


class EventInvokeConfig(StackResource):
    type = "AWS::Lambda::EventInvokeConfig"

    @classmethod
    def make(cls, place: Place, name: str, properties: Properties) -> Made:
        fields = {
            key: properties[key]
            for key in ("FunctionName", "Qualifier", "DestinationConfig")
            if key in properties
        }
        for key in ("MaximumRetryAttempts", "MaximumEventAgeInSeconds"):
            if key in properties:
                fields[key] = int(properties[key])
        place("lambda").put_function_event_invoke_config(**fields)
        return name, {}

    @classmethod
    def change(cls, place: Place, id: str, properties: Properties) -> Made | None:
        return cls.make(place, id, properties)

    @classmethod
    def drop(cls, place: Place, id: str, properties: Properties) -> None:
        if "FunctionName" in properties:
            place("lambda").delete_function_event_invoke_config(FunctionName=properties["FunctionName"])


def _inline(code: str, runtime: str) -> bytes:
    """The archive of code that stands in the template itself."""
    if not runtime.startswith("nodejs"):
        from moto.awslambda.models import LambdaFunction

        # moto adds the module `cfnresponse`, as CloudFormation does.
        return LambdaFunction._create_zipfile_from_plaintext_code(code)
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("index.js", code)
    return content.getvalue()


class Url(StackResource):
    """moto has one URL for a function, whatever the qualifier: it reaches `$LATEST`."""

    type = "AWS::Lambda::Url"

    @classmethod
    def make(cls, place: Place, name: str, properties: Properties) -> Made:
        given = {key: properties[key] for key in ("AuthType", "Cors", "InvokeMode") if key in properties}
        made = place("lambda").create_function_url_config(
            FunctionName=function_name(properties["TargetFunctionArn"]), **given
        )
        return made["FunctionArn"], {"FunctionArn": made["FunctionArn"], "FunctionUrl": made["FunctionUrl"]}

    @classmethod
    def change(cls, place: Place, id: str, properties: Properties) -> Made | None:
        given = {key: properties[key] for key in ("AuthType", "Cors", "InvokeMode") if key in properties}
        made = place("lambda").update_function_url_config(FunctionName=id, **given)
        return id, {"FunctionArn": made["FunctionArn"], "FunctionUrl": made["FunctionUrl"]}

    @classmethod
    def drop(cls, place: Place, id: str, properties: Properties) -> None:
        place("lambda").delete_function_url_config(FunctionName=id)


class Version(StackResource):
    type = "AWS::Lambda::Version"

    @classmethod
    def make(cls, place: Place, name: str, properties: Properties) -> Made:
        given = {key: str(properties[key]) for key in ("CodeSha256", "Description") if key in properties}
        made = place("lambda").publish_version(FunctionName=properties["FunctionName"], **given)
        arn = made["FunctionArn"]
        return arn, {"FunctionArn": arn, "Version": made["Version"]}

    @classmethod
    def drop(cls, place: Place, id: str, properties: Properties) -> None:
        function, _, version = id.rpartition(":")
        place("lambda").delete_function(FunctionName=function, Qualifier=version)

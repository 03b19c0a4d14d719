"""Stacks whose state machines and functions are ours: resource types for moto's CloudFormation.

Each is made, changed and deleted by calls of the service's own API, so that a stack meets the same checks as any other
client. See the AWS CloudFormation template reference for what each type is given and answers.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Callable
from typing import Any

Clients = Callable[[str, str, str], Any]
Properties = dict[str, Any]


class Stacked:
    """A resource of a stack: what `Ref` gives and what `Fn::GetAtt` does, and where it is.

    A kind of resource sets `type`, `service` and `name_property`, and has `make`, `change` and `drop`, each with
    the client and the properties.
    """

    type: str
    service: str
    name_property: str | None = None
    clients: Clients

    def __init__(self, physical_resource_id: str, attributes: dict[str, str], region: str, account: str):
        self.physical_resource_id = physical_resource_id
        self.attributes = attributes
        self.region = region
        self.account = account

    @classmethod
    def make(cls, client: Any, name: str, properties: Properties) -> tuple[str, dict[str, str]]:
        """Makes it; answers its physical id and its attributes."""
        raise NotImplementedError

    @classmethod
    def change(cls, client: Any, id: str, properties: Properties) -> tuple[str, dict[str, str]] | None:
        """Changes it; None where it has to be made anew."""
        return None

    @classmethod
    def drop(cls, client: Any, id: str, properties: Properties) -> None:
        """Deletes it."""

    # -- what moto asks for ------------------------------------------------------------------------------

    @classmethod
    def cloudformation_name_type(cls) -> str:
        return cls.name_property or ""

    @classmethod
    def cloudformation_type(cls) -> str:
        return cls.type

    def is_created(self) -> bool:
        return True

    @classmethod
    def has_cfn_attr(cls, attr: str) -> bool:
        return True

    def get_cfn_attribute(self, attribute_name: str) -> str:
        from moto.cloudformation.exceptions import UnformattedGetAttTemplateException

        if attribute_name not in self.attributes:
            raise UnformattedGetAttTemplateException()
        return self.attributes[attribute_name]

    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: Properties, account_id: str, region_name: str, **_: Any
    ) -> Stacked:
        properties = cloudformation_json.get("Properties") or {}
        id, attributes = cls._called(account_id, region_name, cls.make, resource_name, properties)
        return cls(id, attributes, region_name, account_id)

    @classmethod
    def update_from_cloudformation_json(
        cls,
        original_resource: Stacked,
        new_resource_name: str,
        cloudformation_json: Properties,
        account_id: str,
        region_name: str,
    ) -> Stacked:
        properties = cloudformation_json.get("Properties") or {}
        former = original_resource.physical_resource_id
        changed = cls._called(account_id, region_name, cls.change, former, properties)
        if changed is None:
            changed = cls._called(account_id, region_name, cls.make, new_resource_name, properties)
            cls._called(account_id, region_name, cls.drop, former, properties)
        id, attributes = changed
        return cls(id, attributes, region_name, account_id)

    @classmethod
    def delete_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: Properties, account_id: str, region_name: str
    ) -> None:
        properties = cloudformation_json.get("Properties") or {}
        cls._called(account_id, region_name, cls.drop, resource_name, properties)

    def delete(self, account_id: str, region: str) -> None:
        self._called(account_id, region, self.drop, self.physical_resource_id, {})

    @classmethod
    def _called(cls, account: str, region: str, call: Callable[..., Any], *arguments: Any) -> Any:
        """A refusal by the service is the stack's."""
        from botocore.exceptions import BotoCoreError, ClientError
        from moto.cloudformation.exceptions import ValidationError

        try:
            return call(cls.clients(cls.service, account, region), *arguments)
        except (ClientError, BotoCoreError) as error:
            raise ValidationError(message=f"{cls.type}: {error}") from None


class StateMachine(Stacked):
    type = "AWS::StepFunctions::StateMachine"
    service = "stepfunctions"
    name_property = "StateMachineName"

    @classmethod
    def make(cls, client: Any, name: str, properties: Properties) -> tuple[str, dict[str, str]]:
        fields = cls._fields(properties)
        made = client.create_state_machine(
            name=name,
            roleArn=properties.get("RoleArn", ""),
            type=properties.get("StateMachineType", "STANDARD"),
            tags=_lower(properties.get("Tags", [])),
            **fields,
        )
        return cls._outcome(made["stateMachineArn"], client)

    @classmethod
    def change(cls, client: Any, id: str, properties: Properties) -> tuple[str, dict[str, str]] | None:
        present = client.describe_state_machine(stateMachineArn=id)
        renamed = properties.get("StateMachineName", present["name"]) != present["name"]
        if renamed or properties.get("StateMachineType", present["type"]) != present["type"]:
            return None
        client.update_state_machine(
            stateMachineArn=id,
            roleArn=properties.get("RoleArn", present["roleArn"]),
            **cls._fields(properties),
        )
        return cls._outcome(id, client)

    @classmethod
    def drop(cls, client: Any, id: str, properties: Properties) -> None:
        client.delete_state_machine(stateMachineArn=id)

    @classmethod
    def _outcome(cls, arn: str, client: Any) -> tuple[str, dict[str, str]]:
        described = client.describe_state_machine(stateMachineArn=arn)
        attributes = {
            "Arn": arn,
            "Name": described["name"],
            "StateMachineRevisionId": described.get("revisionId", "INITIAL"),
        }
        return arn, attributes

    @classmethod
    def _fields(cls, properties: Properties) -> dict[str, Any]:
        fields: dict[str, Any] = {"definition": cls._definition(properties)}
        for name in ("LoggingConfiguration", "TracingConfiguration", "EncryptionConfiguration"):
            if name in properties:
                fields[name[0].lower() + name[1:]] = _lower(properties[name])
        return fields

    @classmethod
    def _definition(cls, properties: Properties) -> str:
        if "DefinitionS3Location" in properties:
            place = properties["DefinitionS3Location"]
            s3 = cls.clients("s3", "123456789012", "us-east-1")
            text = s3.get_object(Bucket=place["Bucket"], Key=place["Key"])["Body"].read().decode()
        elif "Definition" in properties:
            text = json.dumps(properties["Definition"])
        else:
            text = properties.get("DefinitionString", "")
            text = text if isinstance(text, str) else json.dumps(text)
        given = {
            str(name): str(value) for name, value in properties.get("DefinitionSubstitutions", {}).items()
        }
        return re.sub(r"\$\{([A-Za-z0-9]+)\}", lambda found: given.get(found[1], found[0]), text)


class Activity(Stacked):
    type = "AWS::StepFunctions::Activity"
    service = "stepfunctions"
    name_property = "Name"

    @classmethod
    def make(cls, client: Any, name: str, properties: Properties) -> tuple[str, dict[str, str]]:
        arn = client.create_activity(name=name, tags=_lower(properties.get("Tags", [])))["activityArn"]
        return arn, {"Arn": arn, "Name": name}

    @classmethod
    def drop(cls, client: Any, id: str, properties: Properties) -> None:
        client.delete_activity(activityArn=id)


class StateMachineVersion(Stacked):
    type = "AWS::StepFunctions::StateMachineVersion"
    service = "stepfunctions"

    @classmethod
    def make(cls, client: Any, name: str, properties: Properties) -> tuple[str, dict[str, str]]:
        fields = {
            "stateMachineArn": properties["StateMachineArn"],
            "revisionId": properties.get("StateMachineRevisionId"),
            "description": properties.get("Description"),
        }
        given = {name: value for name, value in fields.items() if value}
        arn = client.publish_state_machine_version(**given)["stateMachineVersionArn"]
        return arn, {"Arn": arn}

    @classmethod
    def drop(cls, client: Any, id: str, properties: Properties) -> None:
        client.delete_state_machine_version(stateMachineVersionArn=id)


class StateMachineAlias(Stacked):
    type = "AWS::StepFunctions::StateMachineAlias"
    service = "stepfunctions"

    @classmethod
    def make(cls, client: Any, name: str, properties: Properties) -> tuple[str, dict[str, str]]:
        arn = client.create_state_machine_alias(
            name=properties.get("Name", name),
            description=properties.get("Description", ""),
            routingConfiguration=cls._routing(properties),
        )["stateMachineAliasArn"]
        return arn, {"Arn": arn}

    @classmethod
    def change(cls, client: Any, id: str, properties: Properties) -> tuple[str, dict[str, str]] | None:
        if properties.get("Name", id.rpartition(":")[2]) != id.rpartition(":")[2]:
            return None
        client.update_state_machine_alias(
            stateMachineAliasArn=id, routingConfiguration=cls._routing(properties)
        )
        return id, {"Arn": id}

    @classmethod
    def drop(cls, client: Any, id: str, properties: Properties) -> None:
        client.delete_state_machine_alias(stateMachineAliasArn=id)

    @classmethod
    def _routing(cls, properties: Properties) -> list[dict[str, Any]]:
        if "RoutingConfiguration" in properties:
            return [
                {"stateMachineVersionArn": each["StateMachineVersionArn"], "weight": int(each["Weight"])}
                for each in properties["RoutingConfiguration"]
            ]
        # A stack shifts to the new version bit by bit; here it is there at once.
        version = properties.get("DeploymentPreference", {}).get("StateMachineVersionArn")
        return [{"stateMachineVersionArn": version, "weight": 100}]


class Function(Stacked):
    type = "AWS::Lambda::Function"
    service = "lambda"
    name_property = "FunctionName"
    _CONFIGURATION = (
        "Handler", "Role", "Runtime", "Description", "MemorySize", "Timeout", "VpcConfig", "Environment", "Layers",
        "EphemeralStorage", "TracingConfig", "DeadLetterConfig", "KMSKeyArn",
    )  # fmt: skip

    @classmethod
    def make(cls, client: Any, name: str, properties: Properties) -> tuple[str, dict[str, str]]:
        fields = cls._configuration(properties)
        for extra in ("Architectures", "PackageType"):
            if extra in properties:
                fields[extra] = properties[extra]
        tags = {tag["Key"]: tag["Value"] for tag in properties.get("Tags", [])}
        made = client.create_function(FunctionName=name, Code=cls._code(properties), Tags=tags, **fields)
        if "ReservedConcurrentExecutions" in properties:
            client.put_function_concurrency(
                FunctionName=name,
                ReservedConcurrentExecutions=int(properties["ReservedConcurrentExecutions"]),
            )
        return name, {"Arn": made["FunctionArn"]}

    @classmethod
    def change(cls, client: Any, id: str, properties: Properties) -> tuple[str, dict[str, str]] | None:
        if properties.get("FunctionName", id) != id:
            return None
        client.update_function_code(FunctionName=id, **cls._code(properties))
        made = client.update_function_configuration(FunctionName=id, **cls._configuration(properties))
        return id, {"Arn": made["FunctionArn"].removesuffix(":$LATEST")}

    @classmethod
    def drop(cls, client: Any, id: str, properties: Properties) -> None:
        client.delete_function(FunctionName=id)

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


class Alias(Stacked):
    type = "AWS::Lambda::Alias"
    service = "lambda"

    @classmethod
    def make(cls, client: Any, name: str, properties: Properties) -> tuple[str, dict[str, str]]:
        made = client.create_alias(**cls._fields(properties))
        return made["AliasArn"], {"AliasArn": made["AliasArn"]}

    @classmethod
    def change(cls, client: Any, id: str, properties: Properties) -> tuple[str, dict[str, str]] | None:
        client.update_alias(**cls._fields(properties))
        return id, {"AliasArn": id}

    @classmethod
    def drop(cls, client: Any, id: str, properties: Properties) -> None:
        function, _, name = id.rpartition(":")
        client.delete_alias(FunctionName=function, Name=name)

    @classmethod
    def _fields(cls, properties: Properties) -> dict[str, Any]:
        names = ("FunctionName", "FunctionVersion", "Name", "Description")
        return {name: str(properties[name]) for name in names if name in properties}


class EventInvokeConfig(Stacked):
    type = "AWS::Lambda::EventInvokeConfig"
    service = "lambda"

    @classmethod
    def make(cls, client: Any, name: str, properties: Properties) -> tuple[str, dict[str, str]]:
        fields = {
            key: properties[key]
            for key in ("FunctionName", "Qualifier", "DestinationConfig")
            if key in properties
        }
        for key in ("MaximumRetryAttempts", "MaximumEventAgeInSeconds"):
            if key in properties:
                fields[key] = int(properties[key])
        client.put_function_event_invoke_config(**fields)
        return name, {}

    @classmethod
    def drop(cls, client: Any, id: str, properties: Properties) -> None:
        if "FunctionName" in properties:
            client.delete_function_event_invoke_config(FunctionName=properties["FunctionName"])


class Subscription(Stacked):
    type = "AWS::SNS::Subscription"
    service = "sns"

    @classmethod
    def make(cls, client: Any, name: str, properties: Properties) -> tuple[str, dict[str, str]]:
        attributes = {}
        for key in ("FilterPolicy", "FilterPolicyScope", "RawMessageDelivery", "RedrivePolicy"):
            if key in properties:
                value = properties[key]
                attributes[key] = value if isinstance(value, str) else json.dumps(value)
        arn = client.subscribe(
            TopicArn=properties["TopicArn"],
            Protocol=properties["Protocol"],
            Endpoint=properties.get("Endpoint", ""),
            Attributes=attributes,
            ReturnSubscriptionArn=True,
        )["SubscriptionArn"]
        return arn, {"Arn": arn}

    @classmethod
    def drop(cls, client: Any, id: str, properties: Properties) -> None:
        client.unsubscribe(SubscriptionArn=id)


KINDS: tuple[type[Stacked], ...] = (
    StateMachine, Activity, StateMachineVersion, StateMachineAlias, Function, Alias, EventInvokeConfig, Subscription,
)  # fmt: skip


def install(clients: Clients) -> None:
    """Has moto's CloudFormation take these types. Imports it, which takes a second."""
    from moto.cloudformation import models as stacks
    from moto.cloudformation import parsing

    Stacked.clients = staticmethod(clients)  # pyright: ignore[reportAttributeAccessIssue]
    types = parsing.get_model_map()
    types.update({kind.type: kind for kind in KINDS})  # pyright: ignore[reportArgumentType, reportCallIssue]
    models = parsing.get_model_list()
    models[:] = [
        model for model in models if model.cloudformation_type() not in {kind.type for kind in KINDS}
    ]
    models.extend(KINDS)  # pyright: ignore[reportArgumentType]
    _show_outputs(stacks)


def _show_outputs(stacks: Any) -> None:
    """Gives a stack its outputs when a change set was executed (`aws cloudformation deploy` works by change sets);
    moto works them out for stacks that were made or updated directly."""
    apply = stacks.ChangeSet.apply
    if getattr(apply, "shows_outputs", False):
        return

    def apply_and_show(change_set: Any) -> None:
        apply(change_set)
        stack = change_set.stack
        stack.template, stack.template_dict = change_set.template, change_set.template_dict
        stack.output_map = stack._create_output_map()

    apply_and_show.shows_outputs = True  # pyright: ignore[reportFunctionMemberAccess]
    stacks.ChangeSet.apply = apply_and_show


def _lower(value: Any) -> Any:
    """The template's names of fields as the API has them."""
    if isinstance(value, dict):
        return {name[:1].lower() + name[1:]: _lower(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_lower(item) for item in value]
    if value in ("true", "false"):
        return value == "true"
    return value


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

"""Step Functions in stacks: state machines, their versions and aliases, activities."""

from __future__ import annotations

import json
import re
from typing import Any

from .resource import Made, Place, Properties, StackResource, lower


class StateMachine(StackResource):
    type = "AWS::StepFunctions::StateMachine"
    name_property = "StateMachineName"

    @classmethod
    def make(cls, place: Place, name: str, properties: Properties) -> Made:
        client = place("stepfunctions")
        made = client.create_state_machine(
            name=name,
            roleArn=properties.get("RoleArn", ""),
            type=properties.get("StateMachineType", "STANDARD"),
            tags=lower(properties.get("Tags", [])),
            **cls._fields(place, properties),
        )
        return cls._outcome(made["stateMachineArn"], client)

    @classmethod
    def change(cls, place: Place, id: str, properties: Properties) -> Made | None:
        client = place("stepfunctions")
        present = client.describe_state_machine(stateMachineArn=id)
        renamed = properties.get("StateMachineName", present["name"]) != present["name"]
        if renamed or properties.get("StateMachineType", "STANDARD") != present["type"]:
            return None
        client.update_state_machine(
            stateMachineArn=id,
            roleArn=properties.get("RoleArn", present["roleArn"]),
            **cls._fields(place, properties),
        )
        return cls._outcome(id, client)

    @classmethod
    def drop(cls, place: Place, id: str, properties: Properties) -> None:
        place("stepfunctions").delete_state_machine(stateMachineArn=id)

    @classmethod
    def _outcome(cls, arn: str, client: Any) -> Made:
        described = client.describe_state_machine(stateMachineArn=arn)
        attributes = {
            "Arn": arn,
            "Name": described["name"],
            "StateMachineRevisionId": described.get("revisionId", "INITIAL"),
        }
        return arn, attributes

    @classmethod
    def _fields(cls, place: Place, properties: Properties) -> dict[str, Any]:
        fields: dict[str, Any] = {"definition": cls._definition(place, properties)}
        for name in ("LoggingConfiguration", "TracingConfiguration", "EncryptionConfiguration"):
            if name in properties:
                fields[name[0].lower() + name[1:]] = lower(properties[name])
        return fields

    @classmethod
    def _definition(cls, place: Place, properties: Properties) -> str:
        if "DefinitionS3Location" in properties:
            text = cls._in_s3(place, properties["DefinitionS3Location"])
        elif "Definition" in properties:
            text = json.dumps(properties["Definition"])
        else:
            text = properties.get("DefinitionString", "")
            text = text if isinstance(text, str) else json.dumps(text)
        given = {
            str(name): _in_text(value)
            for name, value in properties.get("DefinitionSubstitutions", {}).items()
        }
        return re.sub(r"\$\{([A-Za-z0-9_]+)\}", lambda found: given.get(found[1], found[0]), text)

    @classmethod
    def _in_s3(cls, place: Place, location: Properties) -> str:
        """The definition of an object of S3, which may be YAML."""
        named = {"Bucket": location["Bucket"], "Key": location["Key"]}
        if "Version" in location:
            named["VersionId"] = location["Version"]
        text = place("s3").get_object(**named)["Body"].read().decode()
        if text.lstrip().startswith("{"):
            return text
        import yaml

        return json.dumps(yaml.safe_load(text))


def _in_text(value: Any) -> str:
    """A substitution's value as it stands in the definition."""
    return str(value).lower() if isinstance(value, bool) else str(value)


class Activity(StackResource):
    type = "AWS::StepFunctions::Activity"
    name_property = "Name"

    @classmethod
    def make(cls, place: Place, name: str, properties: Properties) -> Made:
        arn = place("stepfunctions").create_activity(name=name, tags=lower(properties.get("Tags", [])))[
            "activityArn"
        ]
        return arn, {"Arn": arn, "Name": name}

    @classmethod
    def drop(cls, place: Place, id: str, properties: Properties) -> None:
        place("stepfunctions").delete_activity(activityArn=id)


class StateMachineVersion(StackResource):
    type = "AWS::StepFunctions::StateMachineVersion"

    @classmethod
    def make(cls, place: Place, name: str, properties: Properties) -> Made:
        fields = {
            "stateMachineArn": properties["StateMachineArn"],
            "revisionId": properties.get("StateMachineRevisionId"),
            "description": properties.get("Description"),
        }
        given = {name: value for name, value in fields.items() if value}
        arn = place("stepfunctions").publish_state_machine_version(**given)["stateMachineVersionArn"]
        return arn, {"Arn": arn}

    @classmethod
    def drop(cls, place: Place, id: str, properties: Properties) -> None:
        place("stepfunctions").delete_state_machine_version(stateMachineVersionArn=id)


class StateMachineAlias(StackResource):
    type = "AWS::StepFunctions::StateMachineAlias"

    @classmethod
    def make(cls, place: Place, name: str, properties: Properties) -> Made:
        arn = place("stepfunctions").create_state_machine_alias(
            name=properties.get("Name", name),
            description=properties.get("Description", ""),
            routingConfiguration=cls._routing(properties),
        )["stateMachineAliasArn"]
        return arn, {"Arn": arn}

    @classmethod
    def change(cls, place: Place, id: str, properties: Properties) -> Made | None:
        if properties.get("Name", id.rpartition(":")[2]) != id.rpartition(":")[2]:
            return None
        place("stepfunctions").update_state_machine_alias(
            stateMachineAliasArn=id, routingConfiguration=cls._routing(properties)
        )
        return id, {"Arn": id}

    @classmethod
    def drop(cls, place: Place, id: str, properties: Properties) -> None:
        place("stepfunctions").delete_state_machine_alias(stateMachineAliasArn=id)

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

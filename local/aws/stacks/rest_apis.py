"""API Gateway in stacks: REST APIs, also with an OpenAPI body as SAM writes it, and their stages."""

from __future__ import annotations

import json
from typing import Any

from .resource import Made, Place, Properties, StackResource

_METHODS = ("get", "put", "post", "delete", "patch", "head", "options")
_ANY = "x-amazon-apigateway-any-method"
_INTEGRATION = "x-amazon-apigateway-integration"


class RestApi(StackResource):
    type = "AWS::ApiGateway::RestApi"
    name_property = "Name"

    @classmethod
    def make(cls, place: Place, name: str, properties: Properties) -> Made:
        client = place("apigateway")
        body = _body(place, properties)
        name = properties.get("Name") or body.get("info", {}).get("title") or name
        made = client.create_rest_api(name=name, description=properties.get("Description", ""))
        root = next(
            each["id"] for each in client.get_resources(restApiId=made["id"])["items"] if each["path"] == "/"
        )
        _fill(client, made["id"], root, body)
        return made["id"], {"RootResourceId": root, "RestApiId": made["id"]}

    @classmethod
    def change(cls, place: Place, id: str, properties: Properties) -> Made | None:
        client = place("apigateway")
        every = client.get_resources(restApiId=id, limit=500)["items"]
        root = next(each["id"] for each in every if each["path"] == "/")
        body = _body(place, properties)
        if body:
            for each in every:
                for method in each.get("resourceMethods", {}):
                    client.delete_method(restApiId=id, resourceId=each["id"], httpMethod=method)
            _fill(client, id, root, body)
        return id, {"RootResourceId": root, "RestApiId": id}

    @classmethod
    def drop(cls, place: Place, id: str, properties: Properties) -> None:
        place("apigateway").delete_rest_api(restApiId=id)


class Deployment(StackResource):
    type = "AWS::ApiGateway::Deployment"

    @classmethod
    def make(cls, place: Place, name: str, properties: Properties) -> Made:
        given = {"stageName": properties["StageName"]} if "StageName" in properties else {}
        made = place("apigateway").create_deployment(restApiId=properties["RestApiId"], **given)
        return made["id"], {"DeploymentId": made["id"]}

    @classmethod
    def drop(cls, place: Place, id: str, properties: Properties) -> None:
        if "RestApiId" in properties:
            place("apigateway").delete_deployment(restApiId=properties["RestApiId"], deploymentId=id)


class Stage(StackResource):
    type = "AWS::ApiGateway::Stage"
    name_property = "StageName"

    @classmethod
    def make(cls, place: Place, name: str, properties: Properties) -> Made:
        place("apigateway").create_stage(
            restApiId=properties["RestApiId"],
            stageName=name,
            deploymentId=properties.get("DeploymentId", ""),
            variables=properties.get("Variables", {}),
        )
        return name, {}

    @classmethod
    def drop(cls, place: Place, id: str, properties: Properties) -> None:
        if "RestApiId" in properties:
            place("apigateway").delete_stage(restApiId=properties["RestApiId"], stageName=id)


def _body(place: Place, properties: Properties) -> dict[str, Any]:
    if "BodyS3Location" in properties:
        import yaml

        location = properties["BodyS3Location"]
        text = place("s3").get_object(Bucket=location["Bucket"], Key=location["Key"])["Body"].read().decode()
        body = yaml.safe_load(text)
    else:
        body = properties.get("Body") or {}
    return json.loads(body) if isinstance(body, str) else body


def _fill(client: Any, api: str, root: str, body: dict[str, Any]) -> None:
    """Makes the resources and methods of an OpenAPI document. What has no integration is left without one."""
    made = {each["path"]: each["id"] for each in client.get_resources(restApiId=api, limit=500)["items"]}
    for path, methods in (body.get("paths") or {}).items():
        parent, at = root, ""
        for part in [part for part in path.split("/") if part]:
            at = f"{at}/{part}"
            if at not in made:
                made[at] = client.create_resource(restApiId=api, parentId=parent, pathPart=part)["id"]
            parent = made[at]
        for name, method in methods.items():
            if name not in (*_METHODS, _ANY):
                continue
            where = {
                "restApiId": api,
                "resourceId": parent,
                "httpMethod": "ANY" if name == _ANY else name.upper(),
            }
            client.put_method(**where, authorizationType="NONE")
            if integration := method.get(_INTEGRATION):
                client.put_integration(
                    **where,
                    type=str(integration["type"]).upper(),
                    integrationHttpMethod=integration.get("httpMethod", "POST"),
                    uri=integration.get("uri", ""),
                    requestTemplates=integration.get("requestTemplates", {}),
                )

"""A resource of a stack as moto's CloudFormation meets it, made by calls of the service's own API."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Clients = Callable[[str, str, str], Any]
Properties = dict[str, Any]
Made = tuple[str, dict[str, str]]
"""What `Ref` gives, and what `Fn::GetAtt` does."""
ABOUT = ("LogicalId", "StackId", "ResourceType")
"""What a resource is told beside its properties."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a stack is. Called with a service's name it gives boto3's client of that service."""

    clients: Clients
    account: str
    region: str

    def __call__(self, service: str) -> Any:
        return self.clients(service, self.account, self.region)


class StackResource:
    """A resource of a stack: what `Ref` gives and what `Fn::GetAtt` does, where it is, and what it was made of.

    A type sets `type` and `name_property`, and has `make`, `change` and `drop`.
    """

    type: str
    name_property: str | None = None
    clients: Clients

    def __init__(self, made: Made, place: tuple[str, str], properties: Properties):
        self.physical_resource_id, self.attributes = made
        self.place = place
        self.properties = properties

    @classmethod
    def make(cls, place: Place, name: str, properties: Properties) -> Made:
        """Makes it; answers its physical id and its attributes."""
        raise NotImplementedError

    @classmethod
    def change(cls, place: Place, id: str, properties: Properties) -> Made | None:
        """Changes it; None where it has to be made anew."""
        return None

    @classmethod
    def drop(cls, place: Place, id: str, properties: Properties) -> None:
        """Deletes it. What is gone already is no error."""

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
        cls,
        resource_name: str,
        cloudformation_json: Properties,
        account_id: str,
        region_name: str,
        **about: Any,
    ) -> StackResource:
        properties = cls._properties(cloudformation_json, about)
        made = cls._called(account_id, region_name, cls.make, resource_name, properties)
        return cls(made, (account_id, region_name), properties)

    @classmethod
    def update_from_cloudformation_json(
        cls,
        original_resource: StackResource,
        new_resource_name: str,
        cloudformation_json: Properties,
        account_id: str,
        region_name: str,
    ) -> StackResource:
        about = {name: original_resource.properties.get(name) for name in ABOUT}
        properties = cls._properties(cloudformation_json, about)
        former = original_resource.physical_resource_id
        made = cls._called(account_id, region_name, cls.change, former, properties)
        if made is None:
            made = cls._called(account_id, region_name, cls.make, new_resource_name, properties)
            if made[0] != former:
                original_resource.delete(account_id, region_name)
        return cls(made, (account_id, region_name), properties)

    @classmethod
    def delete_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: Properties, account_id: str, region_name: str
    ) -> None:
        properties = cls._properties(cloudformation_json, {})
        cls._called(account_id, region_name, cls.drop, resource_name, properties)

    def delete(self, account_id: str, region: str) -> None:
        self._called(account_id, region, self.drop, self.physical_resource_id, self.properties)

    @classmethod
    def _properties(cls, template: Properties, about: dict[str, Any]) -> Properties:
        """The template's, with what `about` says of the resource's place in its stack."""
        known = {name: about[name] for name in ABOUT if about.get(name)}
        return {**(template.get("Properties") or {}), **known}

    @classmethod
    def _called(cls, account: str, region: str, call: Callable[..., Any], *arguments: Any) -> Any:
        """A refusal by the service is the stack's."""
        from botocore.exceptions import BotoCoreError, ClientError
        from moto.cloudformation.exceptions import ValidationError

        try:
            return call(Place(cls.clients, account, region), *arguments)
        except ClientError as error:
            if call == cls.drop and re.search(r"NotFound|NoSuch|DoesNotExist|NonExistent", str(error)):
                return None
            raise ValidationError(message=f"{cls.type}: {error}") from None
        except BotoCoreError as error:
            raise ValidationError(message=f"{cls.type}: {error}") from None
        except KeyError as error:
            raise ValidationError(message=f"{cls.type}: the property {error} is missing") from None


def lower(value: Any) -> Any:
    """The template's names of fields as the API has them."""
    if isinstance(value, dict):
        return {name[:1].lower() + name[1:]: lower(item) for name, item in value.items()}
    if isinstance(value, list):
        return [lower(item) for item in value]
    if value in ("true", "false"):
        return value == "true"
    return value

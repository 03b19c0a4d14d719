"""Custom resources: a function is asked to make them, and answers at a URL.

See the AWS CloudFormation guide, "Custom resource request objects" and "Custom resource response objects".
"""

from __future__ import annotations

import json
import threading
import uuid
from typing import Any

from .resource import ABOUT, Made, Place, Properties, StackResource

ANSWERS = "/_stratum/cloudformation/"
"""Where functions put their answers, below the endpoint; the rest of the path says to which request."""
_PATIENCE = 60.0
"""Seconds that an answer may take after the function has returned."""


class Answers:
    """The answers that are waited for. `url` is the endpoint's."""

    def __init__(self) -> None:
        self._waiting: dict[str, list[bytes]] = {}
        self._changed = threading.Condition()

    def ask(self) -> str:
        id = uuid.uuid4().hex
        self._waiting[id] = []
        return id

    def put(self, id: str, body: bytes) -> bool:
        """Takes an answer; whether anybody waits for it."""
        with self._changed:
            if id not in self._waiting:
                return False
            self._waiting[id].append(body)
            self._changed.notify_all()
            return True

    def take(self, id: str, seconds: float) -> dict[str, Any] | None:
        with self._changed:
            self._changed.wait_for(lambda: self._waiting[id], timeout=seconds)
            found = self._waiting.pop(id)
        try:
            answer = json.loads(found[0]) if found else None
        except ValueError:
            return None
        return answer if isinstance(answer, dict) else None


answers = Answers()


class CustomResource(StackResource):
    type = "AWS::CloudFormation::CustomResource"
    url: str = ""

    @classmethod
    def make(cls, place: Place, name: str, properties: Properties) -> Made:
        return cls._ask(place, "Create", name, properties)

    @classmethod
    def change(cls, place: Place, id: str, properties: Properties) -> Made | None:
        return cls._ask(place, "Update", id, {**properties, "PhysicalResourceId": id})

    @classmethod
    def drop(cls, place: Place, id: str, properties: Properties) -> None:
        cls._ask(place, "Delete", id, {**properties, "PhysicalResourceId": id})

    def get_cfn_attribute(self, attribute_name: str) -> str:
        return self.attributes.get(attribute_name, "")

    @classmethod
    def _ask(cls, place: Place, what: str, name: str, properties: Properties) -> Made:
        from moto.cloudformation.exceptions import ValidationError

        asked = answers.ask()
        apart = (*ABOUT, "PhysicalResourceId")
        event = {
            "RequestType": what,
            "RequestId": asked,
            "ServiceToken": properties["ServiceToken"],
            "ResponseURL": f"{cls.url}{ANSWERS}{asked}",
            "LogicalResourceId": properties.get("LogicalId", name),
            "StackId": properties.get("StackId", ""),
            "ResourceType": properties.get("ResourceType", cls.type),
            "ResourceProperties": {key: value for key, value in properties.items() if key not in apart},
        }
        if "PhysicalResourceId" in properties:
            event["PhysicalResourceId"] = properties["PhysicalResourceId"]
        result = place("lambda").invoke(
            FunctionName=properties["ServiceToken"], Payload=json.dumps(event).encode()
        )
        payload = result["Payload"].read().decode()
        failed = "FunctionError" in result
        answer = answers.take(asked, 0 if failed else _PATIENCE)
        if answer is None:
            reason = (
                payload[:1000]
                if failed
                else f"there was no answer at the ResponseURL within {_PATIENCE:.0f} s"
            )
            raise ValidationError(message=f"the custom resource's function did not answer: {reason}")
        if answer.get("Status") != "SUCCESS":
            raise ValidationError(
                message=f"the custom resource failed: {answer.get('Reason', 'without a reason')}"
            )
        data = answer.get("Data")
        attributes = {str(key): value for key, value in (data if isinstance(data, dict) else {}).items()}
        return str(answer.get("PhysicalResourceId") or name), attributes

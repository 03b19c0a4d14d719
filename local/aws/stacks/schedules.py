"""EventBridge Scheduler in stacks."""

from __future__ import annotations

from typing import Any

from .resource import Made, Place, Properties, StackResource


class ScheduleGroup(StackResource):
    type = "AWS::Scheduler::ScheduleGroup"
    name_property = "Name"

    @classmethod
    def make(cls, place: Place, name: str, properties: Properties) -> Made:
        arn = place("scheduler").create_schedule_group(Name=name)["ScheduleGroupArn"]
        return name, {"Arn": arn}

    @classmethod
    def change(cls, place: Place, id: str, properties: Properties) -> Made | None:
        if properties.get("Name", id) != id:
            return None
        return id, {"Arn": place("scheduler").get_schedule_group(Name=id)["Arn"]}

    @classmethod
    def drop(cls, place: Place, id: str, properties: Properties) -> None:
        place("scheduler").delete_schedule_group(Name=id)


class Schedule(StackResource):
    type = "AWS::Scheduler::Schedule"
    name_property = "Name"
    _FIELDS = (
        "Description", "EndDate", "FlexibleTimeWindow", "GroupName", "KmsKeyArn", "ScheduleExpression",
        "ScheduleExpressionTimezone", "StartDate", "State",
    )  # fmt: skip

    @classmethod
    def make(cls, place: Place, name: str, properties: Properties) -> Made:
        arn = place("scheduler").create_schedule(Name=name, **cls._fields(properties))["ScheduleArn"]
        return name, {"Arn": arn}

    @classmethod
    def change(cls, place: Place, id: str, properties: Properties) -> Made | None:
        if properties.get("Name", id) != id:
            return None
        arn = place("scheduler").update_schedule(Name=id, **cls._fields(properties))["ScheduleArn"]
        return id, {"Arn": arn}

    @classmethod
    def drop(cls, place: Place, id: str, properties: Properties) -> None:
        group = {"GroupName": properties["GroupName"]} if "GroupName" in properties else {}
        place("scheduler").delete_schedule(Name=id, **group)

    @classmethod
    def _fields(cls, properties: Properties) -> dict[str, Any]:
        fields = {name: properties[name] for name in cls._FIELDS if name in properties}
        target = dict(properties["Target"])
        if "RetryPolicy" in target:
            target["RetryPolicy"] = {key: int(value) for key, value in target["RetryPolicy"].items()}
        return {**fields, "Target": target}

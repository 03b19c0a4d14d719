"""Types of other services that moto's CloudFormation does not make, though moto has what they stand for."""

from __future__ import annotations

import json
from typing import Any

from .resource import ABOUT, Made, Place, Properties, StackResource, lower


class Subscription(StackResource):
    type = "AWS::SNS::Subscription"

    @classmethod
    def make(cls, place: Place, name: str, properties: Properties) -> Made:
        attributes = {}
        for key in ("FilterPolicy", "FilterPolicyScope", "RawMessageDelivery", "RedrivePolicy"):
            if key in properties:
                attributes[key] = _text(properties[key])
        arn = place("sns").subscribe(
            TopicArn=properties["TopicArn"],
            Protocol=properties["Protocol"],
            Endpoint=properties.get("Endpoint", ""),
            Attributes=attributes,
            ReturnSubscriptionArn=True,
        )["SubscriptionArn"]
        return arn, {"Arn": arn}

    @classmethod
    def drop(cls, place: Place, id: str, properties: Properties) -> None:
        place("sns").unsubscribe(SubscriptionArn=id)


class QueuePolicy(StackResource):
    type = "AWS::SQS::QueuePolicy"

    @classmethod
    def make(cls, place: Place, name: str, properties: Properties) -> Made:
        policy = {"Policy": _text(properties["PolicyDocument"])}
        for url in properties["Queues"]:
            place("sqs").set_queue_attributes(QueueUrl=url, Attributes=policy)
        return name, {"Id": name}

    @classmethod
    def change(cls, place: Place, id: str, properties: Properties) -> Made | None:
        return cls.make(place, id, properties)


class TopicPolicy(StackResource):
    type = "AWS::SNS::TopicPolicy"

    @classmethod
    def make(cls, place: Place, name: str, properties: Properties) -> Made:
        for arn in properties["Topics"]:
            place("sns").set_topic_attributes(
                TopicArn=arn, AttributeName="Policy", AttributeValue=_text(properties["PolicyDocument"])
            )
        return name, {"Id": name}

    @classmethod
    def change(cls, place: Place, id: str, properties: Properties) -> Made | None:
        return cls.make(place, id, properties)


class BucketPolicy(StackResource):
    type = "AWS::S3::BucketPolicy"

    @classmethod
    def make(cls, place: Place, name: str, properties: Properties) -> Made:
        bucket = properties["Bucket"]
        place("s3").put_bucket_policy(Bucket=bucket, Policy=_text(properties["PolicyDocument"]))
        return bucket, {}

    @classmethod
    def change(cls, place: Place, id: str, properties: Properties) -> Made | None:
        return cls.make(place, id, properties)

    @classmethod
    def drop(cls, place: Place, id: str, properties: Properties) -> None:
        place("s3").delete_bucket_policy(Bucket=id)


class Secret(StackResource):
    type = "AWS::SecretsManager::Secret"
    name_property = "Name"

    @classmethod
    def make(cls, place: Place, name: str, properties: Properties) -> Made:
        client = place("secretsmanager")
        given = {key: properties[key] for key in ("Description", "KmsKeyId", "Tags") if key in properties}
        arn = client.create_secret(Name=name, SecretString=cls._value(client, properties), **given)["ARN"]
        return arn, {"Id": arn}

    @classmethod
    def change(cls, place: Place, id: str, properties: Properties) -> Made | None:
        if "SecretString" in properties:
            place("secretsmanager").update_secret(SecretId=id, SecretString=properties["SecretString"])
        return id, {"Id": id}

    @classmethod
    def drop(cls, place: Place, id: str, properties: Properties) -> None:
        place("secretsmanager").delete_secret(SecretId=id, ForceDeleteWithoutRecovery=True)

    @classmethod
    def _value(cls, client: Any, properties: Properties) -> str:
        if "GenerateSecretString" not in properties:
            return properties.get("SecretString", "")
        how = dict(properties["GenerateSecretString"])
        template, key = how.pop("SecretStringTemplate", None), how.pop("GenerateStringKey", None)
        made = client.get_random_password(**how)["RandomPassword"]
        return made if key is None else json.dumps({**json.loads(template or "{}"), key: made})


class Alarm(StackResource):
    type = "AWS::CloudWatch::Alarm"
    name_property = "AlarmName"

    @classmethod
    def make(cls, place: Place, name: str, properties: Properties) -> Made:
        given = {key: value for key, value in properties.items() if key not in ABOUT}
        for key, kind in (
            ("Period", int),
            ("EvaluationPeriods", int),
            ("DatapointsToAlarm", int),
            ("Threshold", float),
        ):
            if key in given:
                given[key] = kind(given[key])
        place("cloudwatch").put_metric_alarm(**{**given, "AlarmName": name})
        arn = f"arn:aws:cloudwatch:{place.region}:{place.account}:alarm:{name}"
        return name, {"Arn": arn}

    @classmethod
    def change(cls, place: Place, id: str, properties: Properties) -> Made | None:
        return None if properties.get("AlarmName", id) != id else cls.make(place, id, properties)

    @classmethod
    def drop(cls, place: Place, id: str, properties: Properties) -> None:
        place("cloudwatch").delete_alarms(AlarmNames=[id])


class CompositeAlarm(StackResource):
    type = "AWS::CloudWatch::CompositeAlarm"
    name_property = "AlarmName"

    @classmethod
    def make(cls, place: Place, name: str, properties: Properties) -> Made:
        given = {key: value for key, value in properties.items() if key not in ABOUT}
        place("cloudwatch").put_composite_alarm(**{**given, "AlarmName": name})
        return name, {"Arn": f"arn:aws:cloudwatch:{place.region}:{place.account}:alarm:{name}"}

    @classmethod
    def change(cls, place: Place, id: str, properties: Properties) -> Made | None:
        return None if properties.get("AlarmName", id) != id else cls.make(place, id, properties)

    @classmethod
    def drop(cls, place: Place, id: str, properties: Properties) -> None:
        place("cloudwatch").delete_alarms(AlarmNames=[id])


class MetricFilter(StackResource):
    type = "AWS::Logs::MetricFilter"
    name_property = "FilterName"

    @classmethod
    def make(cls, place: Place, name: str, properties: Properties) -> Made:
        place("logs").put_metric_filter(
            logGroupName=properties["LogGroupName"],
            filterName=name,
            filterPattern=properties["FilterPattern"],
            metricTransformations=lower(properties["MetricTransformations"]),
        )
        return name, {}

    @classmethod
    def change(cls, place: Place, id: str, properties: Properties) -> Made | None:
        return cls.make(place, id, properties)

    @classmethod
    def drop(cls, place: Place, id: str, properties: Properties) -> None:
        place("logs").delete_metric_filter(logGroupName=properties["LogGroupName"], filterName=id)


class GlobalTable(StackResource):
    """A table in one region, whatever its replicas: CDK's `TableV2`."""

    type = "AWS::DynamoDB::GlobalTable"
    name_property = "TableName"

    @classmethod
    def make(cls, place: Place, name: str, properties: Properties) -> Made:
        client = place("dynamodb")
        given = {
            key: properties[key]
            for key in ("AttributeDefinitions", "KeySchema", "LocalSecondaryIndexes")
            if key in properties
        }
        if "GlobalSecondaryIndexes" in properties:
            fields = ("IndexName", "KeySchema", "Projection")
            given["GlobalSecondaryIndexes"] = [
                {key: index[key] for key in fields if key in index}
                for index in properties["GlobalSecondaryIndexes"]
            ]
        if "StreamSpecification" in properties:
            given["StreamSpecification"] = {**properties["StreamSpecification"], "StreamEnabled": True}
        table = client.create_table(TableName=name, BillingMode="PAY_PER_REQUEST", **given)[
            "TableDescription"
        ]
        if "TimeToLiveSpecification" in properties:
            client.update_time_to_live(
                TableName=name, TimeToLiveSpecification=properties["TimeToLiveSpecification"]
            )
        attributes = {"Arn": table["TableArn"], "TableId": table.get("TableId", name)}
        return name, {**attributes, "StreamArn": table.get("LatestStreamArn", "")}

    @classmethod
    def change(cls, place: Place, id: str, properties: Properties) -> Made | None:
        table = place("dynamodb").describe_table(TableName=id)["Table"]
        if table["KeySchema"] != properties["KeySchema"] or properties.get("TableName", id) != id:
            return None
        attributes = {"Arn": table["TableArn"], "TableId": table.get("TableId", id)}
        return id, {**attributes, "StreamArn": table.get("LatestStreamArn", "")}

    @classmethod
    def drop(cls, place: Place, id: str, properties: Properties) -> None:
        place("dynamodb").delete_table(TableName=id)


class Placeholder(StackResource):
    """Stands for a resource of a type that nobody here makes, so that the rest of the stack can be."""

    type = "a type that is not made here"

    @classmethod
    def make(cls, place: Place, name: str, properties: Properties) -> Made:
        kind = str(properties.get("ResourceType", ""))
        service, _, what = kind.removeprefix("AWS::").partition("::")
        arn = f"arn:aws:{service.lower()}:{place.region}:{place.account}:{what.lower()}/{name}"
        return name, {"Arn": arn}

    def get_cfn_attribute(self, attribute_name: str) -> str:
        return self.attributes.get(attribute_name, f"{self.physical_resource_id}-{attribute_name}")


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)

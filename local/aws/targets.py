"""What rules and schedules are brought to: queues, functions, state machines, topics, streams, log groups and buses.

See the EventBridge guide, "Event bus targets in Amazon EventBridge", and the EventBridge Scheduler guide, "Managing targets".
"""

from __future__ import annotations

import json
import re
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...handlers.functions import Invocation
from .clients import Clients
from .invocations import Invocations

_UNIVERSAL = re.compile(r"arn:[\w-]+:scheduler:::aws-sdk:([\w-]+):(\w+)")


@dataclass(frozen=True, slots=True)
class Targets:
    invocations: Invocations
    clients: Clients

    def bring(self, target: Mapping[str, Any], text: str, account: str, region: str) -> None:
        """Hands the text to the target (`{"Arn", "SqsParameters"?, …}`), in the account and region of what brings it where the
        ARN says none. Raises an error of boto3's, and `ValueError` for a target that is not reached here."""
        arn = target["Arn"]
        if found := _UNIVERSAL.fullmatch(arn):
            self._call(found[1], found[2], json.loads(text), account, region)
            return
        service, own_region, own_account = arn.split(":")[2:5]
        account, region = own_account or account, own_region or region
        name = arn.split(":", 5)[5]

        def client(service: str) -> Any:
            return self.clients(service, account, region)

        if service == "lambda":
            self.invocations.invoke_later(
                Invocation(arn, text, str(uuid.uuid4()), account=account, region=region)
            )
        elif service == "states":
            client("stepfunctions").start_execution(stateMachineArn=arn, input=text)
        elif service == "sqs":
            group = target.get("SqsParameters", {}).get("MessageGroupId")
            options = {"MessageGroupId": group} if group else {}
            url = client("sqs").get_queue_url(QueueName=name)["QueueUrl"]
            client("sqs").send_message(QueueUrl=url, MessageBody=text, **options)
        elif service == "sns":
            client("sns").publish(TopicArn=arn, Message=text)
        elif service == "kinesis":
            key = target.get("KinesisParameters", {}).get("PartitionKey") or str(uuid.uuid4())
            stream = name.partition("/")[2]
            client("kinesis").put_record(StreamName=stream, Data=text, PartitionKey=key)
        elif service == "firehose":
            stream = name.partition("/")[2]
            client("firehose").put_record(DeliveryStreamName=stream, Record={"Data": text})
        elif service == "logs":
            group, stream = name.removeprefix("log-group:").removesuffix(":*"), str(uuid.uuid4())
            client("logs").create_log_stream(logGroupName=group, logStreamName=stream)
            entry = {"timestamp": time.time_ns() // 1_000_000, "message": text}
            client("logs").put_log_events(logGroupName=group, logStreamName=stream, logEvents=[entry])
        elif service == "events" and name.startswith("event-bus/") and "EventBridgeParameters" in target:
            given = target["EventBridgeParameters"]
            entry = {
                "EventBusName": arn, "Detail": text, "DetailType": given["DetailType"], "Source": given["Source"],
            }  # fmt: skip
            client("events").put_events(Entries=[entry])
        else:
            raise ValueError(f"{service} is no target that is reached here")

    def _call(self, service: str, action: str, given: dict[str, Any], account: str, region: str) -> None:
        """Any action of any service, with its members as the API calls them: Scheduler's universal target."""
        from ...handlers.integrations.calls import SDK, botocore_service, call

        name = botocore_service(service)
        if name is None:
            raise ValueError(f"there is no service {service}")
        call(self.clients(name, account, region), action, given, SDK)

"""The deployments handler: a custom resource of CloudFormation that publishes a workflow and leads its alias to it.

What a stack deploys is a version, never changed after, and where its alias leads: so that a stack which is rolled back leads
the alias back too. The version's number is the spec's, with what it was made of behind a plus sign: another deployment of the
same number with other handlers is another version. See the AWS CloudFormation guide, "Custom resource request objects".
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ..statelang.asl import digest_of, dump
from .http import HttpFailed, HttpRequest
from .identity import Identity
from .logs import logger
from .runtime import Runtime, invoked
from .versions import publishing, routing
from .workflows import Workflow

_WHO = Identity("cloudformation", "api")
_UNNUMBERED = "0.0.0"
"""The number of what has none: plain Amazon States Language."""
_REASON_MOST = 2000


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Lambda's entry point."""
    return invoked(handle, event, context)


def handle(runtime: Runtime, event: dict[str, Any], context: Any = None) -> dict[str, Any]:
    """Takes a request of CloudFormation, answers at its `ResponseURL`, and returns what it has answered.

    `ResourceProperties` are `Name`, `Bucket` and `Key` (a JSON object of `infra.workflows`), `Functions` (ARNs by what the
    definition has in their place), `Alias`, and `Weight`: the share, from 0 to 1, of what is started that the version has.
    """
    answer = {
        "StackId": event["StackId"], "RequestId": event["RequestId"], "LogicalResourceId": event["LogicalResourceId"],
        "PhysicalResourceId": event.get("PhysicalResourceId") or event["LogicalResourceId"],
    }  # fmt: skip
    try:
        properties = event["ResourceProperties"]
        if event["RequestType"] == "Delete":
            # The version that a workflow is replaced with bears its name; what is under way goes on.
            answer |= {"Status": "SUCCESS"}
            _remove(runtime, properties)
        else:
            made = _publish(runtime, properties)
            answer |= {
                "Status": "SUCCESS",
                "PhysicalResourceId": made.machine,
                "Data": {"Arn": made.machine, "Version": made.version},
            }
    except Exception as error:
        logger.exception("not deployed", request=event["RequestType"], resource=event["LogicalResourceId"])
        answer |= {"Status": "FAILED", "Reason": f"{type(error).__name__}: {error}"[:_REASON_MOST]}
    body = json.dumps(answer).encode()
    try:
        # The URL is signed for a request without a content type.
        runtime.http(HttpRequest("PUT", event["ResponseURL"], [("content-type", "")], body, 30.0))
    except HttpFailed as failed:
        logger.error("CloudFormation was not told", reason=str(failed), answer=answer)
        raise
    return answer


def _publish(runtime: Runtime, properties: Mapping[str, Any]) -> publishing.Published:
    content = (
        runtime.client("s3").get_object(Bucket=properties["Bucket"], Key=properties["Key"])["Body"].read()
    )
    package = json.loads(content)
    text = dump(package["definition"])
    for name, arn in (properties.get("Functions") or {}).items():
        text = text.replace("${" + name + "}", arn)
    tenant = runtime.store.tenant
    workflow = Workflow(
        package["name"], package["name"], json.loads(text), package.get("source_map"), _Spec.of(package.get("spec")),
        text=package.get("text"),
    )  # fmt: skip
    number = f"{package.get('version') or _UNNUMBERED}+{digest_of(text)[:12]}"
    made, _ = publishing.publish(runtime, tenant, workflow, number, _WHO, reason="deployed")
    _lead(runtime, tenant, made, properties["Alias"], float(properties.get("Weight", 1)))
    return made


def _lead(runtime: Runtime, tenant: str, made: publishing.Published, alias: str, weight: float) -> None:
    percent = round(weight * 100)
    there = routing.describe(runtime, tenant, made.workflow, alias)
    wanted = {made.version: 100} if percent >= 100 or there is None else {made.version: percent}
    if there is not None and all(there.routing.get(version) == share for version, share in wanted.items()):
        return
    routing.move(
        runtime, tenant, made.workflow, alias, made.version, _WHO,
        shift=routing.Shift(max(1, percent)), reason="deployed", how="deployed",
    )  # fmt: skip


def _remove(runtime: Runtime, properties: Mapping[str, Any]) -> None:
    from .api.errors import ApiError
    from .api.front_door import call
    from .arns import StatesArn

    machine = str(StatesArn(runtime.region, runtime.account, "stateMachine", properties["Name"]))
    for operation, field, arn in (
        ("DeleteStateMachineAlias", "stateMachineAliasArn", f"{machine}:{properties['Alias']}"),
        ("DeleteStateMachine", "stateMachineArn", machine),
    ):
        try:
            call(runtime, operation, {field: arn}, runtime.store.tenant)
        except ApiError as error:
            logger.info("not removed", arn=arn, reason=error.message)


class _Spec:
    """The spec as `publishing` reads it, out of JSON."""

    def __init__(self, value: dict[str, Any]):
        self._value = value

    @classmethod
    def of(cls, value: dict[str, Any] | None) -> _Spec | None:
        return None if value is None else cls(value)

    def model_dump(self, **options: Any) -> dict[str, Any]:
        return self._value

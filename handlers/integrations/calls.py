"""Calls of AWS's operations for tasks, through botocore: which client, which operation, and what went wrong.

A failure's name and text are those of the SDK that Step Functions uses itself: version 2 of the one for Java for
`aws-sdk:` tasks (`DynamoDb.ConditionalCheckFailedException`, `… (Service: DynamoDb, Status Code: 400, Request ID: …)`),
version 1 for the older optimized ones (`DynamoDB.…`, `… (Service: AmazonDynamoDBv2; Status Code: 400; Error Code: …)`).
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from email.utils import formatdate
from functools import lru_cache
from typing import Any

from .names import exception_name, sdk_name, service_title
from .outcomes import TaskFailed
from .values import Spelling, WrongArguments, compact, from_api, to_api

# Where the SDK for Java, whose names `aws-sdk:` tasks bear, calls a service otherwise than botocore does.
_SERVICES = {
    "applicationdiscovery": "discovery",
    "cloudwatchlogs": "logs",
    "cognitoidentityprovider": "cognito-idp",
    "costandusagereport": "cur",
    "costexplorer": "ce",
    "databasemigration": "dms",
    "directory": "ds",
    "directoryservicedata": "ds-data",
    "elasticloadbalancing": "elb",
    "elasticloadbalancingv2": "elbv2",
    "elasticsearch": "es",
    "eventbridge": "events",
    "iotdataplane": "iot-data",
    "iotjobsdataplane": "iot-jobs-data",
    "lexmodelbuilding": "lex-models",
    "lexmodelsv2": "lexv2-models",
    "lexruntimev2": "lexv2-runtime",
    "marketplacemetering": "meteringmarketplace",
    "migrationhub": "mgh",
    "pinpointsmsvoice": "sms-voice",
    "serverlessapplicationrepository": "serverlessrepo",
    "sfn": "stepfunctions",
    "simpledb": "sdb",
}


@lru_cache(maxsize=512)
def botocore_service(sdk_service: str) -> str | None:
    """botocore's name of the service that `aws-sdk:` tasks call so, or None where it knows of none."""
    import botocore.session

    key = sdk_service.lower()
    if key in _SERVICES:
        return _SERVICES[key]
    for service in botocore.session.get_session().get_available_services():
        if service.replace("-", "") == key:
            return service
    return None


def operation_of(model: Any, action: str) -> Any:
    """The model of the operation that ASL calls `action` (`putItem`), or None."""
    name = action[:1].upper() + action[1:]
    if name in model.operation_names:
        return model.operation_model(name)
    # Two APIs begin their operations' names with a small letter.
    return model.operation_model(action) if action in model.operation_names else None


@dataclass(frozen=True, slots=True)
class Style:
    """How a family of tasks speaks: it spells names with `spell`, and its errors begin with `prefix`, or the name of
    the service. `service` is that of causes, `base` the error that has no name of its own; with them, errors and answers are
    those of the SDK's version 1 (`legacy`)."""

    spell: Spelling
    prefix: str | None = None
    service: str | None = None
    base: str | None = None

    @property
    def legacy(self) -> bool:
        return self.service is not None


SDK = Style(sdk_name)
"""`aws-sdk:` tasks."""


@dataclass(frozen=True, slots=True)
class Answer:
    """`raw` is botocore's answer, `fields` the same as Step Functions gives it."""

    raw: dict[str, Any]
    fields: dict[str, Any]


def call(client: Any, action: str, arguments: Any, style: Style, *, key: str | None = None) -> Answer:
    """Performs the operation once. Raises `TaskFailed`.

    `key`, where given, becomes the operation's idempotency token, where it has one and none is given.
    """
    model = client.meta.service_model
    operation = operation_of(model, action)
    if operation is None:
        raise TaskFailed(
            "States.Runtime", f"The service {model.service_name} has no operation '{action}' that is known."
        )
    try:
        given = to_api(arguments, operation.input_shape, style.spell)
    except WrongArguments as error:
        raise could_not_start(arguments, error.problems) from None
    for token in operation.idempotent_members if key else ():
        given.setdefault(token, str(uuid.uuid5(uuid.NAMESPACE_OID, f"{key} {action}")))
    raw = call_api(client, operation.name, given, style)
    fields = from_api(raw, operation.output_shape, style.spell, milliseconds=style.legacy)
    return Answer(raw, fields)


def call_api(client: Any, operation: str, arguments: dict[str, Any], style: Style) -> dict[str, Any]:
    """Performs an operation with arguments in the API's own form. Raises `TaskFailed`."""
    from botocore import xform_name
    from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError

    try:
        return getattr(client, xform_name(operation))(**arguments)
    except ClientError as error:
        raise refused(client, error, style) from None
    except ParamValidationError as error:
        raise could_not_start(arguments, [str(error).replace("\n", " ")]) from None
    except BotoCoreError as error:
        title = style.prefix or title_of(client)
        raise TaskFailed(f"{title}.SdkClientException", str(error)) from None


def could_not_start(arguments: Any, problems: list[str]) -> TaskFailed:
    """Arguments that no call can be made with."""
    return TaskFailed(
        "States.Runtime",
        f"The Parameters '{compact(arguments)}' could not be used to start the Task: [{', '.join(problems)}]",
    )


def title_of(client: Any) -> str:
    id = client.meta.service_model.service_id.removeprefix("Amazon ").removeprefix("AWS ")
    return service_title(id.removesuffix(" Service"))


def refused(client: Any, error: Any, style: Style) -> TaskFailed:
    """botocore's `ClientError` as the failure that Step Functions makes of it."""
    details, about = error.response.get("Error", {}), error.response.get("ResponseMetadata", {})
    code, message = details.get("Code", "Unknown"), details.get("Message") or details.get("message") or ""
    status = about.get("HTTPStatusCode", 400)
    if code == "NotImplemented" and status == 501:
        # The local cloud's own answer: nothing that a workflow on AWS could retry or catch.
        return TaskFailed("States.Runtime", message)
    model = client.meta.service_model
    # Services that once spoke in queries give two codes.
    shape = model.shape_for_error_code(code) or model.shape_for_error_code(details.get("QueryErrorCode", ""))
    request = about.get("RequestId") or str(uuid.uuid4())
    if style.legacy:
        name = exception_name(shape.name, legacy=True) if shape is not None else style.base
        where = f"Service: {style.service}; Status Code: {status}; Error Code: {code}; Request ID: {request}; Proxy: null"
        return TaskFailed(f"{style.prefix or title_of(client)}.{name}", f"{message} ({where})")
    title = title_of(client)
    name = exception_name(shape.name, legacy=False) if shape is not None else f"{title}Exception"
    where = f"Service: {title}, Status Code: {status}, Request ID: {request}"
    if client.meta.service_model.service_name == "s3":
        where += f", Extended Request ID: {about.get('HostId') or uuid.uuid4().hex}"
    return TaskFailed(f"{style.prefix or title}.{name}", f"{message} ({where})")


def with_metadata(fields: dict[str, Any], raw: dict[str, Any]) -> dict[str, Any]:
    """What version 1 of the SDK adds to an answer: the HTTP response's headers and status, and the request's id."""
    about = raw.get("ResponseMetadata", {})
    request = about.get("RequestId") or str(uuid.uuid4())
    headers = about.get("HTTPHeaders", {})
    names = {"x-amzn-RequestId": request, "connection": "keep-alive"}
    for name in ("Content-Length", "Date", "Content-Type", "x-amz-crc32"):
        if name.lower() in headers:
            names[name] = headers[name.lower()]
    if "x-amz-crc32" in names:
        names["Server"] = "Server"  # DynamoDB
    names.setdefault("Date", formatdate(usegmt=True))
    metadata = {
        "SdkHttpMetadata": {
            "AllHttpHeaders": {name: [value] for name, value in names.items()},
            "HttpHeaders": dict(sorted(names.items(), key=lambda each: each[0].lower())),
            "HttpStatusCode": about.get("HTTPStatusCode", 200),
        },
        "SdkResponseMetadata": {"RequestId": request},
    }
    return dict(sorted({**fields, **metadata}.items()))

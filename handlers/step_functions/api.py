"""Operations of Step Functions' API (AWS Step Functions API Reference), with their errors as ours."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from ..api.errors import ApiError
from ..store import StoreError

Answer = dict[str, Any]


class Api:
    """`client` gives boto3's client of Step Functions; it is asked for when something is called first."""

    def __init__(self, client: Callable[[], Any]):
        self._client = client

    def call(self, operation: str, **parameters: Any) -> Answer:
        """Times in the answer are seconds, as on the wire. Raises `ApiError` where AWS refuses, `StoreError` where it cannot
        be asked."""
        from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError

        method = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", operation).lower()
        try:
            answer = getattr(self._client(), method)(**parameters)
        except ClientError as error:
            told = error.response.get("Error", {})
            raise ApiError(told.get("Code", ""), told.get("Message", "")) from None
        except ParamValidationError as error:
            raise ApiError("ValidationException", str(error)) from None
        except BotoCoreError as error:
            raise StoreError(f"AWS cannot be asked: {error}") from None
        return _seconds({name: value for name, value in answer.items() if name != "ResponseMetadata"})

    def read(self, operation: str, **parameters: Any) -> Answer | None:
        """The answer; None of what does not exist (any more: AWS keeps executions for 90 days after their end). Raises
        `StoreError`."""
        try:
            return self.call(operation, **parameters)
        except ApiError as error:
            if error.type in (
                "ExecutionDoesNotExist",
                "StateMachineDoesNotExist",
                "InvalidArn",
                "ResourceNotFound",
            ):
                return None
            raise StoreError(f"Step Functions refused {operation}: {error.type}: {error.message}") from None

    def history(self, execution: str, *, newest_first: bool) -> Iterator[Answer]:
        """The events of an execution; none where there is no such execution."""
        token: dict[str, str] = {}
        while True:
            page = self.read(
                "GetExecutionHistory", executionArn=execution, reverseOrder=newest_first, maxResults=100 if newest_first else 1000,
                **token,
            )  # fmt: skip
            if page is None:
                return
            yield from page["events"]
            if not page.get("nextToken"):
                return
            token = {"nextToken": page["nextToken"]}


def _seconds(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.timestamp()
    if isinstance(value, dict):
        return {name: _seconds(each) for name, each in value.items()}
    return [_seconds(each) for each in value] if isinstance(value, list) else value


def milliseconds(seconds: float) -> int:
    return round(seconds * 1000)

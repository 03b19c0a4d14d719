"""Functions on AWS: Lambda itself."""

from __future__ import annotations

import base64
import json
from collections.abc import Collection
from typing import Any

from .functions import FunctionNotFound, Invocation, InvocationResult, InvokeError


class LambdaFunctions:
    """Lambda's Invoke API. A function's own timeout is Lambda's business; a task's is the engine's.

    `long` are names of functions that the deployment has sent their results to the engine's queue, as they may run long.
    """

    def __init__(self, client: Any = None, *, long: Collection[str] = ()):
        if client is None:
            import boto3
            from botocore.config import Config

            # A call lasts as long as the function does; asking again would run it a second time.
            client = boto3.client(
                "lambda", config=Config(read_timeout=910, retries={"total_max_attempts": 1})
            )
        self._client = client
        self._long = frozenset(long)

    def is_long(self, name: str) -> bool:
        """Whether what comes of the function, invoked later, comes by itself."""
        return name in self._long

    def invoke(self, invocation: Invocation) -> InvocationResult:
        """Raises `FunctionNotFound`; `InvokeError` as `Lambda.` and the code of the API's error, or as
        `Lambda.SdkClientException` where there was no answer (the function may have run)."""
        answer, payload = self._call(invocation, InvocationType="RequestResponse", LogType="Tail")
        return InvocationResult(
            payload=payload.decode("utf-8", "replace"),
            function_error=answer.get("FunctionError"),
            executed_version=answer.get("ExecutedVersion", "$LATEST"),
            log=base64.b64decode(answer.get("LogResult", "")).decode("utf-8", "replace"),
        )

    def invoke_later(self, invocation: Invocation) -> None:
        """Puts the event into the function's queue. Raises as `invoke` does."""
        self._call(invocation, InvocationType="Event")

    def check(self, invocation: Invocation) -> None:
        """Whether the function could be called. Raises as `invoke` does."""
        self._call(invocation, InvocationType="DryRun")

    def _call(self, invocation: Invocation, **how: str) -> tuple[dict[str, Any], bytes]:
        from botocore.exceptions import BotoCoreError, ClientError

        options: dict[str, Any] = {
            "FunctionName": invocation.function,
            "Payload": invocation.payload.encode(),
            **how,
        }
        if invocation.client_context:
            context = json.dumps({"custom": invocation.client_context})
            options["ClientContext"] = base64.b64encode(context.encode()).decode()
        try:
            answer = self._client.invoke(**options)
            return answer, answer["Payload"].read()
        except ClientError as error:
            code = error.response["Error"]["Code"]
            message = error.response["Error"].get("Message", str(error))
            if code == "ResourceNotFoundException":
                raise FunctionNotFound(message) from None
            raise InvokeError(f"Lambda.{code}", message) from None
        except BotoCoreError as error:
            raise InvokeError("Lambda.SdkClientException", str(error)) from None

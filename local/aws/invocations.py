"""Lambda's Invoke: waited for, or asynchronous with further attempts and destinations.

See the AWS Lambda API reference, "Invoke", and the AWS Lambda guide, "Invoking a Lambda function asynchronously".
"""

from __future__ import annotations

import base64
import json
import re
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import parse_qs, unquote

from ...handlers.functions import FunctionNotFound, Invocation, InvocationResult, InvokeError
from ...handlers.logs import logger
from .cloudwatch.own_metrics import LambdaMetrics
from .destinations import Clients, Outcome, send_dead_letter, send_record
from .function_logs import FunctionLogs, framed
from .functions import LocalFunctions, parse
from .messages import Caller, Request, Response, json_response

MAX_PAYLOAD = 6_291_456
MAX_ASYNCHRONOUS = 1_048_576
"""Bytes of an event, where the caller waits and where it does not."""
_LOG_TAIL = 4096
_FURTHER_ATTEMPTS = 2
_DELAYS = (60.0, 120.0)
"""Seconds before the second attempt and the third."""

_INVOKE = re.compile(r"/2015-03-31/functions/([^/]+)/invocations/?")
_INVOKE_ASYNC = re.compile(r"/2014-11-13/functions/([^/]+)/invoke-async/?")


class Invocations:
    """The functions, as tasks and the API call them.

    `clients` make boto3's clients for destinations, `metrics` count; `waits` is False where no delay takes time.
    """

    def __init__(
        self,
        functions: LocalFunctions,
        logs: FunctionLogs,
        clients: Clients,
        metrics: LambdaMetrics,
        *,
        waits: bool = True,
    ):
        self.functions = functions
        self.logs = logs
        self._clients = clients
        self._metrics = metrics
        self._waits = waits
        self._pool = ThreadPoolExecutor(16, "stratum-invoke")
        self._timers: set[threading.Timer] = set()
        self._closed = False

    def close(self) -> None:
        self._closed = True
        for timer in list(self._timers):
            timer.cancel()
        self._pool.shutdown(wait=False, cancel_futures=True)
        self.functions.close()

    # -- what tasks and other services do ----------------------------------------------------------------

    def invoke(self, invocation: Invocation) -> InvocationResult:
        """Calls the function, waits for it and keeps its log. Raises `FunctionNotFound` and `InvokeError`."""
        return self._invoke(invocation)[0]

    def invoke_later(self, invocation: Invocation) -> None:
        """Puts the event into the function's queue. Raises `FunctionNotFound` and `InvokeError`."""
        self.functions.config(invocation)
        self._pool.submit(self._attempt, invocation, 1)

    def check(self, invocation: Invocation) -> None:
        """Whether the function could be called. Raises `FunctionNotFound` and `InvokeError`."""
        self.functions.config(invocation)

    def _invoke(self, invocation: Invocation) -> tuple[InvocationResult, str]:
        name, qualifier, account, region = parse(invocation)
        try:
            config = self.functions.config(invocation)
        except InvokeError as error:
            if error.error == "Lambda.TooManyRequestsException":
                self._metrics.throttled((account, region), name, qualifier)
            raise
        began = time.monotonic()
        result = self.functions.invoke(invocation, config)
        seconds = time.monotonic() - began
        self._metrics.invoked(
            (account, region),
            name,
            qualifier,
            result.executed_version,
            failed=result.function_error is not None,
            seconds=seconds,
        )
        log = framed(config, invocation.request_id, result, seconds)
        self.logs.write(config, result.stream, log)
        return result, log

    # -- the API -----------------------------------------------------------------------------------------

    def handle(self, request: Request, caller: Caller) -> Response | None:
        """The answer to an Invoke request, or None for any other."""
        if request.method != "POST":
            return None
        if found := _INVOKE.fullmatch(request.path):
            kind = request.headers.get("x-amz-invocation-type", "RequestResponse")
        elif found := _INVOKE_ASYNC.fullmatch(request.path):
            kind = "Event"
        else:
            return None
        try:
            invocation = self._requested(unquote(found[1]), request, caller, kind)
            if kind == "DryRun":
                self.functions.config(invocation)
                return Response(204)
            if kind == "Event":
                self.invoke_later(invocation)
                return Response(202, [("x-amzn-requestid", invocation.request_id)])
            return _answer(invocation, *self._invoke(invocation), request)
        except FunctionNotFound as error:
            return _refusal(404, "ResourceNotFoundException", str(error))
        except InvokeError as error:
            name = error.error.removeprefix("Lambda.")
            return _refusal(_STATUS.get(name, 502), name, str(error))

    def _requested(self, function: str, request: Request, caller: Caller, kind: str) -> Invocation:
        most = MAX_PAYLOAD if kind == "RequestResponse" else MAX_ASYNCHRONOUS
        if len(request.body) > most:
            raise InvokeError(
                "Lambda.RequestTooLargeException",
                f"Request must be smaller than {most} bytes for the InvokeFunction operation",
            )
        try:
            payload = request.body.decode() or "{}"
            json.loads(payload)
        except (ValueError, RecursionError) as error:
            raise InvokeError(
                "Lambda.InvalidRequestContentException", f"Could not parse request body into json: {error}"
            ) from None
        qualifier = parse_qs(request.query).get("Qualifier", [""])[0]
        if qualifier and not function.endswith(f":{qualifier}"):
            function = f"{function}:{qualifier}"
        return Invocation(
            function,
            payload,
            str(uuid.uuid4()),
            _client_context(request.headers.get("x-amz-client-context", "")),
            account=caller.account,
            region=caller.region,
        )

    # -- asynchronous ------------------------------------------------------------------------------------

    def _attempt(self, invocation: Invocation, count: int) -> None:
        try:
            result = self.invoke(invocation)
        except Exception as error:
            if not self._closed:
                logger.warning("not invoked", function=invocation.function, reason=str(error))
            return
        config = self._event_invoke_config(invocation)
        if result.function_error is None:
            self._over(invocation, result, count, config, "OnSuccess")
        elif count > config.get("MaximumRetryAttempts", _FURTHER_ATTEMPTS):
            self._over(invocation, result, count, config, "OnFailure")
        elif self._waits:
            self._later(_DELAYS[min(count, len(_DELAYS)) - 1], invocation, count + 1)
        else:
            self._attempt(invocation, count + 1)

    def _later(self, seconds: float, invocation: Invocation, count: int) -> None:
        def again() -> None:
            self._timers.discard(timer)
            if not self._closed:
                self._pool.submit(self._attempt, invocation, count)

        timer = threading.Timer(seconds, again)
        timer.daemon = True
        self._timers.add(timer)
        timer.start()

    def _event_invoke_config(self, invocation: Invocation) -> dict[str, Any]:
        """That of the version or, where it has none, of the function."""
        name, _, account, region = parse(invocation)
        for each in (invocation, Invocation(name, "", "", account=account, region=region)):
            configs = getattr(self.functions.made(each), "event_invoke_config", None)
            if configs:
                return configs[0].config
        return {}

    def _over(
        self, invocation: Invocation, result: InvocationResult, count: int, config: dict[str, Any], which: str
    ) -> None:
        """Tells the destination and, where it failed, the dead-letter queue."""
        name, qualifier, account, region = parse(invocation)
        arn = f"arn:aws:lambda:{region}:{account}:function:{name}:{qualifier or '$LATEST'}"
        outcome = Outcome(invocation, result, arn, count)
        destination = config.get("DestinationConfig", {}).get(which, {}).get("Destination")
        letters = self.functions.dead_letter_target(invocation) if which == "OnFailure" else None
        try:
            if destination:
                send_record(self._clients, destination, outcome, self.invoke_later)
            if letters:
                send_dead_letter(self._clients, letters, outcome)
        except Exception as error:
            logger.warning("destination not reached", function=arn, reason=str(error))


_STATUS = {
    "RequestTooLargeException": 413,
    "InvalidRequestContentException": 400,
    "InvalidRuntimeException": 502,
    "InvalidZipFileException": 502,
    "TooManyRequestsException": 429,
    "ServiceException": 500,
}


def _answer(invocation: Invocation, result: InvocationResult, log: str, request: Request) -> Response:
    headers = [
        ("content-type", "application/json"),
        ("x-amzn-requestid", invocation.request_id),
        ("x-amz-executed-version", result.executed_version),
    ]
    if result.function_error:
        headers.append(("x-amz-function-error", result.function_error))
    if request.headers.get("x-amz-log-type") == "Tail":
        tail = log.encode()[-_LOG_TAIL:]
        headers.append(("x-amz-log-result", base64.b64encode(tail).decode()))
    return Response(200, headers, result.payload.encode())


def _refusal(status: int, error: str, message: str) -> Response:
    return json_response(status, {"Type": "User", "Message": message}, x_amzn_errortype=error)


def _client_context(header: str) -> dict[str, Any] | None:
    try:
        return json.loads(base64.b64decode(header)).get("custom") if header else None
    except (ValueError, AttributeError):
        return None

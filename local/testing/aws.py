"""AWS as a test sees it: boto3's clients, wherever they were made, come to the cloud of the test.

Step Functions is answered by our handlers, everything else by moto: by the user's own `mock_aws` where one is active,
else by one of ours, which is started with the first call. A client with an endpoint of its own is left alone. Nothing
here imports boto3 or moto before somebody uses them.
"""

from __future__ import annotations

import base64
import importlib.util
import os
import re
import sys
import threading
from collections.abc import Callable
from functools import lru_cache, partial
from importlib.machinery import ModuleSpec
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import unquote, urlsplit

from ...handlers.api import front_door
from .problem import Interrupted, SetupError

if TYPE_CHECKING:
    from ...handlers.functions import InvocationResult
    from ...handlers.runtime import Runtime

ACCOUNT = "123456789012"
_CREDENTIALS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}
_REGIONS = ("AWS_REGION", "AWS_DEFAULT_REGION")

_INVOKE = re.compile(r"/2015-03-31/functions/([^/]+)/invocations/?$")

_active: list[Aws] = []
"""The clouds that are open in this process; the last one answers."""


class Host(Protocol):
    """What an `Aws` asks of the cloud that it belongs to."""

    def runtime_for(self, account: str, region: str) -> Runtime:
        """The runtime of requests for that account and region."""
        ...

    def asked(self, operation: str, body: bytes) -> None:
        """Before a request to Step Functions is answered."""
        ...

    def answered(self, operation: str) -> None:
        """After it is."""
        ...

    def invoked(self, function: str, payload: str) -> InvocationResult | None:
        """Calls a Lambda function of the test; None where there is none of that name."""
        ...


class Aws:
    """The AWS of one test."""

    def __init__(self, host: Host):
        self._host = host
        self._moto: Any = None
        self._lock = threading.RLock()
        self._environ = {name: os.environ.get(name) for name in (*_CREDENTIALS, "AWS_DEFAULT_REGION")}
        self.region = next((os.environ[name] for name in _REGIONS if os.environ.get(name)), "us-east-1")
        os.environ.update(_CREDENTIALS, AWS_DEFAULT_REGION=self.region)
        _active.append(self)
        hook()

    def close(self) -> None:
        _active.remove(self)
        if self._moto is not None:
            self._moto.stop()
        for name, value in self._environ.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value

    def step_functions(self, request: Any, region: str) -> Any:
        """botocore's response to a prepared request to Step Functions, by a client for that region."""
        from ..aws.clients import answer
        from ..aws.messages import Request, Response

        def handle(request: Request) -> Response:
            caller = request.caller()
            body = base64.b64encode(request.body).decode()
            event = {"headers": request.headers, "body": body, "isBase64Encoded": True}
            operation = request.headers.get("x-amz-target", "").removeprefix(front_door.TARGET)
            with self._lock:
                self._host.asked(operation, request.body)
                given = front_door.handle(self._host.runtime_for(caller.account, region), event)
                self._host.answered(operation)
            return Response(given["statusCode"], list(given["headers"].items()), given["body"].encode())

        return _guarded(lambda: answer(handle, request))

    def invoke(self, request: Any) -> Any:
        """botocore's response to a prepared request to invoke a function; None where the test has no such function."""
        from ..aws.clients import answer
        from ..aws.messages import Request, Response

        function = _INVOKE.search(urlsplit(request.url).path)
        if function is None:
            return None
        body: Any = request.body or b""
        payload = (body.read() if hasattr(body, "read") else body) or b"{}"
        text = payload.decode() if isinstance(payload, bytes) else payload
        result = _guarded(lambda: self._host.invoked(unquote(function[1]), text))
        if result is None:
            return None
        event = request.headers.get("X-Amz-Invocation-Type") in ("Event", b"Event")

        def handle(request: Request) -> Response:
            if event:
                return Response(202)
            failed = [("x-amz-function-error", result.function_error)] if result.function_error else []
            return Response(200, [("x-amz-executed-version", "$LATEST"), *failed], result.payload.encode())

        return answer(handle, request)

    def have_moto(self) -> None:
        """Has moto answer from now on. Raises `SetupError` where it is not installed."""
        if "moto.core.models" in sys.modules and sys.modules["moto.core.models"].botocore_stubber.enabled:
            return
        try:
            from moto import mock_aws
        except ImportError:
            raise SetupError(
                "AWS services in tests need moto: pip install 'stratum[local]'; or mock the task"
            ) from None
        with self._lock:
            if self._moto is not None:
                self._moto.stop()
            self._moto = mock_aws()
            self._moto.start()


def _guarded(work: Callable[[], Any]) -> Any:
    """An error of the test's own comes out as it was raised, also through boto3."""
    try:
        return work()
    except Interrupted as interrupted:
        error = interrupted.error
    raise error


@lru_cache(maxsize=1)
def session() -> Any:
    """One for all tests: loading what botocore knows of a service takes its time. Raises `SetupError`."""
    try:
        from boto3.session import Session
    except ImportError:
        raise SetupError("AWS services in tests need boto3: pip install 'stratum[local]'") from None
    return Session(*_CREDENTIALS.values())


@lru_cache(maxsize=256)
def client(service: str, region: str) -> Any:
    """boto3's client, which goes to the cloud of the test that is running. Raises `SetupError` where boto3 is not
    installed, and botocore's `UnknownServiceError`."""
    return session().client(service, region_name=region)


def hook() -> None:
    """Has every client of boto3, made before or after, ask for the cloud of the test: at once where botocore is
    loaded, else when it is."""
    if "botocore.client" in sys.modules:
        _hook_clients(sys.modules["botocore.client"])
    elif not any(isinstance(finder, _Waiting) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Waiting())


def _hook_clients(module: Any) -> None:
    original = module.BaseClient._make_api_call
    if getattr(original, "_stratum", False):
        return

    def make_api_call(self: Any, operation_name: str, api_params: Any) -> Any:
        if _active:
            _join(self)
        return original(self, operation_name, api_params)

    make_api_call._stratum = True  # pyright: ignore[reportFunctionMemberAccess]
    module.BaseClient._make_api_call = make_api_call


def _join(client: Any) -> None:
    """Leads the client's requests to the cloud of the test, for as long as there is one."""
    if (
        not client.meta.endpoint_url.partition("?")[0]
        .rstrip("/")
        .endswith((".amazonaws.com", ".amazonaws.com.cn"))
    ):
        return
    events, service = client.meta.events, client.meta.service_model.service_name
    if getattr(getattr(client, "_request_signer", None), "_credentials", None) is None:
        # Made before there were any; nothing here asks for them.
        events.register_first("choose-signer", _unsigned, unique_id="stratum-unsigned")
    if service == "stepfunctions":
        answer = partial(_answer, client.meta.region_name)
        events.register_first("before-send.sfn", answer, unique_id="stratum")
        return
    if service == "lambda":
        events.register_first("before-send.lambda.Invoke", _answer_invoke, unique_id="stratum")
    _active[-1].have_moto()
    from moto.core.models import botocore_stubber

    # One that was made before moto was imported does not know of it.
    events.register("before-send", botocore_stubber, unique_id="stratum-moto")


def _answer(region: str, request: Any, **kwargs: Any) -> Any:
    return _active[-1].step_functions(request, region) if _active else None


def _answer_invoke(request: Any, **kwargs: Any) -> Any:
    return _active[-1].invoke(request) if _active else None


def _unsigned(**kwargs: Any) -> Any:
    import botocore

    return botocore.UNSIGNED if _active else None


class _Waiting:
    """Waits, among the finders of modules, for botocore to be imported."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        if name != "botocore.client":
            return None
        sys.meta_path.remove(self)  # pyright: ignore[reportArgumentType]
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def exec_module(module: Any) -> None:
                execute(module)
                _hook_clients(module)

            spec.loader.exec_module = exec_module  # pyright: ignore[reportAttributeAccessIssue]
        return spec

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
from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from importlib.machinery import ModuleSpec
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import unquote, urlsplit

from ...handlers.api import front_door
from .problem import Interrupted, SetupError

if TYPE_CHECKING:
    from ...handlers.functions import InvocationResult
    from ...handlers.runtime import Runtime
    from ..aws.messages import Response

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

    def step_functions(self, request: Mapping[str, Any], region: str) -> Response:
        """Answers a request as botocore has made it, of a client for that region."""
        from ..aws.messages import Response

        target = request["headers"].get("X-Amz-Target", "")
        body = _bytes(request["body"])
        event = {
            "headers": {"x-amz-target": target},
            "body": base64.b64encode(body).decode(),
            "isBase64Encoded": True,
        }
        operation = target.removeprefix(front_door.TARGET)
        with self._lock:
            self._host.asked(operation, body)
            given = front_door.handle(self._host.runtime_for(ACCOUNT, region), event)
            self._host.answered(operation)
        return Response(given["statusCode"], list(given["headers"].items()), given["body"].encode())

    def invoke(self, request: Mapping[str, Any]) -> Response | None:
        """Answers a request to invoke a function; None where the test has no such function."""
        from ..aws.messages import Response

        function = _INVOKE.search(request["url_path"])
        if function is None:
            return None
        result = self._host.invoked(unquote(function[1]), _bytes(request["body"]).decode() or "{}")
        if result is None:
            return None
        if request["headers"].get("X-Amz-Invocation-Type") == "Event":
            return Response(202)
        failed = [("x-amz-function-error", result.function_error)] if result.function_error else []
        return Response(200, [("x-amz-executed-version", "$LATEST"), *failed], result.payload.encode())

    def have_moto(self) -> None:
        """Has moto answer from now on. Raises `SetupError` where it is not installed."""
        if "moto.core.models" in sys.modules and sys.modules["moto.core.models"].botocore_stubber.enabled:
            return
        try:
            from moto import mock_aws
        except ImportError:
            raise SetupError(
                "AWS services in tests need moto: pip install 'stratum-workflows[local]'; or mock the task"
            ) from None
        with self._lock:
            if self._moto is not None:
                self._moto.stop()
            self._moto = mock_aws()
            self._moto.start()


@lru_cache(maxsize=1)
def session() -> Any:
    """One for all tests: loading what botocore knows of a service takes its time. Raises `SetupError`."""
    try:
        from boto3.session import Session
    except ImportError:
        raise SetupError("AWS services in tests need boto3: pip install 'stratum-workflows[local]'") from None
    return Session(*_CREDENTIALS.values())


@lru_cache(maxsize=256)
def client(service: str, region: str) -> Any:
    """boto3's client, which goes to the cloud of the test that is running. Raises `SetupError` where boto3 is not
    installed, and botocore's `UnknownServiceError`."""
    from botocore.config import Config

    # An endpoint that is set for other programs is not the test's.
    config = Config(ignore_configured_endpoint_urls=True)  # pyright: ignore[reportCallIssue]
    return session().client(service, region_name=region, config=config)


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
    service = client.meta.service_model.service_name
    host = urlsplit(client.meta.endpoint_url).hostname or ""
    if not host.endswith((".amazonaws.com", ".amazonaws.com.cn")):
        return
    if service != "stepfunctions":
        _active[-1].have_moto()
    if getattr(client, "_stratum", False):
        return
    client._stratum = True
    events = client.meta.events
    if service == "stepfunctions":
        # Before anything is signed or sent: moto would answer it as well.
        events.register_first("before-call.sfn", partial(_step_functions, client.meta.region_name))
        return
    if service == "lambda":
        events.register_first("before-call.lambda.Invoke", _invoke)
    if getattr(getattr(client, "_request_signer", None), "_credentials", None) is None:
        # Made before there were any; nothing here asks for them.
        events.register_first("choose-signer", _unsigned)
    from moto.core.models import botocore_stubber

    # A client that was made before moto was imported does not know of it; twice it would do everything twice.
    events.unregister("before-send", botocore_stubber)
    events.register("before-send", botocore_stubber)


def _step_functions(region: str, *, model: Any, params: Any, **kwargs: Any) -> Any:
    return _answer(model, params, lambda aws: aws.step_functions(params, region))


def _invoke(*, model: Any, params: Any, **kwargs: Any) -> Any:
    return _answer(model, params, lambda aws: aws.invoke(params))


def _answer(model: Any, request: Mapping[str, Any], handle: Callable[[Aws], Response | None]) -> Any:
    """botocore's response and what it makes of it; None where the request is to go its way. An error of the test's
    own comes out as it was raised."""
    if not _active:
        return None
    try:
        response = handle(_active[-1])
    except Interrupted as interrupted:
        error = interrupted.error
    else:
        return None if response is None else _parsed(model, request["url"], response)
    raise error


def _parsed(model: Any, url: str, response: Response) -> tuple[Any, Any]:
    from botocore.endpoint import convert_to_response_dict
    from botocore.parsers import create_parser

    from ..aws.clients import to_botocore

    answer = to_botocore(url, response)
    parser = create_parser(model.service_model.resolved_protocol)
    return answer, parser.parse(convert_to_response_dict(answer, model), model.output_shape)


def _bytes(body: Any) -> bytes:
    content = body.read() if hasattr(body, "read") else body
    return content.encode() if isinstance(content, str) else bytes(content or b"")


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

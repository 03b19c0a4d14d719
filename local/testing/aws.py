"""AWS as a test sees it: boto3's clients, wherever they were made, come to the cloud of the test.

Step Functions is answered by our handlers, everything else by moto: by the user's own `mock_aws` where one is active,
else by one of ours, which is started with the first call. A client with an endpoint of its own is left alone. Nothing
here imports boto3 or moto before somebody uses them.
"""

from __future__ import annotations

import base64
import importlib.util
import os
import sys
import threading
from collections.abc import Callable
from importlib.machinery import ModuleSpec
from typing import TYPE_CHECKING, Any

from ...handlers.api import front_door
from .problem import Interrupted, SetupError

if TYPE_CHECKING:
    from ...handlers.runtime import Runtime

ACCOUNT = "123456789012"
_CREDENTIALS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}
_REGIONS = ("AWS_REGION", "AWS_DEFAULT_REGION")

_active: list[Aws] = []
"""The clouds that are open in this process; the last one answers."""


class Aws:
    """The AWS of one test. `runtime_for` gives the runtime for an account and a region; `answered` is called after
    each request that Step Functions answered, with its operation."""

    def __init__(
        self, runtime_for: Callable[[str, str], Runtime], answered: Callable[[str, dict[str, Any]], None]
    ):
        self._runtime_for = runtime_for
        self._answered = answered
        self._moto: Any = None
        self._clients: dict[tuple[str, str], Any] = {}
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

    def client(self, service: str, account: str, region: str) -> Any:
        """A client for the workflow's own tasks."""
        key = (service, region)
        found = self._clients.get(key)
        if found is None:
            found = self._clients[key] = make_client(service, region)
        return found

    def step_functions(self, request: Any) -> Any:
        """botocore's response to a prepared request to Step Functions."""
        from ..aws.clients import answer
        from ..aws.messages import Request, Response

        def handle(request: Request) -> Response:
            caller = request.caller()
            body = base64.b64encode(request.body).decode()
            event = {"headers": request.headers, "body": body, "isBase64Encoded": True}
            operation = request.headers.get("x-amz-target", "").removeprefix(front_door.TARGET)
            with self._lock:
                given = front_door.handle(self._runtime_for(caller.account, caller.region), event)
                self._answered(operation, given)
            return Response(given["statusCode"], list(given["headers"].items()), given["body"].encode())

        try:
            return answer(handle, request)
        except Interrupted as interrupted:
            error = interrupted.error
        raise error

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


def make_client(service: str, region: str, **options: Any) -> Any:
    """Raises `SetupError` where boto3 is not installed, and botocore's `UnknownServiceError`."""
    try:
        from boto3.session import Session
    except ImportError:
        raise SetupError("AWS services in tests need boto3: pip install 'stratum[local]'") from None
    return Session().client(service, region_name=region, **options)  # pyright: ignore[reportCallIssue, reportArgumentType]


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
    events = client.meta.events
    if client.meta.service_model.service_name == "stepfunctions":
        events.register_first("before-send.sfn", _answer, unique_id="stratum")
        return
    _active[-1].have_moto()
    from moto.core.models import botocore_stubber

    # One that was made before moto was imported does not know of it.
    events.register("before-send", botocore_stubber, unique_id="stratum-moto")


def _answer(request: Any, **kwargs: Any) -> Any:
    return _active[-1].step_functions(request) if _active else None


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

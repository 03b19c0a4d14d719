"""Everything that is not ours, answered by moto within this process. Importing it takes a while: nothing here is
imported before a request needs it."""

from __future__ import annotations

import contextlib
import io
import json
import sys
import threading
import zlib
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from .messages import ACCOUNT, Request, Response

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


_ENCRYPTION = "x-amz-server-side-encryption"


class MissingMoto(RuntimeError):
    """moto is not installed."""

    def __init__(self) -> None:
        super().__init__("services beside Step Functions need moto: pip install 'stratum-workflows[local]'")


class MotoServices:
    """moto's own server application, called without a network. Its state is this process's: there is one."""

    def __init__(self) -> None:
        self._app: Any = None
        self._loading = threading.RLock()
        self._tables = threading.RLock()
        self._listeners: list[Callable[[], None]] = []

    def when_loaded(self, listener: Callable[[], None]) -> None:
        """Called once, before the first request is answered."""
        self._listeners.append(listener)

    @property
    def loaded(self) -> bool:
        return self._app is not None

    def load(self) -> Any:
        """The application. Raises `MissingMoto`."""
        if self._app is None:
            with self._loading:
                if self._app is None:
                    try:
                        from moto.moto_server.werkzeug_app import (
                            DomainDispatcherApplication,
                            create_backend_app,
                        )
                    except ImportError:
                        raise MissingMoto from None
                    from moto.core.config import default_user_config

                    # Nothing here needs Docker: jobs of Batch are pretended, as those of the other services are.
                    default_user_config["batch"] = {"use_docker": False}
                    for listener in self._listeners:
                        listener()
                    self._app = DomainDispatcherApplication(create_backend_app)
        return self._app

    def handle(self, request: Request, account: str) -> Response:
        """The account is 123456789012 where moto may find another by the access key."""
        application = self.load()
        status: list[str] = []
        headers: list[tuple[str, str]] = []

        def start(line: str, given: list[tuple[str, str]], error: Any = None) -> None:
            status[:] = [line]
            headers[:] = given

        environ = _environ(request, account)
        # moto looks at a condition and writes in two steps, and another thread may write between them: a conditional put would
        # have two winners. One request at a time, then, as only one thread gets on with it in any case.
        alone = request.headers.get("x-amz-target", "").startswith("DynamoDB")
        with self._tables if alone else contextlib.nullcontext():
            parts: Iterable[bytes] = application(environ, start)
            try:
                body = b"".join(parts)
            finally:
                close = getattr(parts, "close", None)
                if close is not None:
                    close()
        response = Response(int(status[0].split(" ", 1)[0]), headers, body)
        _complete(request, response)
        return response

    def lacks(self, service: str, operation: str) -> str | None:
        """Why moto is no answer for the operation, or None; see `moto_coverage`."""
        from .moto_coverage import lacks

        try:
            self.load()
        except MissingMoto as error:
            return str(error)
        return lacks(service, operation)

    def backend(self, service: str, account: str, region: str) -> Any:
        """moto's model of a service."""
        from moto.backends import get_backend

        self.load()
        return get_backend(service)[account][region]  # pyright: ignore[reportArgumentType, reportCallIssue]

    def reset(self) -> None:
        if "moto" in sys.modules and self.loaded:
            from moto.core.base_backend import BackendDict

            BackendDict.reset()


def _complete(request: Request, response: Response) -> None:
    """Adds what S3 says of an object, and moto does not: how it is encrypted, and what its checksum is of. Takes away
    what DynamoDB tells of a write only when it is asked for it."""
    names = {name.lower() for name, _ in response.headers}
    if request.caller().service == "s3" and "etag" in names and _ENCRYPTION not in names:
        response.headers.append((_ENCRYPTION, "AES256"))
    if b'"ConsumedCapacity"' in response.body and b'"ReturnConsumedCapacity"' not in request.body:
        _without_capacity(response)
    if any(name.startswith("x-amz-checksum-") for name in names) and "x-amz-checksum-type" not in names:
        response.headers.append(("x-amz-checksum-type", "FULL_OBJECT"))


def _without_capacity(response: Response) -> None:
    answer = json.loads(response.body)
    answer.pop("ConsumedCapacity", None)
    response.body = json.dumps(answer).encode()
    changed = {"content-length": str(len(response.body)), "x-amz-crc32": str(zlib.crc32(response.body))}
    response.headers[:] = [(name, changed.get(name.lower(), value)) for name, value in response.headers]


def _environ(request: Request, account: str) -> dict[str, Any]:
    """The request as WSGI has it (PEP 3333)."""
    host = request.headers.get("host", "127.0.0.1")
    name, _, port = host.rpartition(":") if ":" in host else (host, "", "80")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote(request.path, "latin-1"),
        "QUERY_STRING": request.query,
        "REQUEST_URI": request.target,
        "RAW_URI": request.target,
        "SERVER_NAME": name,
        "SERVER_PORT": port,
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(request.body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for key, value in request.headers.items():
        environ["HTTP_" + key.upper().replace("-", "_")] = value
    environ["CONTENT_LENGTH"] = str(len(request.body))
    environ["HTTP_CONTENT_LENGTH"] = environ["CONTENT_LENGTH"]
    environ.pop("HTTP_TRANSFER_ENCODING", None)
    if "content-type" in request.headers:
        environ["CONTENT_TYPE"] = request.headers["content-type"]
    if account != ACCOUNT:
        environ["HTTP_X_MOTO_ACCOUNT_ID"] = account
    return environ

"""The one door: which of us answers a request, and what is done around it."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ...handlers.api import front_door
from ...handlers.http import HttpRequest, HttpResponse, send
from ...handlers.logs import logger
from ...handlers.mocks import MockedTasks
from ...handlers.runtime import Elsewhere
from ...handlers.store import Commit, Store
from ..clock import Clock, RealClock
from ..cloud import LocalCloud
from ..functions import Workers
from . import bucket_policies, function_model, function_settings, managed_policies, stacks
from .clients import Clients
from .cloudwatch import CloudWatch
from .event_rules import EventRules
from .event_sources import EventSources
from .function_checks import function_given, refusal
from .function_logs import FunctionLogs
from .function_urls import FunctionUrls
from .functions import LocalFunctions
from .invocations import Invocations
from .messages import ACCOUNT, REGION, Caller, Request, Response, json_response
from .moto_services import MissingMoto, MotoServices
from .rest_apis import RestApis
from .schedules import Schedules
from .snapshots import Snapshots
from .status_changes import StatusChanges
from .streams import Streams
from .targets import Targets

_ROLE = re.compile(r"arn:aws[a-z-]*:iam::(\d{12}):role(/|/.+/)([\w+=,.@-]+)")


class Door:
    """A whole AWS in this process: a local cloud for Step Functions, and all that its workflows call.

    `folders` have Lambda handlers, `layers` packages for all of them; `data` is a folder for what is to be kept; `owns` says
    of which executions tasks are performed here (of all, without it).
    moto's state is one for the whole process, so there can be one door at a time.
    """

    def __init__(
        self,
        store: Store,
        *,
        folders: Sequence[Path] = (),
        layers: Sequence[Path] = (),
        data: Path | None = None,
        clock: Clock | None = None,
        workers: int = 32,
        mocks: MockedTasks | None = None,
        elsewhere: Elsewhere | None = None,
        owns: Callable[[str], bool] | None = None,
    ):
        self.moto = MotoServices()
        self.functions = LocalFunctions(
            self.moto,
            Workers(environ=_credentials()),
            folders=folders,
            layers=layers,
            code=None if data is None else data / "code",
        )
        self.clients = Clients(self.handle)
        clock = clock or RealClock()
        virtual = clock.virtual
        self.cloudwatch = CloudWatch(
            self.moto,
            self.clients,
            clock,
            describe=self._described,
            logs=lambda: self.function_logs.flush(),
            events=EventRules.needed,
        )
        self.function_logs = FunctionLogs(self.moto, self.cloudwatch.complete_logs)
        self.invocations = Invocations(
            self.functions, self.function_logs, self.clients, self.cloudwatch.functions, waits=not virtual
        )
        self._rest_apis = RestApis(self.moto, self.invocations)
        self._function_urls = FunctionUrls(self.moto, self.invocations)
        self.sources = EventSources(self.moto, self.invocations, self.clients, waits=not virtual)
        self.streams = Streams(self.invocations, waits=not virtual)
        self._snapshots = None if data is None else Snapshots(data / "services.pickle")
        if self._snapshots is not None:
            self.moto.when_loaded(self._snapshots.read)
        self.moto.when_loaded(lambda: function_model.complete(self.invocations, self.clients.url_of))
        targets = Targets(self.invocations, self.clients)
        self._rules = EventRules(targets, self._http)
        self._status_changes = StatusChanges(self.clients, self._described, EventRules.needed)
        self.cloud = LocalCloud(
            store,
            self.invocations,
            clock=clock,
            observer=self._committed,
            workers=workers,
            mocks=mocks,
            clients=self.clients,
            http=self._http,
            elsewhere=elsewhere,
            lacks=self.moto.lacks,
            owns=owns,
        )
        self.schedules = Schedules(targets, self._rules, self.cloud.clock, self._keep)

    def listens_at(self, url: str) -> None:
        """Tells functions, and what hands out URLs, where this door is on the network."""
        self.clients.url = url
        self.functions.workers.environ.update(AWS_ENDPOINT_URL=url, AWS_DISABLE_HOST_PREFIX_INJECTION="true")

    def open(self) -> None:
        """Goes on with what was kept: queues have their messages handled from now on. Raises `UnreadableSnapshot`."""
        if self._snapshots is not None and self._snapshots.there:
            self.moto.load()
            self.sources.look()
            self.schedules.look()
            self.cloudwatch.opened()

    def close(self) -> None:
        self.sources.close()
        self.cloudwatch.close()
        self._status_changes.close()
        self.streams.close()
        self.schedules.close()
        self.cloud.close()
        if self._snapshots is not None and self.moto.loaded:
            self._snapshots.close()

    def reset(self) -> None:
        """Forgets everything: executions, functions, and what the other services hold."""
        self.cloud.reset()
        self.sources.reset()
        self.streams.reset()
        self.schedules.reset()
        self.functions.reset()
        self.function_logs.reset()
        self.moto.reset()
        self.cloudwatch.reset()
        if self._snapshots is not None:
            self._snapshots.forget()

    # -- requests ----------------------------------------------------------------------------------------

    def handle(self, request: Request) -> Response:
        """Answers a request of any AWS service."""
        caller = self._caller(request)
        if request.path.startswith(stacks.ANSWERS):
            heard = stacks.answers.put(request.path.removeprefix(stacks.ANSWERS), request.body)
            return Response(200 if heard else 404)
        # A function of the user's may have the same API, as that of a stage has.
        ours = request.headers.get("x-amz-target", "").startswith(front_door.TARGET)
        if ours and not self._function_urls.are_asked(request):
            return self._step_functions(request, caller)
        try:
            return self._others(request, caller)
        except MissingMoto as error:
            return _failure(request, caller.service, 501, "NotImplemented", str(error))
        except NotImplementedError as error:
            return _failure(
                request, caller.service, 501, "NotImplemented", f"moto does not have this: {error}"
            )
        except Exception as error:
            reason = f"{type(error).__name__}: {error}"
            logger.error("not answered", service=caller.service, path=request.path, reason=reason)
            return _failure(request, caller.service, 500, "InternalFailure", reason)

    def _committed(self, execution: str, commit: Commit) -> None:
        self.cloudwatch.executions.committed(execution, commit)
        self._status_changes.committed(execution, commit)

    def _described(self, execution: str) -> dict[str, Any]:
        return self.cloud.call("DescribeExecution", executionArn=execution)

    def _others(self, request: Request, caller: Caller) -> Response:
        called = self._function_urls.handle(request) or self._rest_apis.handle(request, caller)
        if called is not None:
            return called
        if caller.service == "lambda":
            if (ours := self._lambda(request, caller)) is not None:
                return ours
        self._complete(caller.service)
        response = self.moto.handle(request, caller.account)
        if response.status == 404 and b"<title>404 Not Found</title>" in response.body[:200]:
            # The page of a web framework that has no such route: no service of AWS answers with one.
            raise NotImplementedError(f"{request.method} {request.path}")
        if request.method != "GET":
            self._changed(caller)
        return response

    def _complete(self, service: str | None) -> None:
        """Gives moto what it lacks of a service, before it is first asked for it."""
        if service == "logs":
            self.function_logs.flush()
            self.moto.load()
            self.cloudwatch.complete_logs()
        elif service == "monitoring":
            self.moto.load()
            self.cloudwatch.complete()
            self.cloudwatch.look()
        elif service == "s3":
            self.moto.load()
            bucket_policies.complete()
        elif service in ("iam", "cloudformation"):
            self.moto.load()
            managed_policies.complete()
        elif service == "dynamodb":
            self.moto.load()
            self.streams.install()
        if service == "cloudformation":
            stacks.install(self.clients, self.clients.url)
        if service in ("scheduler", "events", "cloudformation"):
            self.schedules.look()
        if service == "events" or EventRules.needed():
            self.moto.load()
            self._rules.take_over()

    def _lambda(self, request: Request, caller: Caller) -> Response | None:
        """The answer to what of Lambda's API is not moto's."""
        response = self.invocations.handle(request, caller)
        if response is None:
            response = function_settings.handle(self.functions, request, caller)
            if response is not None and request.method != "GET":
                self._changed(caller)
        if response is not None:
            return response
        if (given := function_given(request)) is not None:
            if (refused := refusal(request, given)) is not None:
                return refused
            self._have_role(given.get("Role"), caller)
        return None

    def _changed(self, caller: Caller) -> None:
        """What the other services hold may be another now."""
        if caller.service in ("lambda", "cloudformation"):
            self.sources.look()
        elif caller.service == "monitoring":
            self.cloudwatch.look()
        self.sources.sent()
        self._keep()

    def _keep(self) -> None:
        if self._snapshots is not None:
            self._snapshots.changed()

    def _http(self, request: HttpRequest) -> HttpResponse:
        """A task's HTTP request: calls of APIs that are made here stay here."""
        if not self._rest_apis.answers(request.url, self.clients.url):
            return send(request)
        parts = urlsplit(request.url)
        headers = {name.lower(): value for name, value in request.headers}
        headers.setdefault("host", parts.netloc)
        target = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
        response = self.handle(Request(request.method, target, headers, request.body))
        return HttpResponse(response.status, "", response.headers, response.body)

    def _caller(self, request: Request) -> Caller:
        caller = request.caller()
        key = caller.access_key or ""
        if self.moto.loaded and caller.account == ACCOUNT and key.startswith(("AKIA", "ASIA")):
            # The keys that IAM and STS gave out belong to the account that asked for them.
            from moto.iam.models import get_account_id_from

            return replace(caller, account=get_account_id_from(key))
        return caller

    def _have_role(self, role: Any, caller: Caller) -> None:
        """Nothing here asks what a role may do; but moto refuses a function whose role nobody has made."""
        found = _ROLE.fullmatch(role) if isinstance(role, str) else None
        if found is None or found[1] != caller.account:
            return
        client = self.clients("iam", caller.account, caller.region)
        try:
            client.get_role(RoleName=found[3])
        except client.exceptions.NoSuchEntityException:
            client.create_role(
                RoleName=found[3],
                Path=found[2],
                AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": []}),
                Description="Made because a function named it.",
            )

    def _step_functions(self, request: Request, caller: Caller) -> Response:
        event = {
            "headers": request.headers,
            "body": base64.b64encode(request.body).decode(),
            "isBase64Encoded": True,
        }
        answer = front_door.handle(self.cloud.runtime_for(caller.account, caller.region), event)
        return Response(answer["statusCode"], list(answer["headers"].items()), answer["body"].encode())


def _credentials() -> dict[str, str | None]:
    """For the functions' own calls. What the user has set would lead them elsewhere, or to AWS itself."""
    return {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_SESSION_TOKEN": None,
        "AWS_PROFILE": None,
        "AWS_DEFAULT_PROFILE": None,
        "AWS_ENDPOINT_URL_SFN": None,
        "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": None,
    }


_REST_XML = {"s3", "s3control", "cloudfront", "route53"}


def _failure(request: Request, service: str | None, status: int, code: str, message: str) -> Response:
    """An error in the form of the service's protocol: JSON, REST with XML, or the older queries' XML."""
    query = request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
    if not query and service not in _REST_XML:
        return json_response(status, {"__type": code, "message": message}, x_amzn_errortype=code)
    from xml.sax.saxutils import escape

    error = f"<Error><Code>{code}</Code><Message>{escape(message)}</Message></Error>"
    body = f"<ErrorResponse>{error}</ErrorResponse>" if query else error
    return Response(status, [("content-type", "text/xml")], body.encode())

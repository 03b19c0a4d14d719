"""What a handler runs on, given to it from outside: on Lambda by `from_environment`, locally by the local cloud.

Nothing in a runtime belongs to one execution. What it remembers between two events (snapshots, prepared
definitions) are caches: take them away and all still works.
"""

from __future__ import annotations

import copy
import os
import time
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from .executions import Executions
    from .functions import Functions
    from .http import Http, HttpRequest, HttpResponse
    from .mocks import MockedTasks
    from .store import Commit, Store
    from .telemetry.collector import Collector

Body = dict[str, Any]

LEASE = 20 * 60 * 1000
"""Milliseconds after which a task without an answer is handed out again: more than a function may run on Lambda."""


class Outbox(Protocol):
    """Where commands go after their commit. Each body is the JSON of one queue message."""

    def advance(self, bodies: Sequence[Body]) -> None:
        """Sends messages for executions: `{"tenant", "execution", "message"}`."""
        ...

    def perform(self, bodies: Sequence[Body]) -> None:
        """Sends tasks to be performed: `{"tenant", "execution", "command"}`."""
        ...

    def perform_later(self, body: Body, at: int) -> None:
        """Sends a task to be looked at again at `at` (milliseconds since the epoch). May get lost: what an execution waits
        for is handed out anew after its lease."""
        ...

    def wake(self, tenant: str, execution: str, at: int) -> None:
        """Asks for a tick at `at` (milliseconds since the epoch). May come late: the sweeper looks too."""
        ...


def system_clock() -> int:
    """Milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


Observer = Callable[[str, "Commit"], None]
Pause = Callable[[int, "int | None"], None]
"""Waits: for so many milliseconds, until the clock shows that time where one is given."""
Clients = Callable[[str, str, str], Any]
"""Makes boto3's client of a service, for an account and a region: on AWS, where credentials choose the account, or of
the local cloud. Raises botocore's `UnknownServiceError`."""


class Elsewhere(Protocol):
    """What of the tasks is performed somewhere else than the rest: by a service, by a function, by a state."""

    def clients(self, service: str, state: str) -> Clients | None:
        """What makes the clients of a service for the task of a state, or None for what all the rest is made with."""
        ...

    def functions(self, function: str, state: str) -> Functions | None: ...


Lacks = Callable[[str, str], "str | None"]
"""Why an operation of a service (both by botocore's names) cannot be had here, or None where it can."""


class Runtime:
    """The store, the ways out, and the clock.

    `observer`, where given, is called with the execution's ARN and each commit after it was appended.
    `telemetry`, where given, is told what happens, and writes it out when it is flushed.
    `retention` is how long executions are kept after they have ended, in milliseconds; None for ever.
    `requester` says for whom executions are started (`Identity.to_json`); None where nobody has said.
    """

    def __init__(
        self,
        store: Store,
        outbox: Outbox,
        functions: Functions,
        *,
        clock: Callable[[], int] = system_clock,
        region: str = "us-east-1",
        account: str = "123456789012",
        observer: Observer | None = None,
        pause: Pause | None = None,
        single_threaded: bool = False,
        mocks: MockedTasks | None = None,
        clients: Clients | None = None,
        requester: dict[str, str] | None = None,
        http: Http | None = None,
        elsewhere: Elsewhere | None = None,
        lacks: Lacks | None = None,
        telemetry: Collector | None = None,
        retention: int | None = None,
    ):
        self.store = store
        self.outbox = outbox
        self.functions = functions
        self.clock = clock
        self.region = region
        self.account = account
        self.observer = observer
        self.telemetry = telemetry
        self.retention = retention
        self.single_threaded = single_threaded
        self.mocks = mocks
        self.requester = requester
        self._clients = clients or _aws_client
        self._http = http
        self.elsewhere = elsewhere
        self.lacks = lacks
        self._state = ""
        self._pause = pause or _real_pause
        self._executions: dict[str, Executions] = {}
        self.log_streams: dict[tuple[str, str, str, str], str] = {}
        """The streams that executions are logged to, by account, region, log group and state machine: a cache."""

    def executions(self, tenant: str = "default") -> Executions:
        """The executions of one tenant."""
        found = self._executions.get(tenant)
        if found is None:
            from .executions import Executions

            store = self.store if tenant == self.store.tenant else self.store.for_tenant(tenant)
            found = self._executions[tenant] = Executions(store, self)
        return found

    def forwarded(self, operation: str, parameters: dict[str, Any]) -> dict[str, Any] | None:
        """What another engine answers to an operation of the API, where one runs the executions; here it is this one: None.
        Raises `ApiError`."""
        return None

    def machine(self, workflow: str) -> str:
        """The ARN of a workflow's state machine."""
        from .arns import StatesArn

        return str(StatesArn(self.region, self.account, "stateMachine", workflow))

    def workflow(self, machine: str) -> str:
        """The name of the workflow whose state machine, or a version or alias of it, has that ARN."""
        return ":".join(machine.split(":")[6:7]) or machine

    def all_executions(self) -> list[Executions]:
        """The executions of every tenant that has been asked for."""
        return list(self._executions.values())

    def forget(self) -> None:
        """Drops what is remembered of executions, after the store was cleared."""
        self._executions.clear()
        self.log_streams.clear()

    def with_outbox(self, outbox: Outbox) -> Runtime:
        """The same runtime whose commands go elsewhere."""
        made = copy.copy(self)
        made.outbox, made._executions, made.log_streams = outbox, {}, {}
        return made

    def at(self, account: str, region: str) -> Runtime:
        """The same runtime for requests of another account or region; what it knows of executions is shared."""
        made = copy.copy(self)
        made.account, made.region = account, region
        return made

    def on_behalf_of(self, requester: dict[str, str]) -> Runtime:
        """The same runtime for requests of somebody in particular; what it knows of executions is shared."""
        made = copy.copy(self)
        made.requester = requester
        return made

    def for_task(self, state: str, role: str | None = None) -> Runtime:
        """The same runtime for the task of that state, which may be performed elsewhere than the others, or with the
        credentials of a role, which may be another account's."""
        if self.elsewhere is None and role is None:
            return self
        made = copy.copy(self)
        made._state = state
        if role is not None and role.count(":") >= 5:
            made.account = role.split(":")[4] or self.account
            if self._clients is _aws_client:
                made._clients = _assuming(role)
                made.functions = _functions_of_role(role, self.region)
        return made

    def client(self, service: str) -> Any:
        """boto3's client of that service, for the account and region that requests are made in. Raises botocore's
        `UnknownServiceError`."""
        clients = None if self.elsewhere is None else self.elsewhere.clients(service, self._state)
        return (clients or self._clients)(service, self.account, self.region)

    def is_elsewhere(self, service: str) -> bool:
        """Whether the service is another's than the rest, for the state whose task is performed."""
        return self.elsewhere is not None and self.elsewhere.clients(service, self._state) is not None

    def functions_for(self, function: str) -> Functions:
        """Where the function runs."""
        found = None if self.elsewhere is None else self.elsewhere.functions(function, self._state)
        return found or self.functions

    def http(self, request: HttpRequest) -> HttpResponse:
        """Sends a request. Raises `HttpFailed`."""
        if self._http is None:
            from .http import send

            self._http = send
        return self._http(request)

    def sleep_until(self, at: int) -> None:
        """Waits until the clock shows `at`, in milliseconds."""
        while (left := at - self.clock()) > 0:
            self._pause(left, at)

    def until(self, done: Callable[[], bool], seconds: float) -> bool:
        """Asks `done` again and again, for so many seconds at the most."""
        deadline = self.clock() + int(seconds * 1000)
        while not done():
            if self.clock() >= deadline:
                return False
            self._pause(_POLL, None)
        return True


_POLL = 100
"""Milliseconds between two looks at what somebody waits for."""


@lru_cache(maxsize=64)
def _aws_client(service: str, account: str, region: str) -> Any:
    import boto3
    from botocore.config import Config

    # Otherwise S3 is asked for checksums that tasks' results do not have on AWS.
    config = Config(response_checksum_validation="when_required")
    return boto3.client(service, region_name=region, config=config)  # pyright: ignore[reportCallIssue, reportArgumentType]


@lru_cache(maxsize=64)
def _assuming(role: str) -> Clients:
    """Makes clients with the role's credentials, which are fetched again before they expire."""
    import boto3
    from botocore.credentials import AssumeRoleCredentialFetcher, DeferredRefreshableCredentials
    from botocore.session import get_session

    base = get_session()
    fetcher = AssumeRoleCredentialFetcher(
        base.create_client, base.get_credentials(), role, extra_args={"RoleSessionName": "stratum"}
    )
    own = get_session()
    own._credentials = DeferredRefreshableCredentials(  # pyright: ignore[reportAttributeAccessIssue]
        refresh_using=fetcher.fetch_credentials, method="assume-role"
    )
    session = boto3.Session(botocore_session=own)
    return lru_cache(lambda service, account, region: session.client(service, region_name=region))  # pyright: ignore[reportCallIssue, reportArgumentType]


@lru_cache(maxsize=64)
def _functions_of_role(role: str, region: str) -> Functions:
    from .aws_functions import LambdaFunctions

    return LambdaFunctions(_assuming(role)("lambda", "", region))


def _real_pause(milliseconds: int, until: int | None) -> None:
    time.sleep(milliseconds / 1000)


def from_environment(environ: Mapping[str, str] = os.environ) -> Runtime:
    """The runtime of a deployed handler.

    - `STRATUM_STORE` (`dynamodb://table?…`), `AWS_REGION`, `STRATUM_ACCOUNT`.
    - `STRATUM_ADVANCE_QUEUE`, `STRATUM_TASK_QUEUE`: queue URLs. Without them nothing runs here: Step Functions does.
    - `STRATUM_SCHEDULE_GROUP`, `STRATUM_SCHEDULE_ROLE`, `STRATUM_ADVANCE_QUEUE_ARN`, `STRATUM_SCHEDULE_AFTER` (seconds): for
      what is due far ahead.
    - `STRATUM_RETENTION`: for how many seconds executions are kept after they have ended; for ever without it.
    - `STRATUM_LONG_FUNCTIONS`: names of functions that are invoked asynchronously, with commas between them.
    """
    from . import telemetry
    from .aws_functions import LambdaFunctions
    from .own_functions import WithOwn
    from .store import dynamodb

    functions = LambdaFunctions(long=environ.get("STRATUM_LONG_FUNCTIONS", "").split(","))
    runtime = Runtime(
        dynamodb.from_url(_required(environ, "STRATUM_STORE")),
        _outbox(environ),
        WithOwn(functions, lambda: runtime),
        region=environ.get("AWS_REGION", "us-east-1"),
        account=environ.get("STRATUM_ACCOUNT", "123456789012"),
        telemetry=telemetry.from_environment(environ),
        retention=int(environ["STRATUM_RETENTION"]) * 1000 if environ.get("STRATUM_RETENTION") else None,
    )
    return runtime


def _outbox(environ: Mapping[str, str]) -> Outbox:
    from .sqs import MAX_DELAY_SECONDS, Scheduler, SqsOutbox

    if not environ.get("STRATUM_ADVANCE_QUEUE"):
        return NoOutbox()
    scheduler = None
    if environ.get("STRATUM_SCHEDULE_GROUP"):
        scheduler = Scheduler(
            environ["STRATUM_SCHEDULE_GROUP"],
            _required(environ, "STRATUM_SCHEDULE_ROLE"),
            _required(environ, "STRATUM_ADVANCE_QUEUE_ARN"),
            int(environ.get("STRATUM_SCHEDULE_AFTER", MAX_DELAY_SECONDS)),
        )
    return SqsOutbox(
        environ["STRATUM_ADVANCE_QUEUE"], _required(environ, "STRATUM_TASK_QUEUE"), scheduler=scheduler
    )


def _required(environ: Mapping[str, str], name: str) -> str:
    value = environ.get(name)
    if not value:
        raise RuntimeError(
            f"the environment variable {name} is not set: the deployment sets it for every handler"
        )
    return value


class NoOutbox:
    """Where executions run elsewhere: on Step Functions, whose gates and agent steps are all that is served here."""

    def advance(self, bodies: Sequence[Body]) -> None:
        raise RuntimeError("no executions run here: STRATUM_ADVANCE_QUEUE names no queue")

    perform = advance

    def perform_later(self, body: Body, at: int) -> None:
        self.advance([body])

    def wake(self, tenant: str, execution: str, at: int) -> None:
        self.advance([])


@lru_cache(maxsize=1)
def deployed() -> Runtime:
    """The runtime of this Lambda environment, made once while it is warm."""
    return from_environment()


def invoked(
    handle: Callable[[Runtime, dict[str, Any], Any], dict[str, Any]], event: dict[str, Any], context: Any
) -> dict[str, Any]:
    """What a deployed handler answers to an event; what telemetry has been told meanwhile is written out."""
    runtime = deployed()
    try:
        answer = handle(runtime, event, context)
        if runtime.telemetry is not None and (failed := answer.get("batchItemFailures")):
            runtime.telemetry.count("MessagesRefused", len(failed))
        return answer
    finally:
        if runtime.telemetry is not None:
            runtime.telemetry.flush(runtime)

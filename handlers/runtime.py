"""What a handler runs on, given to it from outside: on Lambda by `from_environment`, locally by the local cloud.

Nothing in a runtime belongs to one execution. What it remembers between two events (snapshots, prepared
definitions) are caches: take them away and all still works.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from .executions import Executions
    from .functions import Functions
    from .store import Commit, Store

Body = dict[str, Any]


class Outbox(Protocol):
    """Where commands go after their commit. Each body is the JSON of one queue message."""

    def advance(self, bodies: Sequence[Body]) -> None:
        """Sends messages for executions: `{"tenant", "execution", "message"}`."""
        ...

    def perform(self, bodies: Sequence[Body]) -> None:
        """Sends tasks to be performed: `{"tenant", "execution", "command"}`."""
        ...

    def wake(self, tenant: str, execution: str, at: int) -> None:
        """Asks for a tick at `at` (milliseconds since the epoch). May come late: the sweeper looks too."""
        ...


def system_clock() -> int:
    """Milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


Observer = Callable[[str, "Commit"], None]


class Runtime:
    """The store, the ways out, and the clock.

    `observer`, where given, is called with the execution's ARN and each commit after it was appended.
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
    ):
        self.store = store
        self.outbox = outbox
        self.functions = functions
        self.clock = clock
        self.region = region
        self.account = account
        self.observer = observer
        self._executions: dict[str, Executions] = {}

    def executions(self, tenant: str = "default") -> Executions:
        """The executions of one tenant."""
        found = self._executions.get(tenant)
        if found is None:
            from .executions import Executions

            store = self.store if tenant == self.store.tenant else self.store.for_tenant(tenant)
            found = self._executions[tenant] = Executions(store, self)
        return found


def from_environment(environ: Mapping[str, str] = os.environ) -> Runtime:
    """The runtime of a deployed handler.

    `STRATUM_STORE` (`dynamodb://table?…`), `STRATUM_ADVANCE_QUEUE` and `STRATUM_TASK_QUEUE` (queue URLs),
    `AWS_REGION`, `STRATUM_ACCOUNT`.
    """
    from .aws_functions import LambdaFunctions
    from .sqs import SqsOutbox
    from .store import dynamodb

    def required(name: str) -> str:
        value = environ.get(name)
        if not value:
            raise RuntimeError(
                f"the environment variable {name} is not set: the deployment sets it for every handler"
            )
        return value

    return Runtime(
        dynamodb.from_url(required("STRATUM_STORE")),
        SqsOutbox(required("STRATUM_ADVANCE_QUEUE"), required("STRATUM_TASK_QUEUE")),
        LambdaFunctions(),
        region=environ.get("AWS_REGION", "us-east-1"),
        account=environ.get("STRATUM_ACCOUNT", "123456789012"),
    )


@lru_cache(maxsize=1)
def deployed() -> Runtime:
    """The runtime of this Lambda environment, made once while it is warm."""
    return from_environment()

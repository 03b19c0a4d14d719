"""The MCP server's host on AWS: a store that others run, callers that IAM knows, no files.

Nothing is run in this process: what is started or answered here goes on by the deployment's other functions.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextvars import ContextVar
from typing import TYPE_CHECKING

from ..identity import Identity
from .host import Caller, NotHere, Source, Tested

if TYPE_CHECKING:
    from ..runtime import Runtime
    from ..versions.publishing import Published
    from ..work.answers import Desk
    from ..workflows import Workflow

NO_FILES = "there are no files here: give the workflow's text as `spec`, or the name of one that is deployed as `workflow`"

calling: ContextVar[Identity] = ContextVar("calling")
"""Who calls the function at this moment, as IAM knows them."""
time_left: ContextVar[float] = ContextVar("time_left", default=25.0)
"""Seconds that the invocation at hand may wait."""


class LambdaHost:
    alias: str | None = None
    no_new: str | None = None

    def __init__(self, runtime: Runtime, tenant: str, stage: str | None = None):
        """On a `stage` runs what was deployed to it, by the alias that deployments lead."""
        self.runtime = runtime
        self.tenant = tenant
        self.stage = stage
        if stage is not None:
            self.alias = "live"
            self.no_new = (
                f"the stage {stage} runs what was deployed to it: give `workflow`, the name of one that is there; "
                "`stratum deploy` brings others"
            )
        self._desk: Desk | None = None

    @property
    def approve(self) -> str:
        if self.stage is not None:
            return f"stratum approve {{gate}} --stage {self.stage}"
        address = os.environ.get("STRATUM_STORE")
        return "stratum approve {gate}" + (f" --store '{address}'" if address else "")

    @property
    def patience(self) -> float:
        return time_left.get()

    def desk(self) -> Desk:
        from ..work.answers import Desk

        if self._desk is None:
            self._desk = Desk(self.runtime, self.tenant)
        return self._desk

    def caller(self, client: str | None, version: str | None, agent: str | None) -> Caller:
        who = calling.get()
        name = agent or client or "an agent"
        said = " ".join(each for each in (client, version) if each) or None
        identity = Identity(who.user, "mcp", who.host, name[:80], said[:120] if said else None)
        return Caller(identity, f"iam/{who.user}/{client or ''}/{agent or ''}"[:200])

    def load(self, spec: str | None, file: str | None) -> Source:
        from ..workflows import check, workflow_of

        if file is not None:
            raise NotHere(NO_FILES)
        return Source(workflow_of(check((spec or "").encode("utf-8", "replace"), "workflow.yaml")))

    def children(self, source: Source) -> Sequence[Workflow]:
        return ()  # a stage has them by deployment

    def begin(self, execution: str, source: Source) -> None: ...

    def begun(self, execution: str, published: Published) -> None: ...

    def forked(self, origin: str, execution: str) -> None: ...

    def test(self, file: str, match: str | None) -> Tested:
        raise NotHere("there are no files here: cases are run where the project is, by `stratum test`")

    def adopt(self, execution: str) -> None: ...

    def running(self) -> None: ...

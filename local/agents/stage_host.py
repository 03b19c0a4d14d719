"""The MCP server's host for a stage on AWS: it runs on this machine, and executions run there."""

from __future__ import annotations

import secrets
import socket
from collections.abc import Callable
from pathlib import Path

from ...handlers.identity import Identity
from ...handlers.mcp.host import Caller, NotHere, Source, Tested
from ...handlers.mcp.lambda_host import LambdaHost
from ...handlers.runtime import Runtime
from ...handlers.work.answers import Desk
from ..people import account


class StageHost(LambdaHost):
    """`open` finds the stage when the first tool is called, and gives its runtime; `name` is the stage's, `project` the folder
    that files are looked for in."""

    alias = "live"

    def __init__(self, open: Callable[[], Runtime], name: str, project: Path, tenant: str):
        self._open = open
        self._found: Runtime | None = None
        self.tenant = tenant
        self._name = name
        self._project = project
        self._desk: Desk | None = None
        self._me = Identity(account(), "mcp", socket.gethostname())
        self._worker = f"agent/{secrets.token_hex(4)}"
        self.no_new = (
            f"the stage {name} runs what was deployed to it: give `workflow`, the name of one that is there; "
            f"`stratum deploy` brings others"
        )

    @property
    def runtime(self) -> Runtime:  # pyright: ignore[reportIncompatibleVariableOverride]
        from ..cli.problem import WrongRequest

        if self._found is None:
            try:
                self._found = self._open()
            except WrongRequest as problem:
                raise NotHere(str(problem)) from None
        return self._found

    @property
    def patience(self) -> float:
        return 100.0

    @property
    def approve(self) -> str:
        return f"stratum approve {{gate}} --stage {self._name}"

    def desk(self) -> Desk:
        from ..desk import Unreadable, people_of

        if self._desk is None:
            try:
                self._desk = Desk(self.runtime, self.tenant, people=people_of(""))
            except Unreadable as error:
                raise NotHere(str(error)) from None
        return self._desk

    def caller(self, client: str | None, version: str | None, agent: str | None) -> Caller:
        name = agent or client or "an agent"
        said = " ".join(each for each in (client, version) if each) or None
        identity = Identity(self._me.user, "mcp", self._me.host, name[:80], said[:120] if said else None)
        return Caller(identity, f"{self._me.host}/{self._worker}:{client or ''}/{agent or ''}"[:200])

    def load(self, spec: str | None, file: str | None) -> Source:
        from ..cli.files import load
        from ..cli.problem import WrongRequest

        if file is None:
            return super().load(spec, None)
        path = self._project / file
        if not path.resolve().is_relative_to(self._project):
            raise NotHere(f"{file} is outside of the project {self._project}")
        try:
            loaded = load(path)
        except WrongRequest as problem:
            raise NotHere(str(problem)) from None
        return Source(loaded, loaded.folder, path)

    def test(self, file: str, match: str | None) -> Tested:
        from .testing import run_cases

        return run_cases(self._project, self._project / file, match)

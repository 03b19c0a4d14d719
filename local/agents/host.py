"""The MCP server's host on this machine: an engine in the same process, the project's files, the account's identity.

What it needs is imported when the first tool is called, as a client waits for its list of tools when it starts.
"""

from __future__ import annotations

import hashlib
import secrets
import socket
import threading
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from ...handlers.identity import Identity
from ...handlers.mcp.host import Caller, NotHere, Source, Tested
from ..link_keys import file_key, key_path
from ..owners import OwnedElsewhere, Owner
from ..people import account

if TYPE_CHECKING:
    from ...handlers.runtime import Runtime
    from ...handlers.store import Store
    from ...handlers.versions.publishing import Published
    from ...handlers.work.answers import Desk
    from ...handlers.workflows import Workflow
    from ..engine import Engine


class LocalHost:
    """`open` opens the store at `url`; `project` is the folder that files are looked for in; `shared`: several clients
    call, so that each is known by its name and not by this process."""

    alias: str | None = None
    no_new: str | None = None

    def __init__(self, open: Callable[[], Store], url: str, project: Path, *, shared: bool = False):
        self.url = url
        self.project = project.resolve()
        self._open = open
        self._shared = shared
        self._lock = threading.RLock()
        self._engine: Engine | None = None
        self._closed = False
        self._worker = f"agent/{secrets.token_hex(4)}"
        # Held while this process lives: whoever sees it given back knows that our claims hold no longer.
        self._alive = None if shared else Owner(url, self._worker).take()
        self._me = Identity(account(), "mcp", socket.gethostname())

    @property
    def engine(self) -> Engine:
        with self._lock:
            if self._engine is None:
                from ..cli.problem import WrongRequest
                from ..engine import Engine

                try:
                    self._engine = Engine(self._open(), self.url)
                except WrongRequest as problem:
                    raise NotHere(str(problem)) from None
            return self._engine

    @property
    def runtime(self) -> Runtime:
        return self.engine.runtime

    @property
    def tenant(self) -> str:
        return self.engine.store.tenant

    @property
    def approve(self) -> str:
        default = Path(".stratum/stratum.db").resolve()
        ours = Path(self.url.removeprefix("sqlite:///").partition("?")[0]).resolve()
        return "stratum approve {gate}" + ("" if ours == default else f" --store {self.url}")

    @property
    def patience(self) -> float:
        return 100.0  # clients put calls of two minutes into the background

    def desk(self) -> Desk:
        with self._lock:
            return self._desk

    @cached_property
    def _desk(self) -> Desk:
        from ..desk import Unreadable, desk_of

        try:
            return desk_of(self.runtime, self.url, self.tenant)
        except Unreadable as error:
            raise NotHere(str(error)) from None

    def caller(self, client: str | None, version: str | None, agent: str | None) -> Caller:
        name = agent or client or "an agent"
        said = " ".join(each for each in (client, version) if each) or None
        identity = Identity(self._me.user, "mcp", self._me.host, name[:80], said[:120] if said else None)
        who = f"{client}/{agent or ''}" if self._shared else agent or ""
        place = f"http/{who}" if self._shared else f"{self._worker}{f':{who}' if who else ''}"
        return Caller(identity, place[:200])

    def load(self, spec: str | None, file: str | None) -> Source:
        from ..cli.files import load, load_text
        from ..cli.problem import WrongRequest

        if file is None:
            return Source(load_text(spec or "", "workflow.yaml", self.project), self.project)
        path = self._within(file)
        try:
            loaded = load(path)
        except WrongRequest as problem:
            raise NotHere(f"{problem}; paths are from {self.project}") from None
        return Source(loaded, loaded.folder, path)

    def children(self, source: Source) -> Sequence[Workflow]:
        from ...handlers.api.errors import ApiError
        from ...handlers.api.front_door import call
        from ...handlers.arns import StatesArn
        from ..cli.children import children_of, not_found
        from ..cli.files import WorkflowFile
        from ..cli.problem import WrongRequest

        assert isinstance(source.workflow, WorkflowFile)
        try:
            children = children_of(source.workflow)
        except WrongRequest as problem:
            raise NotHere(str(problem)) from None
        for parent, step in children.missing:
            machine = StatesArn(self.runtime.region, self.runtime.account, "stateMachine", step.workflow)
            try:
                call(self.runtime, "DescribeStateMachine", {"stateMachineArn": str(machine)}, self.tenant)
            except ApiError:
                raise NotHere(not_found(parent, step)) from None
        return children.found

    def _within(self, file: str) -> Path:
        path = self.project / file
        if not path.resolve().is_relative_to(self.project):
            raise NotHere(
                f"{file} is outside of the project {self.project}; give a path in it, or the text as `spec`"
            )
        return path

    def begin(self, execution: str, source: Source) -> None:
        try:
            self.engine.begin(execution, source.folder or self.project, source.file)
        except OwnedElsewhere:
            raise NotHere(
                f"another process is running {execution.rpartition(':')[2]}; `status` shows it"
            ) from None

    def begun(self, execution: str, published: Published) -> None:
        from .. import handler_code

        kept = handler_code.folder_of(self.url)
        folder = self.project
        if published.code is not None:
            if not handler_code.is_intact(kept, published.code):
                raise NotHere(
                    f"the handlers of {published.workflow} {published.version} are not in {kept} as they were published"
                )
            folder = kept / published.code
        self.engine.begun(execution, folder, f"{published.workflow}@{published.version}")

    def forked(self, origin: str, execution: str) -> None:
        from .. import runs

        runs.keep_as(self.engine.store, origin, execution)
        self.engine.adopt(execution)

    def test(self, file: str, match: str | None) -> Tested:
        from .testing import run_cases

        return run_cases(self.project, self._within(file), match)

    def adopt(self, execution: str) -> None:
        self.engine.adopt(execution)

    def running(self) -> None:
        with self._lock:
            if not self._closed:
                self.engine.start()

    def keys(self) -> list[bytes] | None:
        """A key that outlives this process, for what clients hand back to the server that comes after it."""
        path = key_path(self.url)
        if path is None:
            return None
        path.parent.mkdir(parents=True, exist_ok=True)
        return [hashlib.sha256(b"mcp request state " + file_key(path)).digest()]

    def close(self) -> None:
        with self._lock:
            self._closed = True
            engine = self._engine
        if engine is not None:
            engine.close()
            engine.store.close()
        if self._alive is not None:
            self._alive.__exit__()

"""Functions out of folders, in warm worker processes."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from ...handlers import plugins
from ...handlers.functions import FunctionNotFound, Invocation
from .config import FunctionConfig
from .folders import NODE, PYTHON, Folders, bare_name
from .process import WorkerResult
from .workers import Workers

_LOOK_AGAIN = 0.25
"""Seconds for which a folder is taken to be as it was when it was last looked through."""
_SKIPPED = {"__pycache__", "node_modules", "venv", "site-packages"}


class WorkerFunctions:
    """Modules are looked for in `folders`, which come first on the workers' `sys.path`; the working directory is
    this process's. `timeout` (seconds) holds for invocations that bring none; None lets them run. With `reload`,
    a call after a file was changed has the new code. The rest is `Workers`'.
    """

    def __init__(
        self,
        folders: Sequence[Path | str],
        *,
        timeout: float | None = None,
        concurrency: int = 16,
        environ: Mapping[str, str] | None = None,
        init_timeout: float = 10.0,
        workers: Workers | None = None,
        reload: bool = False,
    ):
        self._folders = Folders(folders)
        self._timeout = timeout
        self._workers = workers or Workers(
            concurrency=concurrency, environ=environ, init_timeout=init_timeout
        )
        self._reload = reload
        self._revision = ""
        self._looked = float("-inf")
        self._configs: dict[str, FunctionConfig] = {}

    def __enter__(self) -> WorkerFunctions:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def invoke(self, invocation: Invocation) -> WorkerResult:
        """Raises `FunctionNotFound`, `InvokeError` where no process can be started, and `FunctionsClosed`."""
        config = self.config(invocation.function)
        if invocation.timeout is None and self._timeout is not None:
            invocation = replace(invocation, timeout=self._timeout)
        return self._workers.call(config, invocation)

    def config(self, function: str) -> FunctionConfig:
        """Raises `FunctionNotFound`."""
        name = bare_name(function)
        if self._reload and time.monotonic() > self._looked + _LOOK_AGAIN:
            revision = _revision(self._folders.paths)
            self._looked = time.monotonic()
            if revision != self._revision:
                self._revision = revision
                self._configs.clear()
        config = self._configs.get(name)
        if config is None:
            try:
                module, attribute, file = self._folders.find(function, (*PYTHON, *NODE))
                node = file.suffix in NODE
            except FunctionNotFound:
                if (plugin := plugins.find(name)) is None:
                    raise
                module, attribute, node = plugin.module, plugin.attr, False
            paths = tuple(map(str, self._folders.paths))
            config = FunctionConfig(
                name,
                module.replace(".", "/") if node else module,
                attribute,
                paths,
                runtime="nodejs" if node else "python",
                revision=self._revision,
            )
            self._configs[name] = config
        return config

    def close(self) -> None:
        """Ends every process, also those in the middle of a call: such a call raises `FunctionsClosed`."""
        self._workers.close()


def _revision(folders: Sequence[Path]) -> str:
    """Another one whenever a module in the folders was changed, made or taken away."""
    latest, count = 0, 0
    for folder in folders:
        for place, names, files in os.walk(folder):
            names[:] = [name for name in names if name not in _SKIPPED and not name.startswith(".")]
            for file in files:
                if file.endswith((*PYTHON, *NODE)):
                    try:
                        latest = max(latest, os.stat(os.path.join(place, file)).st_mtime_ns)
                    except OSError:
                        continue
                    count += 1
    return f"{count}-{latest}"

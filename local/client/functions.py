"""Which function a task calls: those that a workflow was given as functions are called in this process, others are
looked for beside the file that their execution was begun with."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from ...handlers.functions import Functions, Invocation, InvocationResult
from ..functions import InProcessFunctions
from ..functions.folders import bare_name

FolderOf = Callable[[str], str | None]


class ClientFunctions:
    """`folder_of` says where the handlers of an execution are. With `isolated`, every function runs in a worker
    process, as handlers of spec files always do."""

    def __init__(self, folder_of: FolderOf, *, folders: Iterable[Path | str] = (), isolated: bool = False):
        self._folder_of = folder_of
        self._more = [Path(folder) for folder in folders]
        self._isolated = isolated
        self._given: dict[str, Callable[..., Any]] = {}
        self._own: Functions = InProcessFunctions({})
        self._by_folder: dict[str | None, Any] = {}
        self._lock = threading.Lock()

    def give(self, functions: Mapping[str, Callable[..., Any]]) -> None:
        """Functions that are called in this process, by the names that specs call them by."""
        if self._isolated:
            return
        with self._lock:
            self._given |= {
                bare_name(name): getattr(each, "handler", each) for name, each in functions.items()
            }
            self._own = InProcessFunctions(self._given)

    def invoke(self, invocation: Invocation) -> InvocationResult:
        if bare_name(invocation.function) in self._given:
            return self._own.invoke(invocation)
        execution = (invocation.client_context or {}).get("execution", "")
        return self._workers(self._folder_of(execution)).invoke(invocation)

    def close(self) -> None:
        with self._lock:
            for workers in self._by_folder.values():
                workers.close()

    def _workers(self, folder: str | None) -> Functions:
        from ..functions import WorkerFunctions

        with self._lock:
            if folder not in self._by_folder:
                folders = [*([Path(folder)] if folder is not None else []), *self._more]
                self._by_folder[folder] = WorkerFunctions(folders)
            return self._by_folder[folder]

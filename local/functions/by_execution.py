"""Functions of many folders at once: each execution's tasks are looked for where it was begun."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from ...handlers.functions import FunctionNotFound, Invocation, InvocationResult
from .folders import bare_name
from .worker_functions import WorkerFunctions


class FunctionsByExecution:
    """`folder_of` names the folder of an execution's handlers. A file that changes is loaded anew."""

    def __init__(self, folder_of: Callable[[str], Path | None]):
        self._folder_of = folder_of
        self._known: dict[Path, WorkerFunctions] = {}
        self._lock = threading.Lock()
        self._closed = False

    def invoke(self, invocation: Invocation) -> InvocationResult:
        """Raises `FunctionNotFound`, and what `WorkerFunctions` raises."""
        execution = (invocation.client_context or {}).get("execution", "")
        folder = self._folder_of(execution)
        if folder is None:
            raise FunctionNotFound(
                f"Function not found: {bare_name(invocation.function)} (where the handlers of {execution} are is not known)"
            )
        return self._functions(folder).invoke(invocation)

    def _functions(self, folder: Path) -> WorkerFunctions:
        with self._lock:
            found = self._known.get(folder)
            if found is None:
                found = self._known[folder] = WorkerFunctions([folder], reload=True)
                if self._closed:
                    found.close()
            return found

    def close(self) -> None:
        """Ends every process."""
        with self._lock:
            self._closed = True
            known = list(self._known.values())
        for functions in known:
            functions.close()

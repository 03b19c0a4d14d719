"""Functions in this very process: for tests that want a breakpoint, and for measuring what is around them."""

from __future__ import annotations

import contextlib
import importlib
import sys
import threading
from collections.abc import Mapping, Sequence
from itertools import count
from pathlib import Path
from types import ModuleType

from ...handlers import plugins
from ...handlers.functions import FunctionNotFound, Invocation, InvocationResult
from . import errors, handler_runtime
from .folders import Folders, bare_name, not_found
from .handler_runtime import Context, Fault, Handler

_numbers = count(1)


class InProcessFunctions:
    """Calls Python functions on the thread that invokes.

    Given by name (`{"orders-validate": validate}`), or found in folders. Payloads take the way through JSON
    that they take on Lambda, so that a handler can neither see nor return what it could not there. A timeout is
    not enforced, what is printed goes where the process prints, and a handler that ends the process otherwise
    than by `sys.exit` ends it.

    Modules out of folders are imported under names of their own: two instances do not share them, and two
    folders may each have one of the same name. What such a module imports itself is imported as usual.
    """

    def __init__(self, functions: Mapping[str, Handler] | None = None, folders: Sequence[Path | str] = ()):
        self._handlers = {bare_name(name): handler for name, handler in (functions or {}).items()}
        self._names = {name: name for name in self._handlers}
        self._folders = Folders(folders)
        self._root = f"_stratum_functions_{next(_numbers)}"
        self._loading = threading.RLock()

    def invoke(self, invocation: Invocation) -> InvocationResult:
        name = self._names.get(invocation.function) or self._known(invocation.function)
        request = invocation.request_id
        try:
            handler = self._handlers.get(name) or self._load(invocation.function, name)
            context = Context(name, request, invocation.client_context, invocation.timeout)
            return InvocationResult(handler_runtime.invoke(handler, invocation.payload, context))
        except Fault as fault:
            return errors.failed(request, fault.type, fault.message, fault.stack)
        except SystemExit as error:
            status = error.code if isinstance(error.code, int) else int(error.code is not None)
            return errors.exited(request, status & 0xFF)

    def _known(self, function: str) -> str:
        """The name of the function in any of its spellings, kept: most calls are for few functions."""
        name = self._names[function] = bare_name(function)
        return name

    def _load(self, function: str, name: str) -> Handler:
        load = self._import
        try:
            if not self._folders.paths:
                raise not_found(function, "it is not among the given ones", self._handlers)
            module, attribute = self._folders.require(function)
        except FunctionNotFound:
            if (plugin := plugins.find(name)) is None:
                raise
            module, attribute, load = plugin.module, plugin.attr, importlib.import_module
        with self._loading:
            handler = self._handlers[name] = handler_runtime.load(module, attribute, load)
        return handler

    def _import(self, module: str) -> ModuleType:
        """The module, as one of a package that has no files of its own and all the folders."""
        folders = [str(folder) for folder in self._folders.paths]
        if self._root not in sys.modules:
            root = ModuleType(self._root)
            root.__path__ = folders
            sys.modules[self._root] = root
            sys.path += folders  # for what a handler imports when it is called
        sys.path[:0] = folders  # for its neighbours, which come before installed packages as in a worker
        importlib.invalidate_caches()
        try:
            return importlib.import_module(f"{self._root}.{module}")
        finally:
            for folder in folders:
                with contextlib.suppress(ValueError):
                    sys.path.remove(folder)

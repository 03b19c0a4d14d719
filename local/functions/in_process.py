"""Functions in this very process: for tests that want a breakpoint, and for measuring what is around them."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

from ...handlers.functions import FunctionNotFound, Invocation, InvocationResult, function_name
from . import errors
from .folders import Folders, not_found

Handler = Callable[[Any, Any], Any]

_encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode


class InProcessFunctions:
    """Calls Python functions on the thread that invokes.

    Given by name (`{"orders-validate": validate}`), or found in folders. Payloads take the way through JSON
    that they take on Lambda, so that a handler can neither see nor return what it could not there. A timeout is
    not enforced, and what is printed goes where the process prints.
    """

    def __init__(self, functions: Mapping[str, Handler] | None = None, folders: Sequence[Path | str] = ()):
        self._functions = dict(functions or {})
        self._folders = Folders(folders)

    def invoke(self, invocation: Invocation) -> InvocationResult:
        handler = self._functions.get(invocation.function) or self._find(invocation)
        if isinstance(handler, InvocationResult):
            return handler
        request = invocation.request_id
        try:
            answer = handler(json.loads(invocation.payload), _context(invocation))
        except Exception as error:
            return errors.raised(request, error, skip=1)
        try:
            payload = _encode(answer)
        except (TypeError, ValueError, RecursionError) as error:
            return errors.failed(request, "Runtime.MarshalError", f"Unable to marshal response: {error}", [])
        if len(payload) > errors.MAX_RESPONSE // 4 and len(payload.encode()) > errors.MAX_RESPONSE:
            return errors.too_large(request, len(payload.encode()))
        return InvocationResult(payload)

    def _find(self, invocation: Invocation) -> Handler | InvocationResult:
        name = function_name(invocation.function)
        handler = self._functions.get(name)
        if handler is not None:
            return handler
        if not self._folders.paths:
            raise FunctionNotFound(not_found(name))
        module, attribute = self._folders.require(name)
        try:
            loaded = self._load(module)
        except Exception as error:
            message = f"Unable to import module '{module}': {error}"
            return errors.failed(invocation.request_id, "Runtime.ImportModuleError", message, [])
        handler = getattr(loaded, attribute, None)
        if handler is None:
            message = f"Handler '{attribute}' missing on module '{module}'"
            return errors.failed(invocation.request_id, "Runtime.HandlerNotFound", message, [])
        self._functions[name] = handler
        return handler

    def _load(self, module: str) -> ModuleType:
        """The module from its folder, under a name of its own: two folders may have one of the same name."""
        for folder in self._folders.paths:
            path = folder.joinpath(*module.split(".")).with_suffix(".py")
            if path.is_file():
                private = f"_stratum_{abs(hash(folder)):x}_{module.replace('.', '_')}"
                if private in sys.modules:
                    return sys.modules[private]
                spec = importlib.util.spec_from_file_location(private, path)
                assert spec is not None
                assert spec.loader is not None
                loaded = sys.modules[private] = importlib.util.module_from_spec(spec)
                sys.path.insert(0, str(folder))  # so that it finds its neighbours
                try:
                    spec.loader.exec_module(loaded)
                except BaseException:
                    del sys.modules[private]
                    raise
                finally:
                    sys.path.remove(str(folder))
                return loaded
        raise ImportError(f"No module named '{module}'")


def _context(invocation: Invocation) -> SimpleNamespace:
    """The fields of Lambda's context object that a handler of workflows reads."""
    name = function_name(invocation.function)
    return SimpleNamespace(
        function_name=name,
        function_version="$LATEST",
        invoked_function_arn=f"arn:aws:lambda:us-east-1:123456789012:function:{name}",
        memory_limit_in_mb="1024",
        aws_request_id=invocation.request_id,
        log_group_name=f"/aws/lambda/{name}",
        log_stream_name="local",
        identity=None,
        client_context=SimpleNamespace(custom=invocation.client_context or {}, env={}, client=None),
        get_remaining_time_in_millis=lambda: int((invocation.timeout or 900) * 1000),
    )

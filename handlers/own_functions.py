"""Functions that are handlers of ours: called in this process, not invoked. Nobody pays for another's waiting."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from .functions import Functions, Invocation, InvocationResult, function_name
from .runtime import Runtime

WORK = "stratum-work"


class WithOwn:
    """`functions`, and `stratum-work` beside them: the function that gates and agent steps invoke."""

    def __init__(self, functions: Functions, runtime: Callable[[], Runtime]):
        self._functions = functions
        self._runtime = runtime

    def __getattr__(self, name: str) -> Any:
        return getattr(self._functions, name)

    def invoke(self, invocation: Invocation) -> InvocationResult:
        if function_name(invocation.function) != WORK:
            return self._functions.invoke(invocation)
        from . import work

        runtime = self._runtime().at(invocation.account, invocation.region)
        tenant = (invocation.client_context or {}).get("tenant") or runtime.store.tenant
        try:
            return InvocationResult(json.dumps(work.handle(runtime, json.loads(invocation.payload), tenant)))
        except ValueError as error:
            failed = {
                "errorMessage": str(error), "errorType": type(error).__name__, "requestId": invocation.request_id,
                "stackTrace": [],
            }  # fmt: skip
            return InvocationResult(json.dumps(failed, separators=(",", ":")), "Unhandled")

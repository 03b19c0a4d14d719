"""Functions that are handlers of ours: on AWS they are deployed beside the others, here they are called in this process."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from ...handlers.functions import Functions, Invocation, InvocationResult, function_name
from ...handlers.runtime import Runtime
from . import errors

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
        from ...handlers import work

        runtime = self._runtime().at(invocation.account, invocation.region)
        tenant = (invocation.client_context or {}).get("tenant") or runtime.store.tenant
        try:
            return InvocationResult(json.dumps(work.handle(runtime, json.loads(invocation.payload), tenant)))
        except ValueError as error:
            return errors.failed(invocation.request_id, type(error).__name__, str(error), [])

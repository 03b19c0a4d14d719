"""`@task`: a Python function as a Lambda handler whose event and result are checked as its annotations say.

    @task(retry={"on": [GatewayBusy], "never": [CardDeclined], "attempts": 4})
    def charge(order: str, amount: float, context: TaskContext) -> Receipt: ...

    charge("o-1", 12.5, context)                            # still the function that it was
    charge({"order": "o-1", "amount": 12.5}, lambda_context)     # what Lambda calls

Lambda calls a handler with an event and its context object; any other call is a call of the function.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Coroutine, Mapping, Sequence
from functools import cached_property, update_wrapper
from typing import TYPE_CHECKING, Any, Generic, Literal, ParamSpec, TypeVar, overload

from ..statelang.python.names import name_of
from ..statelang.python.options import Duration, Retry, TaskOptions

if TYPE_CHECKING:
    from ..statelang.python.signatures import Signature

P = ParamSpec("P")
R = TypeVar("R")


class NoIdempotencyKey(RuntimeError):
    """The call brought no key."""


class TaskContext:
    """What a task is told of its call; every attribute of Lambda's own context object is here too.

    `execution` is an ARN, `step` the state's name, `attempt` counts the tries of Amazon States Language's own Retry from 1:
    a step that is tried again because of its contract, its `ensure` or a linear back-off is a state that is entered anew, and
    begins at 1. Calls that no handler of Stratum made bring none of these.
    """

    def __init__(
        self,
        lambda_context: Any = None,
        *,
        idempotency_key: str | None = None,
        execution: str | None = None,
        step: str | None = None,
        attempt: int = 1,
    ):
        told = getattr(getattr(lambda_context, "client_context", None), "custom", None)
        told = told if isinstance(told, Mapping) else {}
        self.lambda_context = lambda_context
        self._key: str | None = idempotency_key or told.get("idempotency_key")
        self.execution: str | None = execution or told.get("execution")
        self.step: str | None = step or told.get("step")
        self.attempt: int = told.get("attempt", attempt)

    @property
    def idempotency_key(self) -> str:
        """The same whenever the very same task is performed again. Raises `NoIdempotencyKey`."""
        if self._key is None:
            raise NoIdempotencyKey(
                "this call has no idempotency key: Stratum's handlers bring one, Step Functions itself does not; "
                "a test gives one by TaskContext(idempotency_key=…)"
            )
        return self._key

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or self.__dict__.get("lambda_context") is None:
            raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")
        return getattr(self.lambda_context, name)


class Task(Generic[P, R]):
    """A function that is a handler too. `name` is what a spec's `task:` calls it: module.function."""

    __name__: str

    def __init__(
        self,
        function: Callable[P, R],
        options: TaskOptions,
        name: str | None = None,
        namespace: Mapping[str, Any] | None = None,
    ):
        if not callable(function) or inspect.isclass(function):
            raise TypeError(f"@task is for functions, and {function!r} is none")
        update_wrapper(self, function)
        self.function = function
        self.options = options
        self.name = name or name_of(function)
        self._namespace = namespace

    @cached_property
    def signature(self) -> Signature:
        """Read when it is first needed. Raises `AnnotationError`."""
        from ..statelang.python.signatures import signature_of

        return signature_of(self.function, self.name, self._namespace)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        given: tuple[Any, ...] = args
        if len(given) == 2 and not kwargs and _is_lambdas(given[1]):
            return self.handler(given[0], given[1])
        return self.function(*args, **kwargs)

    def handler(self, event: Any, context: Any = None) -> Any:
        """What Lambda calls: JSON data in, JSON data out. Raises `ContractViolated`, and what the function raises."""
        signature = self.signature
        given = context if isinstance(context, TaskContext) else TaskContext(context)
        function: Callable[..., Any] = self.function
        answer = function(**signature.arguments(event, given))
        if inspect.iscoroutine(answer):
            answer = _awaited(answer)
        return answer if signature.result is None else signature.result.encode(answer)

    def __repr__(self) -> str:
        return f"<task {self.name}>"


@overload
def task(function: Callable[P, R], /) -> Task[P, R]: ...
@overload
def task(
    *,
    name: str | None = None,
    retry: Retry | Literal["none"] | None = None,
    timeout: Duration | None = None,
    heartbeat: Duration | None = None,
    ensure: str | Callable[[Any], Any] | Sequence[str | Callable[[Any], Any]] = (),
    compensate: Any = None,
) -> Callable[[Callable[P, R]], Task[P, R]]: ...


def task(
    function: Callable[..., Any] | None = None,
    /,
    *,
    name: str | None = None,
    retry: Retry | Literal["none"] | None = None,
    timeout: Duration | None = None,
    heartbeat: Duration | None = None,
    ensure: str | Callable[[Any], Any] | Sequence[str | Callable[[Any], Any]] = (),
    compensate: Any = None,
) -> Any:
    """Makes the function a handler. The options hold where a workflow that is built in Python uses it.

    `compensate` is the handler that takes back what this one has done, alone or with its input, which may be a function
    of the result: `(release, lambda result: {"id": result.id})`.
    """
    checks = [ensure] if isinstance(ensure, str) or callable(ensure) else list(ensure)
    options = TaskOptions(retry, timeout, heartbeat, checks, compensate)
    # Classes that are made inside a function are known there alone.
    local = sys._getframe(1).f_locals

    def made(each: Callable[..., Any]) -> Task[..., Any]:
        inside = "<locals>" in getattr(each, "__qualname__", "")
        return Task(each, options, name, local if inside else None)

    return made if function is None else made(function)


def _is_lambdas(value: Any) -> bool:
    return (
        not isinstance(value, TaskContext)
        and hasattr(value, "aws_request_id")
        and hasattr(value, "get_remaining_time_in_millis")
    )


def _awaited(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Runs it to its end, also where this thread runs an event loop already."""
    import asyncio

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(coroutine)
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, coroutine).result()

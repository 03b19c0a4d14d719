"""The executions of a stage on Step Functions: loaded from the API, and led by it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from ...statelang.engine.messages import Message
from ..api.errors import ApiError
from ..children import REQUESTER
from ..executions import Executions
from ..loading import ExecutionNotFound, Loaded
from ..store import Commit, Conflict
from ..tenancy.limits import Limiter
from .api import Api
from .refusal import FORK, NEW, NotOnStepFunctions
from .store import StepFunctionsStore

if TYPE_CHECKING:
    from .runtime import StepFunctionsRuntime

T = TypeVar("T")


class _Unlimited(Limiter):
    """AWS's quotas are the only ones there."""

    def admit(self, start: Callable[[], T | None], *, known: Callable[[], bool] = lambda: False) -> T | None:
        return start()

    def leave(self) -> None: ...


class StepFunctionsExecutions(Executions):
    """What changes an execution is an operation of AWS's, noted in the execution's journal with who asked for it."""

    on_step_functions = True

    def __init__(self, store: StepFunctionsStore, runtime: StepFunctionsRuntime, api: Api):
        super().__init__(store, runtime)
        self.limiter = _Unlimited(store, runtime)
        self._native = store
        self._api = api

    # -- reading ---------------------------------------------------------------------------------------

    def load(self, execution: str) -> Loaded:
        snapshot = self._native.snapshot(execution)
        definition = None if snapshot is None else self._native.stage.by_digest(snapshot["definition"])
        if snapshot is None or definition is None:
            raise ExecutionNotFound(execution)
        return Loaded(execution, definition.machine, snapshot, snapshot["events"] - 1, "", None, 0, 0, 0)

    def known(self, execution: str) -> Loaded:
        return self.load(execution)

    def at(self, execution: str, seq: int) -> Loaded:
        raise NotOnStepFunctions(FORK)

    # -- changing --------------------------------------------------------------------------------------

    def begin(self, machine: str, name: str, input: str, by: dict[str, str] | None) -> dict[str, Any]:
        """StartExecution, whose idempotency key is the name: the same name and input while that execution runs answers with it
        again. Raises `ApiError`.

        Who has asked is written down before, so that no gate is open whose requester is not known.
        """
        plain = ":".join(machine.split(":")[:7])
        if plain not in self._native.stage.machines:
            there = (
                ", ".join(sorted(self._native.stage.workflow(arn) for arn in self._native.stage.machines))
                or "none"
            )
            name = self._native.stage.workflow(plain)
            raise ApiError(
                "StateMachineDoesNotExist", f"there is no workflow '{name}' in this stage; it has: {there}"
            )
        execution = f"{plain.replace(':stateMachine:', ':execution:')}:{name}"
        at = self._runtime.clock()
        mine = by is not None and self._ask(execution, by)
        try:
            answer = self._api.call("StartExecution", stateMachineArn=machine, name=name, input=input)
        except ApiError:
            if mine and self._native.history(execution) is None:
                self.store.delete(REQUESTER, execution)
            raise
        self._native.look_again(execution)
        if mine:
            self._note(execution, at, "start asked", by)
        return answer

    def _ask(self, execution: str, by: dict[str, str]) -> bool:
        """Whether it is they who ask first: one that is there was started by whoever it was."""
        if self._native.history(execution) is not None:
            return False
        while True:
            # What stands there without an execution was left by somebody who ended before AWS was asked.
            left = self.store.get(REQUESTER, execution)
            try:
                self.store.put(REQUESTER, execution, by, expect=0 if left is None else left.version)
            except Conflict:
                continue
            return True

    def stop(
        self, execution: str, error: str | None, cause: str | None, by: dict[str, str] | None
    ) -> dict[str, Any]:
        """StopExecution. Raises `ApiError`."""
        told = {key: text for key, text in (("error", error), ("cause", cause)) if text is not None}
        at = self._runtime.clock()
        answer = self._api.call("StopExecution", executionArn=execution, **told)
        self._note(execution, at, "stop asked", by, **told)
        self._native.look_again(execution)
        return answer

    def redrive(self, execution: str, by: dict[str, str] | None, token: str | None = None) -> dict[str, Any]:
        """RedriveExecution, with `token` as its idempotency key. Raises `ApiError`."""
        key = {} if token is None else {"clientToken": token}
        at = self._runtime.clock()
        answer = self._api.call("RedriveExecution", executionArn=execution, **key)
        self._note(execution, at, "redrive asked", by)
        self._native.look_again(execution)
        return answer

    def advance(self, messages: Mapping[str, Sequence[Message]]) -> dict[str, Exception]:
        """A stop or a redrive; ticks are AWS's own."""
        failures: dict[str, Exception] = {}
        for execution, several in messages.items():
            for message in several:
                try:
                    self._lead(execution, message)
                except (ApiError, NotOnStepFunctions) as error:
                    failures[execution] = error if isinstance(error, NotOnStepFunctions) else NotOnStepFunctions(
                        f"Step Functions refused it: {error.type}: {error.message}"
                    )  # fmt: skip
        return failures

    def _lead(self, execution: str, message: Message) -> None:
        match message["type"]:
            case "stop":
                self.stop(execution, message.get("error"), message.get("cause"), message.get("by"))
            case "redrive":
                self.redrive(execution, message.get("by"), message.get("token"))
            case "tick":
                self._native.look_again(execution)
            case other:
                raise NotOnStepFunctions(f"Step Functions takes no {other} from here")

    def start(
        self,
        message: Message,
        definition: str,
        fields: Mapping[str, str] | None = None,
        *,
        behind: Sequence[Commit] = (),
    ) -> Loaded | None:
        raise NotOnStepFunctions(FORK if message["type"] == "fork" else NEW)

    def dispatch_pending(self, execution: str) -> Loaded:
        """Nothing is to be handed out: Step Functions does."""
        return self.load(execution)

    def settle_start(self, execution: str) -> bool:
        return False

    def outdated(self) -> list[str]:
        return []

    def _note(self, execution: str, at: int, type: str, by: dict[str, str] | None, **fields: Any) -> None:
        from ..work.journal import journal_of

        journal = journal_of(self._runtime, self.store.tenant)
        journal.note(execution, at, type, by=by, **fields)

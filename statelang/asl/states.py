"""The models of a definition: a machine and its states, ready to be run.

Fields are named as in ASL, in Python's spelling. A field that may be computed holds a `Query`: in JSONata a
`Template`, in JSONPath a `PathQuery` or a `PathTemplate`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from ..jsonpath import Path
from ..jsonpath.choice import Condition
from .templates import Scope, Template

Language = Literal["JSONata", "JSONPath"]


class Query(Protocol):
    """A value that is computed; `field` is its place in the state, such as `SecondsPath`."""

    @property
    def field(self) -> str: ...

    def evaluate(self, scope: Scope) -> Any: ...


class _Discard:
    """A path that is null: nothing is taken."""

    def __repr__(self) -> str:
        return "DISCARD"


DISCARD = _Discard()


@dataclass(slots=True)
class Retrier:
    """One entry of `Retry`: which errors, how often, and how long to wait before the n-th retry."""

    error_equals: tuple[str, ...]
    interval_seconds: int = 1
    max_attempts: int = 3
    backoff_rate: float = 2.0
    max_delay_seconds: int | None = None
    jitter_strategy: str = "NONE"


@dataclass(slots=True)
class Catcher:
    """One entry of `Catch`: which errors lead where, and what is assigned and put out on the way."""

    error_equals: tuple[str, ...]
    next: str
    assign: Query | None = None
    output: Query | None = None
    result_path: Path | _Discard | None = None


@dataclass(slots=True)
class State:
    """What every state has. `next` is None for a state that ends its machine; a path that is None is `$`."""

    name: str
    type: str
    language: Language
    next: str | None = None
    assign: Query | None = None
    output: Query | None = None
    input_path: Query | _Discard | None = None
    output_path: Query | _Discard | None = None


@dataclass(slots=True)
class Shaped(State):
    """A state whose input is shaped by `Parameters` or `Arguments`, and its result by `ResultSelector` and
    `ResultPath`."""

    arguments: Query | None = None
    result_selector: Query | None = None
    result_path: Path | _Discard | None = None


@dataclass(slots=True)
class Retried(Shaped):
    """A state that may fail: retried, and its errors caught."""

    retry: tuple[Retrier, ...] = ()
    catch: tuple[Catcher, ...] = ()


@dataclass(slots=True)
class Pass(Shaped):
    """`result` is the `Result` in JSON text, or None."""

    result: str | None = None


@dataclass(slots=True)
class Task(Retried):
    resource: str = ""
    timeout_seconds: Query | None = None
    heartbeat_seconds: Query | None = None
    credentials: Query | None = None


@dataclass(slots=True)
class ChoiceRule:
    """`condition` in JSONata, `test` in JSONPath."""

    next: str
    condition: Template | None = None
    test: Condition | None = None
    assign: Query | None = None
    output: Query | None = None


@dataclass(slots=True)
class Choice(State):
    rules: tuple[ChoiceRule, ...] = ()
    default: str | None = None


@dataclass(slots=True)
class Wait(State):
    seconds: Query | None = None
    timestamp: Query | None = None


@dataclass(slots=True)
class Succeed(State):
    pass


@dataclass(slots=True)
class Fail(State):
    error: Query | None = None
    cause: Query | None = None


@dataclass(slots=True)
class Parallel(Retried):
    branches: tuple[StateMachine, ...] = ()


@dataclass(slots=True)
class ItemReader:
    """`config` is the `ReaderConfig`; `max_items` its `MaxItems` or `MaxItemsPath`."""

    resource: str
    arguments: Query | None
    config: Query | None
    max_items: Query | None


@dataclass(slots=True)
class ItemBatcher:
    max_items: Query | None
    max_bytes: Query | None
    input: Query | None


@dataclass(slots=True)
class ResultWriter:
    resource: str | None
    arguments: Query | None
    config: dict[str, Any]


@dataclass(slots=True)
class Map(Retried):
    """`processor_definition` is the JSON text that a distributed map's child executions run."""

    processor: StateMachine = field(default_factory=lambda: StateMachine("", {}))
    processor_definition: str = ""
    distributed: bool = False
    execution_type: str = "STANDARD"
    label: str | None = None
    items: Query | None = None
    item_selector: Query | None = None
    max_concurrency: Query | None = None
    tolerated_failure_count: Query | None = None
    tolerated_failure_percentage: Query | None = None
    item_reader: ItemReader | None = None
    item_batcher: ItemBatcher | None = None
    result_writer: ResultWriter | None = None


@dataclass(slots=True)
class StateMachine:
    """A prepared definition, or a branch of one. `digest` is the SHA-256 of its text, in hex."""

    start_at: str
    states: dict[str, State]
    timeout_seconds: int | None = None
    comment: str | None = None
    digest: str = ""
    definition: dict[str, Any] = field(default_factory=dict, repr=False)

    @property
    def modern(self) -> bool:
        """Whether it speaks JSONata or has variables, which AWS added in November 2024.

        Recordings from then on say that a distributed map's exit follows the start of its map run; older ones,
        that it follows the run's success. Both kinds of histories are kept true to.
        """
        if self._modern is None:
            self._modern = _modern(self)
        return self._modern

    _modern: bool | None = field(default=None, repr=False)


def _modern(machine: StateMachine) -> bool:
    for state in machine.states.values():
        if state.language == "JSONata" or state.assign is not None:
            return True
        inner = (
            state.branches
            if isinstance(state, Parallel)
            else (state.processor,)
            if isinstance(state, Map)
            else ()
        )
        if any(_modern(part) for part in inner):
            return True
    return False

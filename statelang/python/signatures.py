"""What a handler takes and answers, as its annotations say.

The event's fields are the function's parameters: `charge(order: str, amount: float)` takes `{"order": …,
"amount": …}`. A parameter called `event` takes the event whole, one called `context` is given the call's context.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import typing_extensions

from .annotations import AnnotationError, Shape, record_of
from .names import CONTEXT, EVENT

_NAMED = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


@dataclass(frozen=True, slots=True)
class Signature:
    """`event` is the contract of the event, `result` that of the answer; None where nothing is said.

    With `whole` the event is one argument, otherwise each of its fields is; `context` says whether there is one.
    """

    event: Shape | None
    result: Shape | None
    whole: bool
    context: bool

    def arguments(self, event: Any, context: Any) -> dict[str, Any]:
        """The arguments of a call for this event. Raises `ContractViolated`."""
        value = event if self.event is None else self.event.decode(event)
        made: dict[str, Any] = {EVENT: value} if self.whole else dict(value)
        return {**made, CONTEXT: context} if self.context else made


def signature_of(
    function: Callable[..., Any], name: str, namespace: Mapping[str, Any] | None = None
) -> Signature:
    """Reads the annotations; `namespace` has names that are not of the function's module. Raises `AnnotationError`."""
    hints = hints_of(function, name, namespace)
    parameters = dict(inspect.signature(function).parameters)
    context = parameters.pop(CONTEXT, None) is not None
    whole = EVENT in parameters
    if whole and len(parameters) > 1:
        others = ", ".join(f"`{each}`" for each in parameters if each != EVENT)
        raise AnnotationError(f"{name}: `event` is the whole event, so that nothing is left for {others}")
    fields: dict[str, Any] = {}
    rest = False
    for each in parameters.values():
        if each.kind is inspect.Parameter.VAR_KEYWORD:
            rest = True
        elif each.kind not in _NAMED:
            raise AnnotationError(
                f"{name}: `{each}` has no name in an event; take it by name, or take `event`"
            )
        else:
            hint = hints.get(each.name, Any)
            Shape(hint, f"{name}: `{each.name}`")  # told by its own name where it can be no contract
            given = each.default is not inspect.Parameter.empty
            fields[each.name] = typing_extensions.NotRequired[hint] if given else hint
    result = hints.get("return", Any)
    if whole:
        event = None if hints.get(EVENT, Any) is Any else Shape(hints[EVENT], f"the event of {name}")
    else:
        record = record_of("Event", fields)
        record.__pydantic_config__ = {"extra": "allow" if rest else "ignore"}
        event = Shape(record, f"the event of {name}", anonymous=True)
    return Signature(event, None if result is Any else Shape(result, f"the result of {name}"), whole, context)


def hints_of(
    function: Callable[..., Any], name: str, namespace: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The function's annotations, with names looked up. Raises `AnnotationError`."""
    try:
        hints = typing_extensions.get_type_hints(function, localns=dict(namespace or {}), include_extras=True)
    except NameError as error:
        raise AnnotationError(f"{name}: an annotation names `{error.name}`, which is not known") from None
    except (TypeError, SyntaxError) as error:
        raise AnnotationError(f"{name}: an annotation cannot be read: {error}") from None
    return hints

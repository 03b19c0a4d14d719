"""The steps of a spec's data as models, one by one: what is wrong with one does not hide what is wrong with another."""

from __future__ import annotations

import re
from typing import Any

from pydantic import ValidationError

from .diagnostics import Diagnostic, did_you_mean
from .model_errors import kind_of, shown, tell
from .models import KINDS, AnyStep, MapStep, ParallelStep, RepeatStep, SetStep
from .source import Path

RESERVED = frozenset(
    (
        "states",
        "input",
        "result",
        "error",
        "context",
        "attempt",
        "violations",
        "item",
        "index",
        "round",
        "end",
    )
)
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,59}")
_NAMES = "letters, digits and `_`, a letter first, at most 60"


class StepReader:
    """`broken` are the ids of steps that could not be read: an empty `set` stands for each, so that the places of
    the others stay right."""

    def __init__(self, findings: list[Diagnostic]):
        self.findings = findings
        self.broken: list[str] = []
        self.refused = False

    def problem(self, code: str, message: str, path: Path, suggestion: str | None = None) -> None:
        self.refused = True
        self.findings.append(Diagnostic(code, message, path, None, suggestion))

    def steps(self, data: Any, path: Path) -> list[AnyStep]:
        """A list of steps."""
        if not isinstance(data, list) or not data:
            what = "an empty one" if data == [] else kind_of(data)
            self.problem("S203", f"`{path[-1]}` is a list of at least one step, not {what}", path)
            return []
        return [self.step(step, (*path, index)) for index, step in enumerate(data)]

    def step(self, data: Any, path: Path) -> AnyStep:
        made = self._step(data, path)
        if made is not None:
            return made
        id = data.get("id") if isinstance(data, dict) else None
        id = id if isinstance(id, str) and _NAME.fullmatch(id) else f"?{len(self.broken)}"
        self.broken.append(id)
        return SetStep.model_construct(id=id, set={})

    def _step(self, data: Any, path: Path) -> AnyStep | None:
        if not isinstance(data, dict):
            hint = "such as {id: hello, task: module.function}"
            self.problem("S203", f"a step is a mapping, not {kind_of(data)}", path, hint)
            return None
        kinds = [key for key in data if key in KINDS]
        if len(kinds) > 1:
            told = " and ".join(f"`{kind}`" for kind in kinds)
            self.problem("S204", f"a step has one kind, and here are {told}", (*path, kinds[1]))
            return None
        if not kinds:
            self._no_kind(data, path)
            return None
        model: Any = KINDS[kinds[0]]
        rest = dict(data)
        whole = "id" not in rest or self._good_id(rest["id"], (*path, "id"))
        whole &= self._within(model, rest, path)
        try:
            made = model.model_validate(rest)
        except ValidationError as error:
            bad = tell(error, path, model, rest, self.problem)
            if not bad or _required(model, bad):
                return None
            # Without what is wrong it can be checked all the same.
            made = _validated(model, {key: value for key, value in rest.items() if key not in bad})
        return made if whole else None

    def _within(self, model: type, rest: dict[str, Any], path: Path) -> bool:
        """Reads the lists of steps within the step in their turn; answers whether there is something in each."""
        if model is ParallelStep and isinstance(rest["parallel"], dict):
            branches: dict[str, Any] = {}
            for name, steps in rest["parallel"].items():
                at = (*path, "parallel", name)
                if not _NAME.fullmatch(name):
                    self.problem("S206", f"{name!r} cannot be a branch's name", at, _NAMES)
                branches[name] = self.steps(steps, at)
            rest["parallel"] = branches
            return all(branches.values())
        if model in (MapStep, RepeatStep) and "steps" in rest:
            rest["steps"] = self.steps(rest["steps"], (*path, "steps"))
            if model is MapStep and isinstance(rest["map"], dict) and "as" in rest["map"]:
                self._good_item(rest["map"]["as"], (*path, "map", "as"))
            return bool(rest["steps"])
        return True

    def _no_kind(self, data: dict[str, Any], path: Path) -> None:
        known = {name for model in KINDS.values() for name in model.model_fields}
        for key in data:
            if key not in known and (hint := did_you_mean(key, KINDS)):
                self.problem("S201", f"there is no kind of step `{key}`", (*path, key), hint)
                return
        kinds = ", ".join(f"`{kind}`" for kind in KINDS)
        self.problem("S204", f"a step needs a kind: one of {kinds}", path)

    def _good_id(self, id: Any, path: Path) -> bool:
        if not isinstance(id, str):
            self.problem("S206", f"a step's id is a name, not {shown(id)}", path, _NAMES)
            return False
        if not _NAME.fullmatch(id):
            self.problem(
                "S206", f"{id!r} cannot be a step's id", path, f"{_NAMES}: it is the name of a variable"
            )
            return False
        if why := _taken(id, RESERVED):
            hint = f"call it `{id}_step`, say"
            self.problem("S206", f"`{id}` cannot be a step's id: ${id} is {why}", path, hint)
            return False
        return True

    def _good_item(self, name: Any, path: Path) -> None:
        if not isinstance(name, str):
            return  # the model tells
        if not _NAME.fullmatch(name):
            self.problem(
                "S206", f"{name!r} cannot be the name of an item", path, f"{_NAMES}: it is a variable"
            )
        elif why := _taken(name, RESERVED - {"item"}):
            self.problem("S206", f"the item cannot be called `{name}`: ${name} is {why}", path)


def _taken(name: str, reserved: frozenset[str]) -> str | None:
    from ..jsonata.library import LIBRARY

    if name in LIBRARY:
        return "a function's name"
    return "taken" if name in reserved else None


def _validated(model: Any, data: dict[str, Any]) -> Any:
    try:
        return model.model_validate(data)
    except ValidationError:
        return None


def _required(model: Any, keys: set[str]) -> bool:
    """Whether the step is none without these keys."""
    fields = {field.alias or name: field for name, field in model.model_fields.items()}
    return any(key in fields and fields[key].is_required() for key in keys)

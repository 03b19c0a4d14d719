"""What the expressions and paths of one state can see in a turn."""

from __future__ import annotations

from typing import Any

from ..asl.json_text import Json
from ..asl.states import Map, Retried
from ..jsonpath import PathNotFound
from .turn import Frame, Turn, index_of, iso, parent_of

ITEMS = "%items"
"""The variable of a Map's frame that holds its items."""


class StateScope:
    """See `asl.templates.Scope`. `root` is what `$` stands for; the frame's input unless given."""

    __slots__ = ("_error", "_frame", "_id", "_item", "_result", "_root", "_states", "_turn")

    def __init__(
        self,
        turn: Turn,
        id: str,
        frame: Frame,
        result: Json | None = None,
        error: Json | None = None,
        *,
        root: Json | None = None,
        item: tuple[int, Any] | None = None,
    ):
        self._turn = turn
        self._id = id
        self._frame = frame
        self._result = result
        self._error = error
        self._root = root
        self._item = item
        self._states: dict[str, Any] = {}

    @property
    def now(self) -> float:
        return self._turn.now

    def draw(self) -> float:
        return self._turn.entropy.random()

    # -- JSONPath --------------------------------------------------------------------------------------

    @property
    def root(self) -> Any:
        return (self._root or self._turn.data(self._frame["input"])).value

    def lookup(self, name: str) -> Any:
        found = self._turn.variable(self._id, name)
        if found is None:
            raise PathNotFound(f"there is no variable ${name}")
        return found.value

    # -- JSONata ---------------------------------------------------------------------------------------

    def variable(self, name: str) -> Json | None:
        return self._turn.variable(self._id, name)

    def states(self, fields: frozenset[str]) -> dict[str, Any]:
        found = self._states
        for field in fields:
            if field in found:
                continue
            if field == "input":
                found[field] = self._turn.data(self._frame["input"]).value
            elif field == "context":
                found[field] = self.context()
            elif field == "result" and self._result is not None:
                found[field] = self._result.value
            elif field == "errorOutput" and self._error is not None:
                found[field] = self._error.value
        return found

    # -- both ------------------------------------------------------------------------------------------

    def context(self) -> dict[str, Any]:
        """The context object, as the AWS guide describes it."""
        turn, frame = self._turn, self._frame
        given = turn.before.get("context")
        if given is not None:
            return given
        execution = turn.execution
        context: dict[str, Any] = {
            "Execution": {
                "Id": execution["id"],
                "Input": turn.data(execution["input"]).value,
                "StartTime": iso(execution["started"]),
                "Name": execution["name"],
                "RoleArn": execution["role"],
            },
            "StateMachine": {
                "Id": turn.before["state_machine"]["id"],
                "Name": turn.before["state_machine"]["name"],
            },
            "State": {
                "Name": turn.before.get("state_name", frame["state"]),
                "EnteredTime": iso(frame["entered"]),
            },
        }
        if turn.before.get("kind") != "EXPRESS":
            context["Execution"]["RedriveCount"] = turn.before.get("redrives", 0)
        if isinstance(turn.state_of(self._id), Retried):
            context["State"]["RetryCount"] = sum(frame.get("retries", ()))
        if "redriven" in turn.before:
            context["Execution"]["RedriveTime"] = iso(turn.before["redriven"])
        if "token" in frame:
            context["Task"] = {"Token": frame["token"]}
        item = self._item or self._around()
        if item is not None:
            context["Map"] = {"Item": {"Index": item[0], "Value": item[1]}}
        return context

    def _around(self) -> tuple[int, Any] | None:
        """The item of the nearest iteration that this frame is in."""
        at: str = self._id
        while (parent := parent_of(at)) is not None:
            if isinstance(self._turn.state_of(parent), Map):
                index = index_of(at)
                return index, self._turn.data(self._turn.variables[f"{parent}:{ITEMS}"]).value[index]
            at = parent
        return None

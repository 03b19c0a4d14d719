"""The executions of a test's cloud, as its handlers commit them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ...handlers.store import Commit
from .observers import Observed
from .results import Result
from .visits import Child
from .workflows import Workflow

if TYPE_CHECKING:
    from ..cloud import LocalCloud
    from ..cost import Figures


class Executions:
    """What became of each execution; `cloud` is set as soon as there is one."""

    cloud: LocalCloud

    def __init__(self) -> None:
        self.told: set[str] = set()
        """Those that a failed assertion has told of."""
        self.raised: dict[str, BaseException] = {}
        """What a function or a mock of an execution raised last."""
        self._events: dict[str, list[dict[str, Any]]] = {}
        self._ways: dict[str, list[list[int | str]]] = {}
        self._children: dict[str, list[str]] = {}

    def __contains__(self, execution: str) -> bool:
        return execution in self._events

    def committed(self, execution: str, commit: Commit) -> None:
        """The cloud's observer."""
        if execution not in self._events and commit.messages and commit.messages[0]["type"] == "start":
            parent = commit.messages[0].get("parent") or {}
            if "map_run" in parent:
                self._children.setdefault(parent["execution"], []).append(execution)
        self._events.setdefault(execution, []).extend(commit.events)
        self._ways.setdefault(execution, []).extend(commit.ways)

    def every(self) -> list[str]:
        """All of them, in the order in which they began."""
        return list(self._events)

    def roots(self) -> list[str]:
        """All but the children of distributed maps."""
        return [execution for execution in self._events if self.root(execution) == execution]

    def snapshot(self, execution: str) -> dict[str, Any]:
        return self.cloud.runtime.executions().known(execution).snapshot

    def root(self, execution: str) -> str:
        """The execution whose definition a child of a distributed map runs a part of."""
        while "map_run" in (parent := self.snapshot(execution).get("parent") or {}):
            execution = parent["execution"]
        return execution

    def result(self, execution: str, workflow: Workflow) -> Result:
        return Result(
            workflow, self.snapshot(execution), self._events[execution], now=self.cloud.clock(),
            children=self._within(execution), cost=lambda: self._cost(execution), raised=self.raised.get(execution),
            told=self.told,
        )  # fmt: skip

    def _within(self, execution: str) -> list[Child]:
        """The children of its distributed maps, in order."""
        found: list[Child] = []
        for child in self._children.get(execution, ()):
            parent = self.snapshot(child)["parent"]
            found.append(Child(parent["task"], parent["index"], self._events[child], self._within(child)))
        return sorted(found, key=lambda child: (child.after, child.index))

    def _cost(self, execution: str) -> Figures:
        from ..cost import load_prices, of_execution

        head = self.cloud.store.head(execution)
        assert head is not None
        return of_execution(load_prices(), self.cloud.store, head)

    def observed(self, execution: str, workflows: dict[str, Workflow], test: str | None) -> Observed:
        """What observers are told; `workflows` are known by the digests of their definitions."""
        root, snapshot = self.root(execution), self.snapshot(execution)
        digest = self.snapshot(root)["definition"]
        workflow = workflows.get(digest)
        if workflow is not None:
            definition = workflow.definition
        else:  # one that code under test has created
            record = self.cloud.store.get("definition", digest)
            definition = json.loads(record.value["definition"]) if record is not None else {}
        return Observed(
            execution,
            snapshot["state_machine"]["name"],
            definition,
            self._events[execution],
            self._ways[execution],
            snapshot["status"],
            source_map=workflow.source_map if workflow is not None else None,
            file=workflow.file if workflow is not None else None,
            parent=(snapshot.get("parent") or {}).get("execution") if root != execution else None,
            express=snapshot.get("kind") == "EXPRESS",
            test=test,
        )

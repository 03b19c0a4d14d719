"""What was taken of every workflow: collected in one process, merged from several, kept as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...statelang.asl import digest_of, dump
from ...statelang.coverage import Taken, parts_of_definition, parts_of_spec, violations_of
from ...statelang.drawing import graph_of

FORMAT = "stratum-coverage/1"


class NotARecord(ValueError):
    """Not what `Record.to_json` gives."""


@dataclass(slots=True)
class Recorded:
    """One workflow: the same file, or name, and definition. `file` is a path, None where the definition had none."""

    name: str
    file: str | None
    definition: dict[str, Any]
    source_map: dict[str, Any] | None
    taken: Taken
    executions: int = 0

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name, "file": self.file, "executions": self.executions, "hits": self.taken.hits,
            "definition": self.definition, "source_map": self.source_map,
        }  # fmt: skip


class Record:
    """Workflows and what was taken of them. Adding the same executions in any order comes to the same."""

    def __init__(self) -> None:
        self._workflows: dict[tuple[str | None, str, str], Recorded] = {}

    @property
    def workflows(self) -> list[Recorded]:
        """By file, those without one last."""
        return [
            self._workflows[key]
            for key in sorted(self._workflows, key=lambda key: (key[0] is None, key[0] or "", *key[1:]))
        ]

    def offer(
        self,
        name: str,
        definition: dict[str, Any],
        source_map: dict[str, Any] | None = None,
        file: str | None = None,
    ) -> Recorded:
        """The workflow, taken or not."""
        if source_map is not None:
            name = source_map["workflow"]
        key = (file, "" if file is not None else name, digest_of(dump(definition)))
        found = self._workflows.get(key)
        if found is None:
            found = Recorded(name, file, definition, source_map, Taken(violations_of(source_map)))
            self._workflows[key] = found
        return found

    def add(
        self,
        workflow: Recorded,
        events: Iterable[Mapping[str, Any]],
        ways: Sequence[list[int | str]],
        *,
        part: bool = False,
    ) -> None:
        """An execution of the workflow with its whole history; `part` is one of a distributed map's items."""
        workflow.taken.execution().feed(events, ways)
        workflow.executions += not part

    def merge(self, data: Any) -> None:
        """Adds what another record's `to_json` gave. Raises `NotARecord`, and then adds nothing."""
        try:
            if data["format"] != FORMAT:
                raise NotARecord(f"its format is {data['format']!r} and not {FORMAT!r}")
            given = [_checked(each) for each in data["workflows"]]
        except NotARecord:
            raise
        except (KeyError, TypeError, AttributeError, IndexError, ValueError):
            raise NotARecord("it does not hold what coverage is made of") from None
        for each in given:
            workflow = self.offer(each.name, each.definition, each.source_map, each.file)
            workflow.taken.merge(each.taken.hits)
            workflow.executions += each.executions

    def to_json(self) -> dict[str, Any]:
        return {"format": FORMAT, "workflows": [workflow.to_json() for workflow in self.workflows]}


def _checked(data: Any) -> Recorded:
    """A workflow out of JSON; trying what its parts are shows whether it is one."""
    source_map, definition = data["source_map"], data["definition"]
    taken = Taken()
    taken.merge({state: {place: int(times) for place, times in places.items()} for state, places in data["hits"].items()})  # fmt: skip
    _ = parts_of_definition(definition) if source_map is None else parts_of_spec(source_map)
    graph_of(definition, source_map)
    file = data["file"]
    return Recorded(str(data["name"]), None if file is None else str(file), definition, source_map, taken, int(data["executions"]))  # fmt: skip

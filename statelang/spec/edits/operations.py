"""The operations that edits come to, each done on the text and on the data.

Paths are those of the data as it is when the operation is done. What an operation cannot do on the text it refuses with
`NotEdited`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from copy import deepcopy
from typing import Any

import yaml

from ...formatting.tree import Collection, NotFormatted, read
from ..source import Path
from . import entries, flow, items, scalars
from .edit import Change, NotEdited
from .pieces import Pieces
from .steps import block
from .written import Written


class Draft:
    """A text that is being edited. `data` is what the operations make of the data, without a look at the text."""

    def __init__(self, text: str):
        self.pieces = Pieces(text)
        self.written = Written(text)
        self.data: Any = deepcopy(self.written.data)

    def checked(self) -> None:
        """Raises `NotEdited` where the text does not say what the data does."""
        if _same(self.written.data, self.data):
            return
        raise NotEdited("this cannot be done without a change of something else: change it in the text")

    def _splice(self, changes: Iterable[Change]) -> None:
        self.pieces.splice([*changes])
        try:
            self.written = Written(self.pieces.text)
        except NotEdited as refused:
            raise NotEdited(f"the text would not be right any more: {refused}") from None

    # -- scalars -----------------------------------------------------------------------------------------

    def replace(self, path: Path, value: Any) -> None:
        """A scalar by another one."""
        node = self.written.node(path)
        if not isinstance(node, yaml.ScalarNode) or node.style in ("|", ">"):
            raise NotEdited(
                f"`{path[-1]}` is more than a word here: change it in the text", node.start_mark.line + 1
            )
        start, end = self.written.span(path)
        within = self._in_flow(path)
        if start == end:
            text = f" {scalars.scalar(value, flow=within)}"
        elif isinstance(value, str):
            text = scalars.like(self.written.text[start:end], value, flow=within)
        else:
            text = scalars.scalar(value, flow=within)
        _put(self.data, path, value)
        self._splice([Change(start, end, text)])

    def rewrite(self, texts: dict[Path, str], changes: Iterable[Change]) -> None:
        """Scalars whose new text has been made out already: what they come to, and how the text changes."""
        for path, value in texts.items():
            _put(self.data, path, value)
        self._splice(dict.fromkeys(changes))

    def _in_flow(self, path: Path) -> bool:
        return any(self.written.flow(self.written.source.nodes[path[:length]]) for length in range(len(path)))

    # -- entries -----------------------------------------------------------------------------------------

    def set_entry(self, path: Path, key: str, value: Any, *, before: Iterable[str] = ()) -> None:
        """An entry of a mapping: changed, or made at the end, above the first of the keys `before`."""
        around = _at(self.data, path)
        if key in around:
            self.replace((*path, key), value)
            return
        node = self.written.node(path)
        names = [name.value for name, _ in node.value]
        index = min((names.index(name) for name in before if name in names), default=len(names))
        index = index if index > 0 else len(names)
        around[key] = value
        if self.written.flow(node):
            text = flow.Part(f"{scalars.scalar(key, flow=True)}: {scalars.flow(value)}")
            self._splice(flow.insertion(self.written, self._whole(node), self._spans(node), index, text))
        else:
            lines = block({key: value})
            self._splice([entries.insertion(self.written, node, index - 1, lines)])

    def remove_entry(self, path: Path) -> None:
        node = self.written.node(path[:-1])
        index = [name.value for name, _ in node.value].index(path[-1])
        del _at(self.data, path[:-1])[path[-1]]
        if self.written.flow(node):
            self._splice(flow.removal(self.written, self._whole(node), self._spans(node), index))
        else:
            self._splice([entries.removal(self.written, node, index)])

    # -- items -------------------------------------------------------------------------------------------

    def insert(self, path: Path, index: int, value: Any) -> None:
        """A new item of a list."""
        node = self.written.node(path)
        _at(self.data, path).insert(index, value)
        if self.written.flow(node):
            self._insert_flow(node, index, flow.Part(scalars.flow(value)))
        else:
            found = items.items(self.written, node)
            lines = items.indented(block([value]), found[0].column)
            gap = items.usual_gap(found)
            self._splice([items.insertion(self.written, found, index, lines, gap)])

    def remove(self, path: Path, index: int) -> None:
        node = self.written.node(path)
        del _at(self.data, path)[index]
        if self.written.flow(node):
            self._splice(flow.removal(self.written, self._whole(node), self._spans(node), index))
        else:
            found = items.items(self.written, node)
            self._splice([items.removal(self.written, found, index)])

    def move(self, path: Path, index: int, to: Path, place: int) -> None:
        """An item to another place, which is of the data without it."""
        node, value = self.written.node(path), _at(self.data, path)[index]
        gap, lines, part = None, None, None
        if self.written.flow(node):
            part = flow.part(self.written, self._spans(node)[index])
            if "\n" not in part.text:
                lines = [*part.above, f"- {part.text}{part.beside}"]
        else:
            found = items.items(self.written, node)
            lines = items.lines_of(self.written, found[index])
            gap = items.gap_of(self.written, found, index)
        self.remove(path, index)
        _at(self.data, to).insert(place, value)
        target = self.written.node(to)
        if self.written.flow(target):
            self._insert_flow(target, place, part or flow.Part(_on_one_line(lines or [])))
            return
        found = items.items(self.written, target)
        if lines is None:
            raise NotEdited("this step is written over several lines in braces: change it in the text")
        lines = items.indented(lines, found[0].column)
        gap = items.usual_gap(found) if gap is None or path != to else gap
        self._splice([items.insertion(self.written, found, place, lines, gap)])

    def _insert_flow(self, node: Any, index: int, part: flow.Part) -> None:
        self._splice(flow.insertion(self.written, self._whole(node), self._spans(node), index, part))

    def _whole(self, node: Any) -> tuple[int, int]:
        opening = "{" if isinstance(node, yaml.MappingNode) else "["
        return self.written.text.index(opening, node.start_mark.index), node.end_mark.index - 1

    def _spans(self, node: Any) -> list[tuple[int, int]]:
        """The items or entries of a flow collection."""
        if isinstance(node, yaml.MappingNode):
            return [
                (key.start_mark.index, self.written.content_end(value, self.written.colon(key)))
                for key, value in node.value
            ]
        made: list[tuple[int, int]] = []
        for child in node.value:
            made.append((child.start_mark.index, self.written.content_end(child)))
            if len(made) > 1 and made[-2][1] > made[-1][0]:
                raise NotEdited("an alias (`*…`) stands in the list: change it in the text", node.start_mark.line + 1)  # fmt: skip
        return made


def _on_one_line(lines: list[str]) -> str:
    """A step that was a block, for a list that is written in brackets."""
    from ...formatting.layout import one_line

    try:
        document = read("\n".join(lines) + "\n")
    except NotFormatted as refused:
        raise NotEdited(f"the step cannot be put into a list in brackets: {refused}") from None
    step = document.root.entries[0][1] if isinstance(document.root, Collection) else document.root
    text = None if document.comments else one_line(step)
    if text is None:
        reason = "it has comments, or text of several lines"
        raise NotEdited(f"the step cannot be put into a list in brackets: {reason}. Write that list with dashes first")  # fmt: skip
    return text


def _at(data: Any, path: Path) -> Any:
    for part in path:
        data = data[part]
    return data


def _put(data: Any, path: Path, value: Any) -> None:
    _at(data, path[:-1])[path[-1]] = value


def _same(one: Any, other: Any) -> bool:
    """The same, with 1, 1.0 and true told apart."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)

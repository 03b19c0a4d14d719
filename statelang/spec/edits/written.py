"""A YAML text as it is written: its nodes with where their text begins and ends, and its lines."""

from __future__ import annotations

import re
from bisect import bisect_right
from functools import cached_property
from typing import Any

import yaml

from ..source import Path, Source, read_source
from .edit import NotEdited

_ALIAS = "this part stands elsewhere too, by an alias (`*…`): change it in the text"
_COMMENT = re.compile(r"[ \t]*#")


class Written:
    """Raises `NotEdited` where the text does not load. All places are characters of the text, from 0."""

    def __init__(self, text: str):
        source, findings = read_source(text)
        if findings:
            at = findings[0].position
            raise NotEdited(findings[0].message, at.line if at else None)
        self.text = text
        self.source: Source = source
        self.data: Any = source.data

    # -- lines -------------------------------------------------------------------------------------------

    @cached_property
    def _starts(self) -> list[int]:
        return [0, *(found.end() for found in re.finditer("\n", self.text))]

    @property
    def lines(self) -> int:
        return len(self._starts)

    def line_of(self, at: int) -> int:
        return bisect_right(self._starts, at) - 1

    def start(self, line: int) -> int:
        return self._starts[line] if line < self.lines else len(self.text)

    def end(self, line: int) -> int:
        """Where the line's break is."""
        return self._starts[line + 1] - 1 if line + 1 < self.lines else len(self.text)

    def line(self, number: int) -> str:
        return self.text[self.start(number) : self.end(number)]

    def blank(self, line: int) -> bool:
        return not self.line(line).strip()

    def comment(self, line: int) -> int | None:
        """The column of the comment that has the line for itself. Asked of lines between nodes alone."""
        found = _COMMENT.match(self.line(line))
        return found.end() - 1 if found else None

    # -- nodes -------------------------------------------------------------------------------------------

    def node(self, path: Path) -> Any:
        """Raises `NotEdited` where it stands elsewhere: for an alias."""
        for length in range(len(path) + 1):
            node = self.source.nodes[path[:length]]
            if self._first[id(node)] != path[:length]:
                raise NotEdited(_ALIAS, node.start_mark.line + 1)
        return self.source.nodes[path]

    def flow(self, node: Any) -> bool:
        return bool(isinstance(node, yaml.CollectionNode) and node.flow_style)

    @cached_property
    def _first(self) -> dict[int, Path]:
        """Where each node stands itself; it has other paths where aliases lead to it."""
        found: dict[int, Path] = {}
        for path, node in self.source.nodes.items():
            found.setdefault(id(node), path)
        return found

    @cached_property
    def _shared(self) -> set[int]:
        return {id(node) for path, node in self.source.nodes.items() if self._first[id(node)] != path}

    def span(self, path: Path) -> tuple[int, int]:
        """Where the text of the value begins and ends, without what follows it."""
        node = self.node(path)
        return node.start_mark.index, self.content_end(node)

    def content_end(self, node: Any, after: int | None = None) -> int:
        """After the last character of the node's own text; `after` is where its key's `:` or its dash ends."""
        start, end = node.start_mark.index, node.end_mark.index
        if after is not None and start < after:
            alias = re.compile(r"\*[^\s,\[\]{}]+").search(self.text, after)
            return alias.end() if alias else after
        if isinstance(node, yaml.ScalarNode):
            if start == end:
                return start if after is None else after
            if node.style in ("|", ">"):
                return start + _block_length(self.text[start:end])
            return start + len(self.text[start:end].rstrip())
        if node.flow_style:
            return end
        if isinstance(node, yaml.MappingNode):
            key, value = node.value[-1]
            return self.content_end(value, self.colon(key))
        if id(node.value[-1]) in self._shared:
            raise NotEdited(_ALIAS, node.start_mark.line + 1)
        return self.content_end(node.value[-1])

    def colon(self, key: Any) -> int:
        """After the `:` of a key."""
        found = re.compile(r"\s*:").match(self.text, key.end_mark.index)
        return found.end() if found else key.end_mark.index


def _block_length(written: str) -> int:
    """Of a block scalar, without the empty lines below it that are not its own."""
    header, _, body = written.partition("\n")
    if "+" in header.partition("#")[0]:
        kept = written.rstrip(" ")
        return len(kept) - kept.endswith("\n")
    return len(written.rstrip()) if body.strip() else len(header.rstrip())

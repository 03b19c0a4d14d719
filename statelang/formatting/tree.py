"""A YAML text as a tree of what is written in it: nodes with their own text, and comments with their places."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml


class NotFormatted(ValueError):
    """The text is no YAML, or has in it what is left alone: for people."""


@dataclass(slots=True)
class Node:
    """`line` and `column` are where it begins, from 0; `end` is the line of its last character.

    `properties` is the text of its anchor and tag.
    """

    line: int
    column: int
    end: int
    properties: str = ""


@dataclass(slots=True)
class Scalar(Node):
    """`lines` are as written: of a block, its header and its lines without their indentation."""

    lines: list[str] = field(default_factory=list)
    block: bool = False


@dataclass(slots=True)
class Collection(Node):
    """`entries` are pairs of a key and a value; of a sequence, pairs of None and an item."""

    mapping: bool = True
    flow: bool = False
    entries: list[tuple[Scalar | None, Node]] = field(default_factory=list)


@dataclass(slots=True)
class Comment:
    line: int
    column: int
    text: str
    alone: bool
    """Whether it has a line of its own."""


@dataclass(slots=True)
class Document:
    root: Node
    comments: list[Comment]
    empty: frozenset[int]
    """The lines with nothing on them."""


def read(text: str) -> Document:
    """The text as a tree. Raises `NotFormatted`."""
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    try:
        # PyYAML's own parser: where libyaml ends a block is after the comments that follow it.
        events = list(yaml.parse(text, Loader=yaml.SafeLoader))
    except yaml.YAMLError as error:
        raise NotFormatted(f"the YAML does not parse: {getattr(error, 'problem', None) or error}") from None
    if sum(isinstance(event, yaml.DocumentStartEvent) for event in events) != 1:
        raise NotFormatted("it is not one document")
    if re.search(r"^%", text, re.MULTILINE) and any(
        isinstance(event, yaml.DocumentStartEvent) and (event.version or event.tags) for event in events
    ):
        raise NotFormatted("it has directives (%YAML, %TAG)")
    reader = _Reader(text, events)
    root = reader.node()
    comments = list(_comments(text, reader.spans))
    empty = frozenset(number for number, line in enumerate(text.split("\n")) if not line.strip())
    return Document(root, comments, empty)


class _Reader:
    def __init__(self, text: str, events: list[Any]):
        self.text = text
        self.spans: list[tuple[int, int]] = []
        """Where the texts of scalars are: a `#` there is no comment."""
        self._events: Iterator[Any] = iter(
            [
                event
                for event in events
                if not isinstance(event, yaml.StreamStartEvent | yaml.DocumentStartEvent)
            ]
        )

    def node(self, event: Any = None) -> Node:
        event = next(self._events) if event is None else event
        if isinstance(event, yaml.AliasEvent):
            self.spans.append((event.start_mark.index, event.end_mark.index))
            return Scalar(
                event.start_mark.line, event.start_mark.column, event.end_mark.line, "", [f"*{event.anchor}"]
            )
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event)
        made = Collection(
            event.start_mark.line, event.start_mark.column, event.end_mark.line, self._properties(event),
            isinstance(event, yaml.MappingStartEvent), bool(event.flow_style),
        )  # fmt: skip
        while not isinstance(following := next(self._events), yaml.CollectionEndEvent):
            key: Scalar | None = None
            if made.mapping:
                found = self.node(following)
                if not isinstance(found, Scalar) or found.block or len(found.lines) > 1:
                    raise NotFormatted(f"line {found.line + 1}: a key that is more than a word")
                key, following = found, None
            made.entries.append((key, self.node(following)))
        made.end = (
            following.end_mark.line
            if made.flow
            else max([made.line, *(value.end for _, value in made.entries)])
        )
        if not made.flow and made.entries:
            first = made.entries[0][0] or made
            made.column = first.column
        return made

    def _properties(self, event: Any) -> str:
        """The anchor and the tag, as they are written."""
        anchor = f"&{event.anchor}" if event.anchor else ""
        tag = ""
        explicit = event.tag and (
            not isinstance(event, yaml.ScalarEvent) or not event.implicit[1] or not event.implicit[0]
        )
        if explicit and re.match(r"(?:&\S+\s+)?!", self.text[event.start_mark.index :]):
            tag = event.tag.replace("tag:yaml.org,2002:", "!!") if event.tag != "!" else "!"
            if not tag.startswith("!"):
                tag = f"!<{tag}>"
        return " ".join(part for part in (anchor, tag) if part)

    def _scalar(self, event: yaml.ScalarEvent) -> Scalar:
        start, end = event.start_mark.index, event.end_mark.index
        properties = self._properties(event)
        if properties:
            skipped = re.match(r"(?:[&!]\S*\s*)+", self.text[start:end])
            start += len(skipped[0]) if skipped else 0
        written = self.text[start:end]
        made = Scalar(event.start_mark.line, event.start_mark.column, event.end_mark.line, properties)
        if event.style in ("|", ">"):
            made.block = True
            made.lines, kept = _block(written)
            header = len(written.partition("\n")[0])
            self.spans.append((start + header, start + max(header, kept)))
            made.end = made.line + written[:kept].rstrip("\n").count("\n")
            return made
        written = written.rstrip() if event.style is None else written
        made.end = made.line + self.text[event.start_mark.index : start + len(written)].count("\n")
        self.spans.append((start, start + len(written)))
        first, *others = written.split("\n")
        made.lines = [first.rstrip() if others else first, *(line.strip() for line in others)]
        if others:
            made.lines[-1] = others[-1].lstrip()
        return made


def _block(written: str) -> tuple[list[str], int]:
    """The header and the lines of a block scalar without their indentation; and how much of the text that is."""
    header, *lines = written.split("\n")
    if lines and not lines[-1].strip():
        lines.pop()  # what stands before the next line's first word
    head = re.match(r"[|>][-+0-9]*", header)
    assert head is not None
    if re.search(r"[1-9]", head[0]):
        raise NotFormatted("a block whose indentation is said in its header")
    kept = list(lines)
    while kept and not kept[-1].strip() and "+" not in head[0]:
        kept.pop()
    length = len(header) + sum(len(line) + 1 for line in kept)
    indent = min((len(line) - len(line.lstrip(" ")) for line in kept if line.strip()), default=0)
    kept = [line[indent:] for line in kept]
    return [head[0], *kept], min(length, len(written))


def _comments(text: str, spans: list[tuple[int, int]]) -> Iterator[Comment]:
    spans = sorted(spans)
    at = index = 0
    for number, line in enumerate(text.split("\n")):
        for found in re.finditer(r"(?:^|(?<=[ \t]))#", line):
            place = at + found.start()
            while index < len(spans) and spans[index][1] <= place:
                index += 1
            if index < len(spans) and spans[index][0] <= place < spans[index][1]:
                continue
            yield Comment(
                number, found.start(), line[found.start() :].rstrip(), not line[: found.start()].strip()
            )
            break
        at += len(line) + 1

"""The entries of a mapping that is written as a block, each with the comments right below it that are indented deeper."""

from __future__ import annotations

from typing import Any

from .edit import Change, NotEdited
from .items import indented
from .written import Written


def insertion(written: Written, node: Any, after: int, lines: list[str]) -> Change:
    """Puts the lines of an entry after the one of that index."""
    at = written.end(_last(written, node, after))
    return Change(at, at, "\n" + "\n".join(indented(lines, _column(written, node))))


def removal(written: Written, node: Any, index: int) -> Change:
    key, value = node.value[index]
    line = written.line_of(key.start_mark.index)
    if written.text[written.start(line) : key.start_mark.index].strip():
        # It stands beside the dash, and the next one takes its place.
        if index + 1 == len(node.value):
            raise NotEdited("nothing would be left", line + 1)
        until = node.value[index + 1][0].start_mark.index
        between = written.text[written.content_end(value, written.colon(key)) : until]
        if "#" in between:
            raise NotEdited("a comment stands between: change it in the text", line + 1)
        return Change(key.start_mark.index, until, "")
    last = _last(written, node, index)
    if line == 0:
        return Change(0, written.start(last + 1), "")
    return Change(written.end(line - 1), written.end(last), "")


def _last(written: Written, node: Any, index: int) -> int:
    key, value = node.value[index]
    last = written.line_of(max(written.content_end(value, written.colon(key)) - 1, 0))
    column = _column(written, node)
    while last + 1 < written.lines and (written.comment(last + 1) or 0) > column:
        last += 1
    return last


def _column(written: Written, node: Any) -> int:
    first = node.value[0][0].start_mark.index
    return first - written.start(written.line_of(first))

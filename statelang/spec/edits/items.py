"""The items of a list that is written as a block, each with the comments that belong to it.

To an item belong the comments right above its dash, with no empty line between, and those below it that are indented
deeper than its dash (after an empty line: at least as deep as its keys). Comments that stand by themselves stay where
they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .edit import Change, NotEdited
from .written import Written


@dataclass(frozen=True, slots=True)
class Item:
    """Lines, from 0: `first` with the comments above, `dash`, and `last`. `column` is the dash's."""

    first: int
    dash: int
    last: int
    column: int
    empty: int
    """How many empty lines are right above it."""


def items(written: Written, node: Any) -> list[Item]:
    """Of a sequence that is no flow one. Raises `NotEdited` where its items do not have lines of their own."""
    found: list[Item] = []
    dashes = [_dash(written, child) for child in node.value]
    floor = -1  # the line above which nothing is looked at
    for index, ((line, column), child) in enumerate(zip(dashes, node.value, strict=True)):
        limit = dashes[index + 1][0] if index + 1 < len(dashes) else written.lines
        last = written.line_of(max(written.content_end(child) - 1, written.start(line)))
        below = last + 1
        while below < limit:
            at = written.comment(below)
            if at is not None and at > column and (below == last + 1 or at >= child.start_mark.column):
                last = below
            elif not written.blank(below):
                break
            below += 1
        first = line
        while first - 1 > floor and (at := written.comment(first - 1)) is not None and at <= column:
            first -= 1
        empty = 0
        while first - 1 - empty > floor and written.blank(first - 1 - empty):
            empty += 1
        found.append(Item(first, line, last, column, empty))
        floor = last
    return found


def _dash(written: Written, child: Any) -> tuple[int, int]:
    line = child.start_mark.line
    before = written.text[written.start(line) : child.start_mark.index]
    while True:
        stripped = before.strip()
        if stripped == "-":
            return line, before.index("-")
        if stripped and not stripped.startswith("#") and not stripped.startswith("- #"):
            raise NotEdited("the list's dash shares its line with something else: change it in the text", line + 1)  # fmt: skip
        if stripped.startswith("- #"):
            return line, before.index("-")
        line -= 1
        if line < 0:
            raise NotEdited("the list is not written as lists are: change it in the text")
        before = written.line(line)


def usual_gap(found: list[Item]) -> int:
    """Empty lines between the items, as most of them have."""
    gaps = [item.empty for item in found[1:]]
    return 1 if gaps and sum(gap > 0 for gap in gaps) * 2 > len(gaps) else 0


def insertion(written: Written, found: list[Item], index: int, lines: list[str], gap: int) -> Change:
    """Puts the lines in front of the item of that index, or after the last one."""
    if index > 0:
        at = written.end(found[index - 1].last)
        return Change(at, at, "\n" + "\n" * gap + "\n".join(lines))
    at = written.start(found[0].first)
    return Change(at, at, "\n".join(lines) + "\n" + "\n" * gap)


def removal(written: Written, found: list[Item], index: int) -> Change:
    """Takes out the item with the empty lines above it; of the first one, with those below it."""
    item = found[index]
    if index > 0:
        return Change(written.end(item.first - item.empty - 1), written.end(item.last), "")
    after = item.last + 1
    while after < written.lines - 1 and written.blank(after):
        after += 1
    return Change(written.start(item.first), written.start(after), "")


def gap_of(written: Written, found: list[Item], index: int) -> int:
    """The empty lines that `removal` takes with the item."""
    if index > 0:
        return found[index].empty
    after = found[0].last + 1
    while after < written.lines - 1 and written.blank(after):
        after += 1
    return after - found[0].last - 1


def lines_of(written: Written, item: Item) -> list[str]:
    """The item's lines as if its dash were at the margin, as far as they are indented so."""
    return [_dedented(written.line(number), item.column) for number in range(item.first, item.last + 1)]


def _dedented(line: str, by: int) -> str:
    return line[min(by, len(line) - len(line.lstrip(" "))) :]


def indented(lines: list[str], by: int) -> list[str]:
    return [" " * by + line if line.strip() else line for line in lines]

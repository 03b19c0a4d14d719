"""The coverage report for a terminal: a line for each workflow, with what is missing named."""

from __future__ import annotations

from collections.abc import Iterator

from rich.cells import cell_len, set_cell_size

from ...statelang.coverage import Part, shown
from .report import Covered, Report

_HEADS = ("Workflow", "Steps", "Ways", "Cover", "Missing")
_NAME, _MISSING = 20, 40
"""Cells that a name and what is missing have at the least."""


def table(report: Report, width: int = 100) -> list[str]:
    """The lines of the table. What is missing goes on in further lines where it does not fit."""
    rows = [_row(each) for each in report.workflows]
    foot = ("TOTAL", *_counted(report), shown(report.percent))
    columns = [max(cell_len(_HEADS[place]), *(cell_len(row[place]) for row in [*rows, foot])) for place in range(4)]  # fmt: skip
    others = sum(columns[1:]) + 2 * len(columns)
    columns[0] = min(columns[0], max(_NAME, width - others - _MISSING))
    left = columns[0] + others
    room = max(_MISSING, width - left)
    lines = [_line(_HEADS[:4], columns) + "  Missing", "-" * min(width, left + room)]
    for row, each in zip(rows, report.workflows, strict=True):
        missing = [*_wrapped([_said(part) for part in each.coverage.missing], room)] or [""]
        name = [*_broken(row[0], columns[0])]
        for number in range(max(len(missing), len(name))):
            cells = (
                name[number] if number < len(name) else "",
                *(row[1:] if number == 0 else ("", "", "")),
            )
            lines.append(
                f"{_line(cells, columns)}  {missing[number] if number < len(missing) else ''}".rstrip()
            )
    return [*lines, "-" * min(width, left + room), _line(foot, columns)]


def _row(each: Covered) -> tuple[str, str, str, str]:
    steps = each.coverage.of(["steps"])
    ways = each.coverage.of(kind for kind in each.coverage.counted if kind != "steps")
    return each.title, _of(steps), _of(ways), shown(each.coverage.percent)


def _counted(report: Report) -> tuple[str, str]:
    """Steps and ways of all workflows."""
    steps = [each.coverage.of(["steps"]) for each in report.workflows]
    ways = [each.coverage.of(kind for kind in report.counted if kind != "steps") for each in report.workflows]
    return _of((sum(a for a, _ in steps), sum(b for _, b in steps))), _of(
        (sum(a for a, _ in ways), sum(b for _, b in ways))
    )


def _of(counts: tuple[int, int]) -> str:
    return f"{counts[0]}/{counts[1]}"


def _line(cells: tuple[str, ...], columns: list[int]) -> str:
    name, *numbers = cells
    return set_cell_size(name, columns[0]) + "".join(
        f"  {cell:>{width}}" for cell, width in zip(numbers, columns[1:], strict=True)
    )


def _said(part: Part) -> str:
    name = part.key or part.label
    return f"{part.line} {name}" if part.line is not None else name


def _wrapped(entries: list[str], room: int) -> Iterator[str]:
    """The entries with commas between them, in lines of that many cells; an entry is only broken where it must be."""
    line = ""
    for number, entry in enumerate(entries):
        text = entry + ("," if number < len(entries) - 1 else "")
        whole = cell_len(text) <= room
        for piece in [text] if whole else [part for word in text.split() for part in _broken(word, room)]:
            if line and cell_len(line) + 1 + cell_len(piece) > room:
                yield line
                line = ""
            line = f"{line} {piece}" if line else piece
    if line:
        yield line


def _broken(text: str, room: int) -> Iterator[str]:
    """A text that is too long for one line, in pieces."""
    text = "".join(character if character.isprintable() else "�" for character in text)
    while cell_len(text) > room:
        cut = room
        while cell_len(text[:cut]) > room:
            cut -= 1
        yield text[:cut]
        text = text[cut:]
    yield text

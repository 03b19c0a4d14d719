"""Tables on stdout: fitted to the terminal where there is one, whole and tab-free text where there is none."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence

STATUS_STYLES = {
    "SUCCEEDED": "green", "done": "green", "FAILED": "red", "failed": "red", "TIMED_OUT": "red", "ABORTED": "yellow",
    "RUNNING": "cyan", "running": "cyan", "skipped": "dim",
}  # fmt: skip


def print_table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Prints the rows, columns aligned. Control characters in the cells are shown, not obeyed."""
    cells = [[_visible(cell) for cell in row] for row in rows]
    if sys.stdout.isatty():
        _print_rich(heads, cells)
        return
    widths = [
        max(len(head), *(len(row[i]) for row in cells)) if cells else len(head)
        for i, head in enumerate(heads)
    ]
    for row in [list(heads), *cells]:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _print_rich(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for head in heads:
        table.add_column(head, no_wrap=True, overflow="ellipsis")
    for row in rows:
        table.add_row(*(Text(cell, style=STATUS_STYLES.get(cell, "")) for cell in row))
    Console(width=shutil.get_terminal_size().columns).print(table)


def _visible(text: str) -> str:
    return text if text.isprintable() else "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)

"""A tree as text, in its canonical form."""

from __future__ import annotations

from .tree import Collection, Comment, Document, Node, NotFormatted, Scalar

WIDTH = 130
"""How long a line with braces may be."""
_ALIGNED = 60
"""Comments beside lines shorter than this stand below each other; others are two spaces away."""


def write(document: Document) -> str:
    writer = _Writer(document)
    writer.node(document.root, 0)
    writer.comments_before(1 << 30, 0)
    return "\n".join(_aligned(writer.lines)) + "\n"


class _Line:
    """A line of the result, and the comment beside it."""

    __slots__ = ("comment", "text")

    def __init__(self, text: str):
        self.text = text
        self.comment = ""


class _Writer:
    def __init__(self, document: Document):
        self.lines: list[_Line] = []
        self._empty = document.empty
        self._comments = sorted(document.comments, key=lambda each: each.line)
        self._last = -1
        self._opening = True
        """Whether what comes next is the first of its block: then no empty line stands above it."""

    # -- lines -------------------------------------------------------------------------------------------

    def _line(self, text: str, source: int) -> None:
        if source - 1 in self._empty and source > self._last and not self._opening:
            self.lines.append(_Line(""))
        self._opening, self._last = False, source
        self.lines.append(_Line(text))

    def comments_before(self, line: int, indent: int) -> None:
        """The comments above `line` in the source."""
        while self._comments and self._comments[0].line < line:
            comment = self._comments[0]
            self._comments.pop(0)
            if comment.alone:
                self._line(f"{' ' * indent}{comment.text}", comment.line)
            else:
                self._beside(comment)

    def _comments_below(self, indent: int, column: int, limit: int) -> None:
        """The comments below the last entry of a block that are indented as its entries: its own, not of what comes next."""
        while (
            self._comments
            and self._comments[0].alone
            and self._comments[0].line < limit
            and self._comments[0].column >= column
        ):
            comment = self._comments.pop(0)
            self._line(f"{' ' * indent}{comment.text}", comment.line)

    def _comments_beside(self, line: int) -> None:
        """The comments that stand beside what has just been written, up to the end of `line` in the source."""
        while self._comments and self._comments[0].line <= line and not self._comments[0].alone:
            self._beside(self._comments.pop(0))

    def _beside(self, comment: Comment) -> None:
        last = self.lines[-1] if self.lines else _Line("")
        if not last.text or last.comment or last.text.lstrip().startswith("#"):
            self.lines.append(_Line(comment.text))
        else:
            last.comment = comment.text

    # -- nodes -------------------------------------------------------------------------------------------

    def node(self, node: Node, indent: int) -> None:
        """A node that begins on a line of its own: the document's."""
        if isinstance(node, Collection) and self._is_block(node, indent):
            if node.properties:
                raise NotFormatted("an anchor or a tag of the whole document")
            self._entries(node, indent, 1 << 30, -1)
        else:
            self.comments_before(node.line, indent)
            self._value("", node, indent, node.line)

    def _entries(self, node: Collection, indent: int, limit: int, column: int, first: str = "") -> None:
        """The entries of a block; `first` is what stands on the line of the first one already, such as `- `.

        `limit` is the line of what comes after the block, `column` that of what the block is in.
        """
        starts = [(key or value).line for key, value in node.entries]
        for (key, value), after in zip(node.entries, [*starts[1:], limit], strict=True):
            at = key if key is not None else value
            source = at.line
            if not first:
                self.comments_before(source, indent)
            prefix = first or " " * indent
            first = ""
            if key is not None:
                self._pair(
                    f"{prefix}{_joined(key.properties, key.lines[0])}:",
                    value,
                    indent,
                    source,
                    after,
                    node.column,
                )
            else:
                self._item(f"{prefix}-", value, indent, source, after, node.column)
        if not node.flow and node.column > column:
            self._comments_below(indent, max(1, node.column), limit)

    def _pair(self, head: str, value: Node, indent: int, source: int, after: int, column: int) -> None:
        if not isinstance(value, Collection) or not self._is_block(value, len(head) + 1):
            self._value(f"{head} ", value, indent, source)
            return
        self._line(_joined(head, value.properties), source)
        self._comments_beside(source)
        self._opening = True
        self._entries(value, indent + 2, after, column)
        self._opening = False

    def _item(self, head: str, value: Node, indent: int, source: int, after: int, column: int) -> None:
        if not isinstance(value, Collection) or not self._is_block(value, len(head) + 1) or not value.entries:
            self._value(f"{head} ", value, indent, source)
        elif value.properties:
            self._line(_joined(head, value.properties), source)
            self._opening = True
            self._entries(value, indent + 2, after, column)
        else:
            self._entries(value, indent + 2, after, column, f"{head} ")

    def _value(self, head: str, value: Node, indent: int, source: int) -> None:
        if isinstance(value, Collection):
            self._line(_joined(head, one_line(value)), source)
        else:
            assert isinstance(value, Scalar)
            first, *others = value.lines
            self._line(
                _joined(head, value.properties, first).rstrip()
                if not others
                else _joined(head, value.properties, first),
                source,
            )
            if value.block:
                self._comments_beside(value.line)
            for line in others:
                self.lines.append(_Line(f"{' ' * (indent + 2)}{line}" if line else ""))
            if value.block and "+" in first:
                self._opening = True  # empty lines below it are its own
        self._comments_beside(value.end)

    def _is_block(self, node: Collection, column: int) -> bool:
        if not node.entries:
            return False
        if not node.flow:
            return True
        if any(node.line <= comment.line < node.end for comment in self._comments):
            return True
        text = one_line(node)
        return text is None or column + len(text) > WIDTH


def one_line(node: Node) -> str | None:
    """The node on one line; None where it cannot be."""
    if isinstance(node, Scalar):
        if node.block or "" in node.lines[1:-1] or any(line.endswith("\\") for line in node.lines[:-1]):
            return None
        return _joined(node.properties, " ".join(line for line in node.lines))
    assert isinstance(node, Collection)
    parts: list[str] = []
    for key, value in node.entries:
        text = one_line(value)
        if text is None:
            return None
        name = "" if key is None else f"{_joined(key.properties, key.lines[0])}: "
        parts.append(f"{name}{text}".rstrip() if text == "" else f"{name}{text}")
    opening, closing = "{}" if node.mapping else "[]"
    return _joined(node.properties, f"{opening}{', '.join(parts)}{closing}")


def _joined(*parts: str | None) -> str:
    """The parts with a space between those that have none."""
    made = ""
    for part in parts:
        if part:
            made += part if not made or made.endswith(" ") else f" {part}"
    return made


def _aligned(lines: list[_Line]) -> list[str]:
    """The lines with the comments beside them: of lines that follow each other, below each other."""
    made: list[str] = []
    group: list[_Line] = []

    def close() -> None:
        short = [line for line in group if len(line.text) < _ALIGNED]
        column = max((len(line.text) for line in short), default=0) + 2
        for line in group:
            at = column if len(line.text) < _ALIGNED else len(line.text) + 2
            made.append(f"{line.text.ljust(at)}{line.comment}")
        group.clear()

    for line in lines:
        if line.comment:
            group.append(line)
            continue
        close()
        made.append(line.text.rstrip() if not line.text.strip() else line.text)
    close()
    return made

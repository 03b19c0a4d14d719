"""A block of ours in somebody's text file, between two marks.

The first mark says how many line ends before it are ours (none in a file that was empty, one as an empty line, two where
the file did not end in a line end), or that the whole file is: so that the block can be taken out without a trace.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_NEW = "new"


class Damaged(ValueError):
    """The marks in a file are not as they were written; the text says how."""


@dataclass(frozen=True, slots=True)
class Marks:
    """How a mark is written in a kind of file: as a comment of it."""

    before: str
    after: str

    def first(self, what: str) -> str:
        return f"{self.before}stratum begin {what}{self.after}"

    @property
    def last(self) -> str:
        return f"{self.before}stratum end{self.after}"

    @property
    def pattern(self) -> re.Pattern[bytes]:
        first = re.escape(self.first("@")).replace("@", rf"({_NEW}|0|1|2)")
        return re.compile(rf"{first}\r?\n(.*?){re.escape(self.last)}(?:\r?\n|\Z)".encode(), re.S)


MARKDOWN = Marks("<!-- ", " -->")
TOML = Marks("# ", "")


def put(content: bytes | None, body: str, marks: Marks) -> bytes:
    """The file's content with the block at its end, or in the place of the one that is there. Raises `Damaged`."""
    found = _find(content or b"", marks)
    text = body.rstrip("\n").encode()
    if found is not None:
        assert content is not None
        end = b"\r\n" if b"\r\n" in found[0] else b"\n"
        block = _block(found[1].decode(), text, marks, end)
        return content[: found.start()] + block + content[found.end() :]
    end = b"\r\n" if b"\r\n" in (content or b"") else b"\n"
    if content is None:
        return _block(_NEW, text, marks, end)
    ours = 0 if not content else 1 if content.endswith(b"\n") else 2
    return content + end * ours + _block(str(ours), text, marks, end)


def take(content: bytes, marks: Marks) -> bytes | None:
    """The file's content without the block; None where the file was ours and has nothing else in it. Raises `Damaged`."""
    found = _find(content, marks)
    if found is None:
        return content
    before, after = content[: found.start()], content[found.end() :]
    what = found[1].decode()
    for _ in range(0 if what == _NEW else int(what)):
        before = before.removesuffix(b"\n").removesuffix(b"\r")
    if what == "2" and after:
        before += b"\n"  # somebody has written on below the block: their line is one of its own
    rest = before + after
    return None if what == _NEW and not rest else rest


def _block(what: str, text: bytes, marks: Marks, end: bytes) -> bytes:
    lines = [marks.first(what).encode(), *text.split(b"\n"), marks.last.encode()]
    return end.join(lines) + end


def _find(content: bytes, marks: Marks) -> re.Match[bytes] | None:
    found = list(marks.pattern.finditer(content))
    firsts = content.count(f"{marks.before}stratum begin ".encode())
    lasts = content.count(marks.last.encode())
    if len(found) > 1 or firsts != len(found) or lasts != len(found):
        raise Damaged(
            f"the marks `{marks.first('…')}` and `{marks.last}` are not a pair in it: take what is between them out by hand, with them"
        )
    return found[0] if found else None

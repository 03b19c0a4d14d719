"""What is within brackets or braces: items or entries, in one line or with lines of their own."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .edit import Change, NotEdited
from .written import Written

Span = tuple[int, int]
_AFTER = re.compile(r"[ \t]*(,?)[ \t]*(#.*)?$", re.MULTILINE)
_COMMA = re.compile(r"(?:\s|#.*)*,")


def _alone(written: Written, span: Span) -> bool:
    """Whether it has its lines for itself."""
    before = written.text[written.start(written.line_of(span[0])) : span[0]]
    found = _AFTER.match(written.text, span[1])
    return not before.strip() and found is not None


def _comma(written: Written, at: int, end: int) -> int | None:
    """Where the comma after an item is."""
    found = _COMMA.match(written.text, at, end)
    return found.end() - 1 if found else None


@dataclass(frozen=True, slots=True)
class Part:
    """An item or entry as text, with the comments that belong to it: those `above`, and the one `beside` its end."""

    text: str
    above: tuple[str, ...] = ()
    beside: str = ""


def part(written: Written, span: Span) -> Part:
    text = written.text[span[0] : span[1]]
    if not _alone(written, span):
        return Part(text)
    line = written.line_of(span[0])
    above = [written.line(each).strip() for each in range(_above(written, span), line)]
    found = _AFTER.match(written.text, span[1])
    return Part(text, tuple(above), f"  {found[2]}" if found and found[2] else "")


def insertion(written: Written, whole: Span, spans: list[Span], index: int, new: Part) -> list[Change]:
    """Puts it in front of what stands at that index, or after the last. `whole` is from bracket to bracket."""
    near = spans[max(0, index - 1)] if spans else None
    if near is None or not _alone(written, near):
        if new.above or new.beside:
            raise NotEdited("the step has comments, for which a list in one line has no place")
        if near is None:
            return [Change(whole[0] + 1, whole[0] + 1, new.text)]
        if index == 0:
            return [Change(near[0], near[0], f"{new.text}, ")]
        return [Change(near[1], near[1], f", {new.text}")]
    indent = _indent(written, near)
    put = "\n".join(f"{indent}{line}" for line in (*new.above, new.text))
    if index == 0:
        line = written.start(_above(written, near))
        return [Change(line, line, f"{put},{new.beside}\n")]
    at = written.end(written.line_of(near[1]))
    if _comma(written, near[1], whole[1]) is not None:
        return [Change(at, at, f"\n{put},{new.beside}")]
    if at == near[1]:
        return [Change(at, at, f",\n{put}{new.beside}")]
    return [Change(near[1], near[1], ","), Change(at, at, f"\n{put}{new.beside}")]


def removal(written: Written, whole: Span, spans: list[Span], index: int) -> list[Change]:
    span = spans[index]
    last = index == len(spans) - 1
    if len(spans) > 1 and _alone(written, span) and _above(written, span) > written.line_of(whole[0]):
        lines = Change(written.end(_above(written, span) - 1), written.end(written.line_of(span[1])), "")
        comma = _comma(written, spans[index - 1][1], whole[1]) if index else None
        if last and comma is not None and _comma(written, span[1], whole[1]) is None:
            if comma >= lines.start:
                return [Change(comma, lines.end, "")]
            return [Change(comma, comma + 1, ""), lines]
        return [lines]
    if index > 0:
        cut = Change(spans[index - 1][1], span[1], "")
    elif last:
        cut = Change(span[0], span[1], "")
    else:
        cut = Change(span[0], spans[1][0], "")
    around = written.text[cut.start : span[0]] + written.text[span[1] : cut.end]
    if "#" in around:
        raise NotEdited("a comment stands between: change it in the text", written.line_of(span[0]) + 1)
    return [cut]


def _above(written: Written, span: Span) -> int:
    """The line that the comments right above it begin on."""
    line = written.line_of(span[0])
    while line > 0 and written.comment(line - 1) is not None:
        line -= 1
    return line


def _indent(written: Written, span: Span) -> str:
    return written.text[written.start(written.line_of(span[0])) : span[0]]

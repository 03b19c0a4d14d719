"""What is within brackets or braces: items or entries, in one line or with lines of their own."""

from __future__ import annotations

import re

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


def insertion(written: Written, whole: Span, spans: list[Span], index: int, text: str) -> list[Change]:
    """Puts the text in front of what stands at that index, or after the last. `whole` is from bracket to bracket."""
    if not spans:
        return [Change(whole[0] + 1, whole[0] + 1, text)]
    if index == 0:
        first = spans[0]
        if _alone(written, first):
            line = _above(written, first)
            indent = _indent(written, first)
            return [Change(written.start(line), written.start(line), f"{indent}{text},\n")]
        return [Change(first[0], first[0], f"{text}, ")]
    before = spans[index - 1]
    if not _alone(written, before):
        return [Change(before[1], before[1], f", {text}")]
    at = written.end(written.line_of(before[1]))
    comma = _comma(written, before[1], whole[1])
    put = f"\n{_indent(written, before)}{text}"
    if comma is not None:
        return [Change(at, at, f"{put},")]
    if at == before[1]:
        return [Change(at, at, f",{put}")]
    return [Change(before[1], before[1], ","), Change(at, at, put)]


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

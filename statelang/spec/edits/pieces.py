"""A text that is spliced again and again, and the changes that it has come to, as of the text that it was at first."""

from __future__ import annotations

from .edit import Change

Piece = str | tuple[int, int]
"""New text, or a part of the first one: from, to."""


class Pieces:
    def __init__(self, text: str):
        self.first = text
        self.text = text
        self._pieces: list[Piece] = [(0, len(text))]

    def splice(self, changes: list[Change]) -> None:
        """Places are in the text as it is now; the changes do not overlap."""
        changes = sorted(changes, key=lambda change: (change.start, change.end))
        made: list[Piece] = []
        text: list[str] = []
        at = 0
        for change in changes:
            made += self._part(at, change.start)
            text += [self.text[at : change.start], change.insert]
            if change.insert:
                made.append(change.insert)
            at = change.end
        made += self._part(at, len(self.text))
        self.text = "".join([*text, self.text[at:]])
        self._pieces = made

    def _part(self, start: int, end: int) -> list[Piece]:
        made: list[Piece] = []
        at = 0
        for piece in self._pieces:
            length = len(piece) if isinstance(piece, str) else piece[1] - piece[0]
            low, high = max(start - at, 0), min(end - at, length)
            if low < high:
                made.append(piece[low:high] if isinstance(piece, str) else (piece[0] + low, piece[0] + high))
            at += length
        return made

    def changes(self) -> list[Change]:
        """What the splices come to in all, in the order of the text."""
        made: list[Change] = []
        at, new = 0, ""
        for piece in [*self._pieces, (len(self.first), len(self.first))]:
            if isinstance(piece, str):
                new += piece
                continue
            if new or piece[0] > at:
                made += _trimmed(self.first, at, piece[0], new)
            at, new = piece[1], ""
        return made


def _trimmed(text: str, start: int, end: int, new: str) -> list[Change]:
    """Without what is the same at both ends: text that was taken out and put back."""
    while start < end and new and text[start] == new[0]:
        start, new = start + 1, new[1:]
    while start < end and new and text[end - 1] == new[-1]:
        end, new = end - 1, new[:-1]
    return [Change(start, end, new)] if start < end or new else []

"""How wide text will be in a font that nobody knows yet, and where it breaks: estimates on the safe side."""

from __future__ import annotations

import unicodedata

_NARROW = set("iljtfrI.,:;'|!()[]{} ")
_WIDE = set("mwMW@%—…")


def width(text: str, size: float) -> float:
    """Pixels that `text` takes at a font size, in any common sans-serif font."""
    return sum(map(_em, text)) * size


def _em(character: str) -> float:
    if character in _NARROW:
        return 0.36
    if character in _WIDE:
        return 0.95
    if character < "\u0300":
        return 0.68 if character.isupper() else 0.6
    if unicodedata.combining(character) or unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0.0
    if unicodedata.east_asian_width(character) in ("W", "F"):
        return 1.25 if character >= "\U0001f000" else 1.05  # emoji are wider than they say
    return 0.72


def clip(text: str, size: float, room: float) -> str:
    """The text, cut with `…` where it is wider than `room` pixels."""
    if width(text, size) <= room:
        return text
    kept = ""
    for character in text:
        if width(kept + character, size) + 0.95 * size > room:
            break
        kept += character
    return kept.rstrip() + "…"


def wrap(text: str, size: float, room: float, most: int) -> list[str]:
    """Lines no wider than `room`, `most` at the most; broken between words, and within them where there is no other way."""
    lines = [""]
    for piece in _pieces(" ".join(text.split()), size, room):
        full = width((lines[-1] + piece).rstrip(), size) > room
        if lines[-1] and full and len(lines) < most:
            lines.append("")
        lines[-1] += piece
    return [clip(line.strip(), size, room) for line in lines]


def _pieces(text: str, size: float, room: float) -> list[str]:
    """Where a line may break: after a space, a hyphen, an underscore, a dot; and in anything that is too long."""
    pieces: list[str] = []
    piece = ""
    for character in text:
        if width(piece + character, size) > room:
            pieces.append(piece)
            piece = ""
        piece += character
        if character in " -_./:":
            pieces.append(piece)
            piece = ""
    return [*pieces, piece] if piece else pieces

"""Integers by picture: `$formatInteger`, `$parseInteger`, and the parts of dates.

See XPath and XQuery Functions 3.1, "fn:format-integer", whose pictures JSONata takes over.
"""

from __future__ import annotations

import decimal
import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from .errors import JsonataError
from .limits import Run
from .values import UNDEFINED

_SMALL = [
    "Zero",
    "One",
    "Two",
    "Three",
    "Four",
    "Five",
    "Six",
    "Seven",
    "Eight",
    "Nine",
    "Ten",
    "Eleven",
    "Twelve",
    "Thirteen",
    "Fourteen",
    "Fifteen",
    "Sixteen",
    "Seventeen",
    "Eighteen",
    "Nineteen",
]
_SMALL_ORDINAL = [
    "Zeroth",
    "First",
    "Second",
    "Third",
    "Fourth",
    "Fifth",
    "Sixth",
    "Seventh",
    "Eighth",
    "Ninth",
    "Tenth",
    "Eleventh",
    "Twelfth",
    "Thirteenth",
    "Fourteenth",
    "Fifteenth",
    "Sixteenth",
    "Seventeenth",
    "Eighteenth",
    "Nineteenth",
]
_TENS = ["Twenty", "Thirty", "Forty", "Fifty", "Sixty", "Seventy", "Eighty", "Ninety"]
_GREAT = ["Thousand", "Million", "Billion", "Trillion"]
_ROMAN = (
    (1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"), (40, "xl"), (10, "x"), (9, "ix"),
    (5, "v"), (4, "iv"), (1, "i"),
)  # fmt: skip
# The zeros of the digits that a picture may be written in.
_ZEROS = (
    0x30, 0x0660, 0x06F0, 0x07C0, 0x0966, 0x09E6, 0x0A66, 0x0AE6, 0x0B66, 0x0BE6, 0x0C66, 0x0CE6, 0x0D66, 0x0DE6, 0x0E50,
    0x0ED0, 0x0F20, 0x1040, 0x1090, 0x17E0, 0x1810, 0x1946, 0x19D0, 0x1A80, 0x1A90, 0x1B50, 0x1BB0, 0x1C40, 0x1C50, 0xA620,
    0xA8D0, 0xA900, 0xA9D0, 0xA9F0, 0xAA50, 0xABF0, 0xFF10,
)  # fmt: skip


@dataclass(slots=True)
class Picture:
    """`primary` is letters, roman, words or decimal; `case` upper, lower or title."""

    primary: str
    case: str = "lower"
    ordinal: bool = False
    zero: int = 0x30
    mandatory: int = 0
    digits: int = 0
    regular: bool = False
    separators: list[tuple[int, str]] = field(default_factory=list)
    """Places from the right, and the characters that stand there; if `regular`, the first one repeats."""


@lru_cache(maxsize=256)
def read_picture(text: str) -> Picture:
    """Raises D3130 for a sequence that is not known, D3131 for digits of two families."""
    primary, separator, modifier = text.rpartition(";")
    if not separator:
        primary, modifier = text, ""
    ordinal = modifier.startswith("o")
    known = {
        "A": Picture("letters", "upper", ordinal), "a": Picture("letters", "lower", ordinal),
        "I": Picture("roman", "upper", ordinal), "i": Picture("roman", "lower", ordinal),
        "W": Picture("words", "upper", ordinal), "w": Picture("words", "lower", ordinal),
        "Ww": Picture("words", "title", ordinal),
    }  # fmt: skip
    return known[primary] if primary in known else _decimal(primary, ordinal)


def _decimal(primary: str, ordinal: bool) -> Picture:
    zero = None
    picture = Picture("decimal", ordinal=ordinal)
    place = 0
    for character in reversed(primary):
        family = next((zero for zero in _ZEROS if zero <= ord(character) <= zero + 9), None)
        if family is not None:
            place += 1
            picture.mandatory += 1
            if zero is None:
                zero = family
            elif family != zero:
                raise JsonataError(
                    "D3131", f"the picture {primary!r} mixes digits of two scripts", token=primary
                )
        elif character == "#":
            place += 1
        else:
            picture.separators.append((place, character))
    if zero is None:
        raise JsonataError(
            "D3130", f"{primary!r} is no sequence that numbers can be written in", value=primary
        )
    picture.zero, picture.digits = zero, place
    places = [at for at, _ in picture.separators]
    if places and len({character for _, character in picture.separators}) == 1:
        step = places[0]
        picture.regular = step > 0 and places == [step * (index + 1) for index in range(len(places))]
    return picture


def write_integer(value: int, picture: Picture) -> str:
    sign, value = ("-", -value) if value < 0 else ("", value)
    if picture.primary == "letters":
        text = _letters(value)
    elif picture.primary == "roman":
        text = _roman(value)
    elif picture.primary == "words":
        text = _words(value, picture.ordinal)
    else:
        text = _write_decimal(value, picture)
    if picture.case == "upper":
        text = text.upper()
    elif picture.primary != "decimal" and picture.case == "lower":
        text = text.lower()
    return sign + text


def _write_decimal(value: int, picture: Picture) -> str:
    digits = str(value).rjust(picture.mandatory, "0")
    if picture.zero != 0x30:
        digits = "".join(chr(picture.zero + int(digit)) for digit in digits)
    ending = ""
    if picture.ordinal:
        plain = str(value)
        ending = {"1": "st", "2": "nd", "3": "rd"}.get(plain[-1], "th")
        if len(plain) > 1 and plain[-2] == "1":
            ending = "th"
    if picture.regular:
        step, character = picture.separators[0]
        groups = []
        while len(digits) > step:
            groups.append(digits[-step:])
            digits = digits[:-step]
        digits = character.join([digits, *reversed(groups)])
    else:
        for place, character in reversed(picture.separators):
            if place < len(digits) or place == 0:
                at = len(digits) - place
                digits = digits[:at] + character + digits[at:]
    return digits + ending


def _letters(value: int) -> str:
    text = ""
    while value > 0:
        value, rest = divmod(value - 1, 26)
        text = chr(ord("a") + rest) + text
    return text


def _roman(value: int) -> str:
    text = ""
    for worth, letters in _ROMAN:
        count, value = divmod(value, worth)
        text += letters * count
    return text


def _words(value: int, ordinal: bool, after: bool = False) -> str:
    """In English. `after` says that greater words came before these."""
    if value < 20:
        return (" and " if after else "") + (_SMALL_ORDINAL if ordinal else _SMALL)[value]
    if value < 100:
        tens, rest = divmod(value, 10)
        text = (" and " if after else "") + _TENS[tens - 2]
        if rest:
            return f"{text}-{_words(rest, ordinal)}"
        return f"{text[:-1]}ieth" if ordinal else text
    if value < 1000:
        head, rest = divmod(value, 100)
        text = f"{_SMALL[head]} Hundred"
    else:
        great = min((len(str(value)) - 1) // 3, len(_GREAT))
        head, rest = divmod(value, 1000**great)
        text = f"{_words(head, False)} {_GREAT[great - 1]}"
    text = (", " if after else "") + text
    if rest:
        return text + _words(rest, ordinal, True)
    return f"{text}th" if ordinal else text


_WORD_VALUES = {
    **{word.lower(): value for value, word in enumerate(_SMALL)},
    **{word.lower(): value for value, word in enumerate(_SMALL_ORDINAL)},
    **{word.lower(): 20 + 10 * index for index, word in enumerate(_TENS)},
    **{f"{word[:-1].lower()}ieth": 20 + 10 * index for index, word in enumerate(_TENS)},
    "hundred": 100, "hundredth": 100,
    **{word.lower(): 1000 ** (index + 1) for index, word in enumerate(_GREAT)},
    **{f"{word.lower()}th": 1000 ** (index + 1) for index, word in enumerate(_GREAT)},
}  # fmt: skip
_WORD_PATTERN = rf"(?:{'|'.join(sorted(_WORD_VALUES, key=len, reverse=True))}|and|[\-, ])+"


def _words_value(text: str) -> int:
    total = part = 0
    for word in re.split(r",\s|\sand\s|[\s\-]", text.lower()):
        value = _WORD_VALUES.get(word, 0)
        if value < 100:
            part += value
        elif value == 100:
            part = (part or 1) * 100
        elif total and part == 0:
            total *= value  # a trillion thousand
        else:
            total += part * value
            part = 0
    return total + part


def _roman_value(text: str) -> int:
    worths = {letters: worth for worth, letters in _ROMAN if len(letters) == 1}
    values = [worths[letter] for letter in text.lower()]
    return sum(
        -value if index + 1 < len(values) and value < values[index + 1] else value
        for index, value in enumerate(values)
    )


def _letters_value(text: str) -> int:
    value = 0
    for letter in text.lower():
        value = value * 26 + ord(letter) - ord("a") + 1
    return value


def reader(picture: Picture) -> tuple[str, Callable[[str], int]]:
    """A regular expression for what the picture writes, and how to read it."""
    upper = picture.case == "upper"
    if picture.primary == "letters":
        return ("[A-Z]+" if upper else "[a-z]+"), _letters_value
    if picture.primary == "roman":
        return ("[MDCLXVI]+" if upper else "[mdclxvi]+"), _roman_value
    if picture.primary == "words":
        return f"(?i:{_WORD_PATTERN})", _words_value
    zero = picture.zero
    characters = re.escape("".join(sorted({character for _, character in picture.separators})))
    pattern = f"[{chr(zero)}-{chr(zero + 9)}{characters}]+"
    if not characters and not picture.separators:
        pattern = f"[{chr(zero)}-{chr(zero + 9)}]+"
    if picture.ordinal:
        pattern += "(?:th|st|nd|rd)"

    def value(text: str) -> int:
        return int("".join(chr(ord(c) - zero + 0x30) for c in text if zero <= ord(c) <= zero + 9) or "0")

    return pattern, value


def format_integer(run: Run, context: Any, value: Any, picture: Any) -> Any:
    if value is UNDEFINED:
        return UNDEFINED
    return write_integer(math.floor(decimal.Decimal(repr(value))), read_picture(picture))


def parse_integer(run: Run, context: Any, text: Any, picture: Any) -> Any:
    if text is UNDEFINED:
        return UNDEFINED
    run.room(len(text))
    return reader(read_picture(picture))[1](text)

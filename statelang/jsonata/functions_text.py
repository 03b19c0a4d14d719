"""The library's functions on strings. Each takes the run, the context and its arguments."""

from __future__ import annotations

import base64
import binascii
import math
import re
import urllib.parse
from collections.abc import Callable
from typing import Any

from .errors import JsonataError, show
from .functions import call
from .limits import Run
from .numbers_text import text_of
from .regexes import RegexFunction, groups_of
from .values import UNDEFINED, Arr, Function, Obj, Seq


def string(run: Run, context: Any, value: Any = UNDEFINED, pretty: Any = UNDEFINED) -> Any:
    return UNDEFINED if value is UNDEFINED else text_of(value, run, pretty is True)


def substring(run: Run, context: Any, text: Any, start: Any, length: Any = UNDEFINED) -> Any:
    if text is UNDEFINED:
        return UNDEFINED
    size = len(text)
    if size + start < 0:
        start = 0
    if length is UNDEFINED:
        return text[math.trunc(start) :] if start >= 0 else text[max(0, size + math.trunc(start)) :]
    if length <= 0:
        return ""
    end = start + length if start >= 0 else size + start + length
    first = math.trunc(start) if start >= 0 else max(0, size + math.trunc(start))
    return text[first : math.trunc(min(end, size))] if end >= 0 else ""


def substring_before(run: Run, context: Any, text: Any, characters: Any) -> Any:
    if text is UNDEFINED:
        return UNDEFINED
    before, found, _ = text.partition(characters) if characters else ("", "x", "")
    return before if found else text


def substring_after(run: Run, context: Any, text: Any, characters: Any) -> Any:
    if text is UNDEFINED:
        return UNDEFINED
    _, found, after = text.partition(characters) if characters else ("", "x", text)
    return after if found else text


def lowercase(run: Run, context: Any, text: Any) -> Any:
    return UNDEFINED if text is UNDEFINED else text.lower()


def uppercase(run: Run, context: Any, text: Any) -> Any:
    return UNDEFINED if text is UNDEFINED else text.upper()


def length(run: Run, context: Any, text: Any) -> Any:
    return UNDEFINED if text is UNDEFINED else len(text)


def trim(run: Run, context: Any, text: Any) -> Any:
    return UNDEFINED if text is UNDEFINED else re.sub(r"[ \t\n\r]+", " ", text).strip(" ")


def pad(run: Run, context: Any, text: Any, width: Any, filler: Any = UNDEFINED) -> Any:
    if text is UNDEFINED:
        return UNDEFINED
    filler = filler if filler is not UNDEFINED and filler else " "
    missing = math.trunc(abs(width)) - len(text)
    if missing <= 0:
        return text
    run.room(missing + len(text))
    padding = (filler * (missing // len(filler) + 1))[:missing]
    return padding + text if width < 0 else text + padding


def match(run: Run, context: Any, text: Any, pattern: Any, limit: Any = UNDEFINED) -> Any:
    if text is UNDEFINED:
        return UNDEFINED
    if limit is not UNDEFINED and limit < 0:
        raise JsonataError("D3040", "the third argument of $match must not be negative", value=limit)
    found = Seq()
    for start, _, whole, groups in _matches(run, text, pattern):
        if limit is not UNDEFINED and len(found) >= limit:
            break
        found.append(Obj(match=whole, index=start, groups=groups))
    return found


def contains(run: Run, context: Any, text: Any, token: Any) -> Any:
    if text is UNDEFINED:
        return UNDEFINED
    if type(token) is str:
        return token in text
    return call(run, token, [text]) is not UNDEFINED


def replace(run: Run, context: Any, text: Any, pattern: Any, replacement: Any, limit: Any = UNDEFINED) -> Any:
    if text is UNDEFINED:
        return UNDEFINED
    if pattern == "" and type(pattern) is str:
        raise JsonataError("D3010", "the second argument of $replace must not be empty")
    if limit is not UNDEFINED and limit < 0:
        raise JsonataError("D3011", "the fourth argument of $replace must not be negative", value=limit)
    most = math.inf if limit is UNDEFINED else limit
    parts: list[str] = []
    position = count = size = 0
    for start, end, whole, groups in _found(run, text, pattern):
        if count >= most:
            break
        count += 1
        made = _replacement(run, replacement, start, whole, groups)
        parts += (text[position:start], made)
        size += start - position + len(made)
        run.room(size)
        position = end
    parts.append(text[position:])
    run.room(size + len(text) - position)
    return "".join(parts)


def _found(run: Run, text: str, pattern: Any) -> Any:
    if type(pattern) is not str:
        yield from _matches(run, text, pattern)
        return
    start = text.find(pattern)
    while start >= 0:
        run.spend(1)
        yield start, start + len(pattern), pattern, Arr()
        start = text.find(pattern, start + len(pattern))


def _replacement(run: Run, replacement: Any, start: int, whole: str, groups: list[Any]) -> str:
    if type(replacement) is str:
        return _filled_in(replacement, whole, groups) if "$" in replacement else replacement
    answer = call(run, replacement, [Obj(match=whole, start=start, groups=groups)])
    if type(answer) is not str:
        what = f"the function that $replace was given must answer a string, not {show(answer)}"
        raise JsonataError("D3012", what, value=answer)
    return answer


def _filled_in(replacement: str, whole: str, groups: list[Any]) -> str:
    """`$0` is the match, `$1` a group, `$$` a dollar; of `$12` as many digits count as there are groups."""
    made: list[str] = []
    position = 0
    while (at := replacement.find("$", position)) >= 0:
        made.append(replacement[position:at])
        following = replacement[at + 1 : at + 2]
        position = at + 1
        if following == "$":
            made.append("$")
            position += 1
        elif following == "0":
            made.append(whole)
            position += 1
        elif following.isdigit():
            digits = len(str(len(groups))) if groups else 1
            while digits > 1 and not replacement[at + 1 : at + 1 + digits].isdigit():
                digits -= 1
            number = int(replacement[at + 1 : at + 1 + digits])
            if digits > 1 and number > len(groups):
                digits -= 1
                number = int(replacement[at + 1 : at + 1 + digits])
            if groups and number <= len(groups):
                made.append(groups[number - 1])
            position += len(str(number))
        else:
            made.append("$")
    made.append(replacement[position:])
    return "".join(made)


def split(run: Run, context: Any, text: Any, separator: Any, limit: Any = UNDEFINED) -> Any:
    if text is UNDEFINED:
        return UNDEFINED
    if limit is not UNDEFINED and limit < 0:
        raise JsonataError("D3020", "the third argument of $split must not be negative", value=limit)
    most = None if limit is UNDEFINED else math.floor(limit)
    if type(separator) is str:
        parts = text.split(separator) if separator else list(text)
    else:
        parts, position = [], 0
        for start, end, _, _ in _matches(run, text, separator):
            if most is not None and len(parts) >= most:
                break
            parts.append(text[position:start])
            position = end
        parts.append(text[position:])
    run.spend(len(parts))
    return Arr(parts[:most])


def join(run: Run, context: Any, texts: Any, separator: Any = UNDEFINED) -> Any:
    if texts is UNDEFINED:
        return UNDEFINED
    between = "" if separator is UNDEFINED else separator
    run.room(sum(map(len, texts)) + len(between) * len(texts))
    return between.join(texts)


def _matches(run: Run, text: str, pattern: Any) -> Any:
    """Start, end, text and groups of every match, of a regular expression or of a function that acts as one."""
    if isinstance(pattern, RegexFunction):
        for found in pattern.matches(text, run):
            yield found.start(), found.end(), found.group(), groups_of(found)
        return
    found = call(run, pattern, [text])
    while found is not UNDEFINED:
        run.spend(1)
        if not _is_match(found):
            raise JsonataError("T1010", "the matcher function must answer an object of a match", value=found)
        yield found["start"], found["end"], found["match"], found["groups"]
        found = call(run, found["next"], [])


def _is_match(found: Any) -> bool:
    return (
        isinstance(found, dict)
        and type(found.get("start")) in (int, float)
        and type(found.get("end")) in (int, float)
        and type(found.get("match")) is str
        and isinstance(found.get("groups"), list)
        and isinstance(found.get("next"), Function)
    )


def base64_encode(run: Run, context: Any, text: Any) -> Any:
    if text is UNDEFINED:
        return UNDEFINED
    # As a browser's btoa does: one byte for a character where there is one, else UTF-8.
    try:
        data = text.encode("latin-1")
    except UnicodeEncodeError:
        data = text.encode("utf-8", "surrogatepass")
    return base64.b64encode(data).decode()


def base64_decode(run: Run, context: Any, text: Any) -> Any:
    if text is UNDEFINED:
        return UNDEFINED
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        raise JsonataError("D3142", f"{show(text)} is not Base64", value=text) from None
    return data.decode("latin-1")


_COMPONENT = "-_.!~*'()"
_URL = _COMPONENT + ";/?:@&=+$,#"


def _encoder(name: str, safe: str) -> Callable[..., Any]:
    def encode(run: Run, context: Any, text: Any) -> Any:
        if text is UNDEFINED:
            return UNDEFINED
        try:
            return urllib.parse.quote(text, safe=safe)
        except UnicodeEncodeError:
            raise JsonataError(
                "D3140", f"{show(text)} cannot be encoded by ${name}", token=name, value=text
            ) from None

    return encode


def _decoder(name: str, kept: str) -> Callable[..., Any]:
    pattern = re.compile(r"(?:%[0-9A-Fa-f]{2})+")

    def decode(run: Run, context: Any, text: Any) -> Any:
        if text is UNDEFINED:
            return UNDEFINED

        def decoded(found: re.Match[str]) -> str:
            data = bytes.fromhex(found.group().replace("%", ""))
            return "".join(f"%{ord(c):02X}" if c in kept else c for c in data.decode())

        try:
            result = pattern.sub(decoded, text)
        except UnicodeDecodeError:
            result = None
        if result is None or re.search(r"%(?![0-9A-Fa-f]{2})", text):
            raise JsonataError("D3140", f"{show(text)} cannot be decoded by ${name}", token=name, value=text)
        return result

    return decode


encode_url_component = _encoder("encodeUrlComponent", _COMPONENT)
encode_url = _encoder("encodeUrl", _URL)
decode_url_component = _decoder("decodeUrlComponent", "")
decode_url = _decoder("decodeUrl", ";/?:@&=+$,#")

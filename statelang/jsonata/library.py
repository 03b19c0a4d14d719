"""The functions that every expression can call, with their signatures, in JSONata and in Step Functions.

See the JSONata documentation, "Functions", and the AWS guide, "JSONata functions provided by Step Functions".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import (
    dates,
    evaluation,
    functions_data,
    functions_numbers,
    functions_text,
    integer_pictures,
    number_pictures,
)
from . import step_functions as additions
from .functions import Native
from .signatures import parse_signature


def _native(name: str, code: Callable[..., Any], signature: str, arity: int | None) -> Native:
    parsed = parse_signature(signature)
    return Native(name, code, parsed, len(parsed.parameters) if arity is None else arity)


# Name, code, signature and, where they differ, how many arguments it takes as a callback.
_COMMON: list[tuple[str, Callable[..., Any], str, int | None]] = [
    ("sum", functions_numbers.sum_, "<a<n>:n>", None),
    ("count", functions_numbers.count, "<a:n>", None),
    ("max", functions_numbers.max_, "<a<n>:n>", None),
    ("min", functions_numbers.min_, "<a<n>:n>", None),
    ("average", functions_numbers.average, "<a<n>:n>", None),
    ("string", functions_text.string, "<x-b?:s>", 1),
    ("substring", functions_text.substring, "<s-nn?:s>", None),
    ("substringBefore", functions_text.substring_before, "<s-s:s>", None),
    ("substringAfter", functions_text.substring_after, "<s-s:s>", None),
    ("lowercase", functions_text.lowercase, "<s-:s>", None),
    ("uppercase", functions_text.uppercase, "<s-:s>", None),
    ("length", functions_text.length, "<s-:n>", None),
    ("trim", functions_text.trim, "<s-:s>", None),
    ("pad", functions_text.pad, "<s-ns?:s>", 2),
    ("match", functions_text.match, "<s-f<s:o>n?:a<o>>", None),
    ("contains", functions_text.contains, "<s-(sf):b>", None),
    ("replace", functions_text.replace, "<s-(sf)(sf)n?:s>", None),
    ("split", functions_text.split, "<s-(sf)n?:a<s>>", None),
    ("join", functions_text.join, "<a<s>s?:s>", 1),
    ("formatNumber", number_pictures.format_number, "<n-so?:s>", None),
    ("formatBase", functions_numbers.format_base, "<n-n?:s>", None),
    ("formatInteger", integer_pictures.format_integer, "<n-s:s>", None),
    ("parseInteger", integer_pictures.parse_integer, "<s-s:n>", None),
    ("number", functions_numbers.number, "<(nsb)-:n>", None),
    ("floor", functions_numbers.floor, "<n-:n>", None),
    ("ceil", functions_numbers.ceil, "<n-:n>", None),
    ("round", functions_numbers.round_, "<n-n?:n>", 1),
    ("abs", functions_numbers.absolute, "<n-:n>", None),
    ("sqrt", functions_numbers.sqrt, "<n-:n>", None),
    ("power", functions_numbers.power, "<n-n:n>", None),
    ("boolean", functions_numbers.boolean, "<x-:b>", None),
    ("not", functions_numbers.not_, "<x-:b>", None),
    ("map", functions_data.map_, "<af>", None),
    ("zip", functions_data.zip_, "<a+>", 1),
    ("filter", functions_data.filter_, "<af>", None),
    ("single", functions_data.single, "<af?>", None),
    ("reduce", functions_data.reduce, "<afj?:j>", None),
    ("sift", functions_data.sift, "<o-f?:o>", None),
    ("keys", functions_data.keys, "<x-:a<s>>", None),
    ("lookup", functions_data.lookup, "<x-s:x>", None),
    ("append", functions_data.append, "<xx:a>", None),
    ("exists", functions_data.exists, "<x:b>", None),
    ("spread", functions_data.spread, "<x-:a<o>>", None),
    ("merge", functions_data.merge, "<a<o>:o>", None),
    ("reverse", functions_data.reverse, "<a:a>", None),
    ("each", functions_data.each, "<o-f:a>", None),
    ("error", functions_data.error, "<s?:x>", None),
    ("assert", functions_data.assert_, "<bs?:x>", None),
    ("type", functions_data.type_, "<x:s>", None),
    ("sort", functions_data.sort, "<af?:a>", None),
    ("shuffle", functions_data.shuffle, "<a:a>", None),
    ("distinct", functions_data.distinct, "<x:x>", None),
    ("base64encode", functions_text.base64_encode, "<s-:s>", None),
    ("base64decode", functions_text.base64_decode, "<s-:s>", None),
    ("encodeUrlComponent", functions_text.encode_url_component, "<s-:s>", None),
    ("encodeUrl", functions_text.encode_url, "<s-:s>", None),
    ("decodeUrlComponent", functions_text.decode_url_component, "<s-:s>", None),
    ("decodeUrl", functions_text.decode_url, "<s-:s>", None),
    ("toMillis", dates.to_millis, "<s-s?:n>", None),
    ("fromMillis", dates.from_millis, "<n-s?s?:s>", None),
    ("now", dates.now, "<s?s?:s>", 0),
    ("millis", dates.millis, "<:n>", 0),
    ("clone", functions_data.clone, "<(oa)-:o>", None),
]
_ONLY_JSONATA: list[tuple[str, Callable[..., Any], str, int | None]] = [
    ("random", functions_numbers.random, "<:n>", 0),
    ("eval", evaluation.eval_, "<sx?:x>", None),
]
_ONLY_STEP_FUNCTIONS: list[tuple[str, Callable[..., Any], str, int | None]] = [
    ("random", additions.random, "<x?:n>", 0),
    ("uuid", additions.uuid, "<:s>", 0),
    ("partition", additions.partition, "<an:a>", None),
    ("range", additions.range_, "<nnn:a>", None),
    ("hash", additions.hash_, "<ss:s>", None),
    ("parse", additions.parse, "<s-:x>", None),
    ("eval", evaluation.no_eval, "<x?x?:x>", None),
]


def _library(*parts: list[tuple[str, Callable[..., Any], str, int | None]]) -> dict[str, Native]:
    return {
        name: _native(name, code, signature, arity) for part in parts for name, code, signature, arity in part
    }


LIBRARIES = {
    "jsonata": _library(_COMMON, _ONLY_JSONATA),
    "step-functions": _library(_COMMON, _ONLY_STEP_FUNCTIONS),
}
LIBRARY = LIBRARIES["step-functions"]

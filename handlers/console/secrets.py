"""Values as they are shown: without their secrets, and folded where they are large."""

from __future__ import annotations

import json
from typing import Any

from ..audit.redaction import Redactor

FOLDED = 32 * 1024
"""Characters of JSON that a page is given at once; of more it is given the beginning, and asks for the rest."""
_BEGINNING = 4 * 1024


def parsed(text: Any) -> Any:
    """A value of JSON text; the text itself where it is none."""
    try:
        return json.loads(text) if isinstance(text, str) else text
    except (ValueError, RecursionError):
        return text


def shown(redactor: Redactor, value: Any, *, whole: bool = False) -> Any:
    """The value without its secrets. A large one becomes `{"$folded": characters, "beginning": text}`."""
    value = redactor.hide_texts(value)
    if whole:
        return value
    text = json.dumps(value, ensure_ascii=False)
    return {"$folded": len(text), "beginning": text[:_BEGINNING]} if len(text) > FOLDED else value

"""How commits are stored, in either form of the store.

A string above `PAYLOAD_THRESHOLD` is stored once per execution under its SHA-256, and a reference stands in its
place. What is left is JSON: the digest of a commit is taken over the digest before it and this very text, which
names the digests of its payloads, so that it vouches for them as well.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Callable
from typing import Any

from .protocol import Commit

PAYLOAD_THRESHOLD = 1024
"""Bytes above which a string is stored once, under its digest."""

# User data only occurs inside strings (the engine keeps it as JSON text), so an object with this key is ours.
_REFERENCE = "$payload"
_COMPRESS = 192
_SMALL = 8192
_encode = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode


def digest_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def encode_commit(commit: Commit, previous: str) -> tuple[str, bytes, dict[str, str]]:
    """The commit's digest, its text, and the payloads it refers to by their digests."""
    item = {
        "seq": commit.seq,
        "at": commit.at,
        "messages": commit.messages,
        "events": commit.events,
        "commands": commit.commands,
        "changes": commit.changes,
        "snapshot": commit.snapshot,
    }
    if commit.ways:
        item["ways"] = commit.ways
    payloads: dict[str, str] = {}
    text = _encode(item)
    if len(text) > PAYLOAD_THRESHOLD and _may_hold_payloads(text):
        kept = _put_out(item, payloads)
        if payloads:
            text = _encode(kept)
    body = text.encode("ascii")
    return digest_of(previous.encode() + body), body, payloads


def decode_commit(body: bytes, digest: str, payload: Callable[[str], str]) -> Commit:
    """The commit whose text is `body`; `payload` gives the text of a digest."""
    item = json.loads(body)
    if b'"$payload"' in body:
        item = _bring_in(item, payload)
    return Commit(**item, digest=digest)


def pack(body: bytes) -> bytes:
    """A commit's text as it is stored: compressed where that helps."""
    if len(body) <= _COMPRESS:
        return body
    if len(body) > _SMALL:
        packed = zlib.compress(body, 1)
    else:
        # With the usual window, fresh memory of the system costs more than the compression itself.
        compressor = zlib.compressobj(1, zlib.DEFLATED, 12, 5)
        packed = compressor.compress(body) + compressor.flush()
    return packed if len(packed) < len(body) else body


def unpack(stored: bytes) -> bytes:
    """What `pack` was given. Raises ValueError for bytes that it never made."""
    return _decompress(stored) if stored[:1] != b"{" else stored


def pack_text(text: str) -> bytes:
    """A payload's text as it is stored; lone surrogates, which JSON can hold, are kept."""
    return zlib.compress(text.encode("utf-8", "surrogatepass"), 1)


def unpack_text(stored: bytes) -> str:
    return _decompress(stored).decode("utf-8", "surrogatepass")


def _decompress(stored: bytes) -> bytes:
    try:
        return zlib.decompress(stored)
    except zlib.error as error:
        raise ValueError(f"not what was stored: {error}") from None


def text_digest(text: str) -> str:
    return digest_of(text.encode("utf-8", "surrogatepass"))


def _may_hold_payloads(text: str) -> bool:
    """Whether some string in JSON text may be that long: never wrongly no, and far cheaper than to walk it."""
    return max(map(len, text.replace('\\"', "__").split('"'))) > PAYLOAD_THRESHOLD


def _put_out(value: Any, payloads: dict[str, str]) -> Any:
    if isinstance(value, str):
        if len(value) * 4 <= PAYLOAD_THRESHOLD:
            return value
        data = value.encode("utf-8", "surrogatepass")
        if len(data) <= PAYLOAD_THRESHOLD:
            return value
        digest = digest_of(data)
        payloads[digest] = value
        return {_REFERENCE: digest}
    if isinstance(value, dict):
        return {key: _put_out(part, payloads) for key, part in value.items()}
    if isinstance(value, list):
        return [_put_out(part, payloads) for part in value]
    return value


def _bring_in(value: Any, payload: Callable[[str], str]) -> Any:
    if isinstance(value, dict):
        if len(value) == 1 and _REFERENCE in value:
            return payload(value[_REFERENCE])
        return {key: _bring_in(part, payload) for key, part in value.items()}
    if isinstance(value, list):
        return [_bring_in(part, payload) for part in value]
    return value


def references(body: bytes) -> list[str]:
    """The digests of the payloads that a commit's text refers to."""
    found: list[str] = []
    if b'"$payload"' in body:
        _bring_in(json.loads(body), lambda digest: found.append(digest) or "")
    return found

"""Signed links: an approver decides one gate, once, without an account here.

A link names the gate, what it showed (by digest), the approver, and when it ends, signed with HMAC-SHA256. It is good
for nothing once the gate is decided. The key is a secret of whoever runs Stratum: `STRATUM_LINK_KEY`, a secret of
Secrets Manager named by `STRATUM_LINK_KEY_SECRET`, or a file beside the local store that only its owner reads.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from ..identity import Identity
from ..tenancy.names import check_name
from . import rules
from .items import WorkItem
from .refusal import CHANGED, EXPIRED, FORGED, NOT_ALLOWED, USED, Refused

if TYPE_CHECKING:
    from ..runtime import Runtime
    from .answers import Desk

KEY, KEY_SECRET, BASE = "STRATUM_LINK_KEY", "STRATUM_LINK_KEY_SECRET", "STRATUM_LINK_URL"
LINK_SECONDS = 24 * 3600
"""How long a link is good where the gate's own deadline is not earlier."""
_USED = "work-link-used"


class NoKey(RuntimeError):
    """There is no key to sign links with; the text says how to give one."""


@dataclass(frozen=True, slots=True)
class Link:
    """What a genuine link says. `until` is in milliseconds."""

    handle: str
    digest: str
    approver: str
    until: int
    nonce: str
    tenant: str | None = None


def key_of(runtime: Runtime, environ: Mapping[str, str] = os.environ) -> bytes:
    """The key that links are signed with. Raises `NoKey`."""
    if environ.get(KEY):
        return environ[KEY].encode()
    if environ.get(KEY_SECRET):
        return _secret(runtime.client("secretsmanager"), environ[KEY_SECRET])
    raise NoKey(f"links need a key to be signed with: set {KEY}, or {KEY_SECRET} to a secret's ARN")


@lru_cache(maxsize=4)
def _secret(client: Any, arn: str) -> bytes:
    return client.get_secret_value(SecretId=arn)["SecretString"].encode()


def make(desk: Desk, item: WorkItem, approver: str, *, seconds: int = LINK_SECONDS, by: Identity) -> str:
    """A link's token for that approver. Raises `Refused` for somebody who may not decide, and `NoKey`."""
    if by.agent is not None:
        raise Refused(NOT_ALLOWED, f"an agent makes no links that decide gates, and {by.agent} is one")
    rules.check_may_decide(item, Identity(approver, "link"), desk.requester(item), desk.people)
    until = desk.runtime.clock() + seconds * 1000
    if item.deadline is not None:
        until = min(until, item.deadline)
    said = [item.handle, item.digest, approver, until, secrets.token_hex(8), desk.tenant]
    body = _encode(json.dumps(said, separators=(",", ":")).encode())
    desk.note(item, "link made", by, approver=approver, shown=item.digest)
    return f"{body}.{_encode(_signature(desk, body))}"


def address(desk: Desk, item: WorkItem, approver: str) -> str | None:
    """A link as an address, or None where there is no page to lead to (`STRATUM_LINK_URL`)."""
    base = os.environ.get(BASE)
    if not base:
        return None
    token = make(desk, item, approver, by=Identity(None, "engine"))
    return f"{base}{'&' if '?' in base else '?'}link={quote(token)}"


def read(desk: Desk, token: str) -> Link:
    """Raises `Refused` for a token that is forged or has expired, and `NoKey`."""
    body, _, signature = token.partition(".")
    expected = _encode(_signature(desk, body))
    if not hmac.compare_digest(signature.encode("utf-8", "replace"), expected.encode()):
        raise Refused(FORGED, "this link is not genuine")
    try:
        link = Link(*json.loads(_decode(body)))
    except (ValueError, TypeError, binascii.Error):
        raise Refused(FORGED, "this link is not genuine") from None
    if link.until <= desk.runtime.clock():
        raise Refused(EXPIRED, "this link has expired")
    if desk.items.store.get(_USED, link.nonce) is not None:
        raise Refused(USED, "this link has been used, and a link is good once")
    return link


def read_for_deciding(desk: Desk, token: str) -> Link:
    """As `read`; what is refused is noted in the journal."""
    try:
        return read(desk, token)
    except Refused as refused:
        desk.note_refusal(refused, Identity(None, "link"), handle=_claimed_handle(token))
        raise


def item_of(desk: Desk, link: Link) -> WorkItem:
    """The gate that a link is for, as it stands. Raises `Refused` where it shows something else by now."""
    item = desk.refresh(desk.find(link.handle, "gate"))
    if item.digest != link.digest:
        raise Refused(CHANGED, "the gate shows something else than when this link was made")
    return item


def decide(desk: Desk, token: str, outcome: str, *, comment: str | None, form: Any = None) -> WorkItem:
    """Decides the link's gate in its approver's name; a link that has decided is used up. Raises `Refused`."""
    link = read_for_deciding(desk, token)
    by = Identity(link.approver, "link")
    item = desk.decide(link.handle, outcome, by, comment=comment, form=form, shown=link.digest)
    desk.items.store.put(_USED, link.nonce, {"at": desk.runtime.clock(), "work": link.handle})
    return item


def tenant_of(token: str) -> str | None:
    """Whose gate a link says that it is for: to look for it there, where `read` finds out whether it is genuine."""
    try:
        said = json.loads(_decode(token.partition(".")[0]))
        return check_name(said[5])
    except (ValueError, TypeError, LookupError, binascii.Error):
        return None


def _claimed_handle(token: str) -> str:
    """What a token says that it is for, for the journal alone."""
    try:
        return str(json.loads(_decode(token.partition(".")[0]))[0])[:80]
    except (ValueError, TypeError, LookupError, binascii.Error):
        return ""


def _signature(desk: Desk, body: str) -> bytes:
    said = f"{desk.tenant}\n{body}".encode("utf-8", "surrogatepass")
    return hmac.digest(desk.link_key(), said, hashlib.sha256)


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))

"""An execution's whole log in one signed JSON document, which can be verified without the store.

`{"format", "execution", "exported": {"at", "by"}, "definition", "source_map", "log": {"commits", "payloads"},
"journal": {...}, "trail", "signature"}`: commits are their stored texts in order, payloads the long values by digest.
A redacted bundle has no commits, as these hold the secrets, but their digests and the redacted trail: it can be told
that it was signed and not changed since, and compared with a whole one, but not computed again. That of an execution
which still runs is redacted in any case: its commits hold what its tasks' tokens are signed with.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from ...statelang.asl import digest_of
from ..identity import Identity
from ..store import Store
from ..store.codec import digest_of as commit_digest
from ..store.codec import references, text_digest
from ..workflows import source_map
from . import documents, signing
from .redaction import Redactor
from .trail import JOURNAL, trail

FORMAT = "stratum-audit/1"
NO_LOG = (
    "the history of this execution is kept by Step Functions, without digests, so that there is no log to sign and to compute"
    " again. `stratum audit EXECUTION --format json` tells all of it, with what people and agents did; the journal of that has"
    " digests, which `stratum audit verify EXECUTION` computes again. Who called AWS is in AWS CloudTrail"
)


class InvalidBundle(ValueError):
    """The document is no bundle."""


class NoLog(ValueError):
    """The execution's history is kept by somebody else, without digests; the text says what can be had."""


def bundle(
    store: Store, execution: str, now: int, by: Identity, key: bytes, redactor: Redactor | None = None
) -> dict[str, Any]:
    """The bundle of an execution, signed with the private `key` (PEM).

    With a redactor that has paths, or while the execution runs, it is redacted. Raises `NoLog`.
    """
    head = store.head(execution)
    if head is not None and not head.has_log:
        raise NoLog(NO_LOG)
    told = trail(store, execution)
    hidden = bool(redactor) or runs(store, execution)
    definition = store.get("definition", told.definition)
    made: dict[str, Any] = {
        "format": FORMAT,
        "execution": execution,
        "exported": {"at": now, "by": by.to_json()},
        "redacted": hidden,
        "definition": definition.value["definition"] if definition is not None else None,
        "source_map": source_map(store, told.definition),
        "log": _log(store, execution, hidden),
        "journal": _log(store, f"{execution}{JOURNAL}", hidden),
        "trail": documents.redacted(told, redactor or Redactor()),
    }
    return {**made, "signature": signing.sign(key, _signed(made))}


def runs(store: Store, execution: str) -> bool:
    """Whether an execution, or one that it was forked from, still runs: a fork's log begins with the other's commits."""
    head = store.head(execution)
    if head is not None and head.status == "RUNNING":
        return True
    first = store.commits(execution, 0, head.seq + 1) if head is not None else []
    return any(
        runs(store, message["origin"]["execution"])
        for commit in first
        for message in commit.messages
        if message["type"] == "fork"
    )


def _log(store: Store, key: str, hidden: bool) -> dict[str, Any]:
    commits: list[dict[str, Any]] = []
    payloads: dict[str, str] = {}
    while (found := store.stored(key, len(commits))) is not None:
        digest, body = found
        commits.append({"digest": digest} if hidden else {"digest": digest, "text": body.decode()})
        for payload in () if hidden else references(body):
            if payload not in payloads:
                payloads[payload] = store.payload(key, payload) or ""
    return {"commits": commits, "payloads": payloads}


def _signed(made: dict[str, Any]) -> bytes:
    """The bytes that are signed: the document without its signature, in one canonical form."""
    content = {name: value for name, value in made.items() if name != "signature"}
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()


def verify_bundle(document: Any, fingerprint: str | None = None) -> list[str]:
    """What in a bundle is not as it was exported; nothing where all is. Raises `InvalidBundle`.

    `fingerprint` is that of the key which it must be signed with; without one, whoever signed is believed.
    """
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise InvalidBundle(f"it is no audit bundle: its `format` is not {FORMAT!r}")
    findings: list[str] = []
    signature = document.get("signature")
    if not isinstance(signature, dict):
        findings.append("it is not signed")
    else:
        if (reason := signing.check(signature, _signed(document))) is not None:
            findings.append(reason)
        if fingerprint is not None and signature.get("fingerprint") != fingerprint:
            findings.append(
                f"it is signed with the key {signature.get('fingerprint')}, not with {fingerprint}"
            )
    try:
        if not document["redacted"]:
            findings += _broken("log", document["log"])
            findings += _broken("journal", document["journal"])
            findings += _definition(document)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InvalidBundle(f"it is damaged: {type(error).__name__}: {error}") from None
    return findings


def _broken(part: str, log: dict[str, Any]) -> Iterator[str]:
    previous = ""
    for seq, commit in enumerate(log["commits"]):
        body = commit["text"].encode()
        if commit_digest(previous.encode() + body) != commit["digest"]:
            yield f"{part}, commit {seq}: its digest is not that of its content and the commit before"
            return
        for payload in references(body):
            if payload not in log["payloads"]:
                yield f"{part}, commit {seq}: its payload {payload[:12]}… is missing"
            elif text_digest(log["payloads"][payload]) != payload:
                yield f"{part}, commit {seq}: its payload {payload[:12]}… is not what was written"
        previous = commit["digest"]


def _definition(document: dict[str, Any]) -> Iterator[str]:
    expected = document["trail"]["definition"]
    if document["definition"] is None:
        yield "the definition is missing"
    elif digest_of(document["definition"]) != expected:
        yield "the definition is not the one that the execution ran"

"""`stratum audit`: an execution's whole story; whether its log is as it was written; a signed bundle of it."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ...handlers.audit import bundles, documents, redaction, signing
from ...handlers.audit.trail import trail
from ...handlers.audit.verification import heads_of, verify_execution, verify_refusals
from ...handlers.identity import Identity
from ...handlers.store import Head, Store
from ...handlers.times import rfc3339
from ...handlers.work.journal import Journal
from ..keys import key
from .acting import who_acts
from .counter import Counter
from .executions import runtime_on
from .opening import find_execution, open_store
from .problem import WrongRequest
from .tables import print_table

MAX_BUNDLE = 1024**3
_OF_JOURNALS = "every digest of what people and agents did"


def audit(options: argparse.Namespace) -> int:
    """`audit EXECUTION`, `audit verify …`, `audit export EXECUTION` or `audit refusals`."""
    first, *rest = options.words
    if first == "verify":
        return _verify(options, rest)
    if first == "export":
        return _export(options, rest)
    if first == "refusals" and not rest:
        return _refusals(options)
    return _show(options, [first, *rest])


def _refusals(options: argparse.Namespace) -> int:
    """What was refused and belongs to no execution: work that is not there, or another tenant's."""
    store = open_store(options.store, create=False)
    notes = Journal(runtime_on(store).executions(store.tenant)).read(None)
    if options.format == "json":
        print(json.dumps(notes, indent=2, ensure_ascii=False))
        return 0
    rows = [
        (rfc3339(note["at"]), str(Identity.from_json(note["by"])), note["reason"], note.get("handle", ""), note["message"])
        for note in notes
    ]  # fmt: skip
    print_table(("TIME", "BY", "REASON", "WORK", "WHAT WAS SAID"), rows)
    return 0


def _show(options: argparse.Namespace, names: Sequence[str]) -> int:
    store, head = _one(options, names, "audit EXECUTION")
    told = documents.redacted(trail(store, head.execution), redactor(store, head, options))
    if options.format == "json":
        print(json.dumps(told, indent=2, ensure_ascii=False))
    else:
        show = documents.markdown if options.format == "markdown" else documents.text
        print(show(told, whole=options.whole), end="")
    return 0


def redactor(store: Store, head: Head, options: argparse.Namespace) -> redaction.Redactor:
    """Of what the contracts call secret, unless it is to be revealed, and of what the command line names."""
    try:
        paths = [redaction.read_path(path) for path in options.redact]
    except redaction.InvalidPath as error:
        raise WrongRequest(str(error)) from None
    return (
        redaction.Redactor(paths) if options.reveal else redaction.redactor_of(store, head.definition, paths)
    )


def _export(options: argparse.Namespace, names: Sequence[str]) -> int:
    store, head = _one(options, names, "audit export EXECUTION -o FILE")
    if not options.output:
        raise WrongRequest("where to? give a file with -o")
    try:
        pem = key("audit", signing.new_key)
        made = bundles.bundle(
            store,
            head.execution,
            runtime_on(store).clock(),
            who_acts(store),
            pem,
            redactor(store, head, options),
        )
    except (signing.SigningUnavailable, signing.InvalidKey, bundles.NoLog) as error:
        raise WrongRequest(str(error)) from None
    except OSError as error:
        raise WrongRequest(f"the signing key cannot be read or made: {error}") from None
    try:
        Path(options.output).write_text(json.dumps(made, indent=1, ensure_ascii=False) + "\n")
    except OSError as error:
        raise WrongRequest(f"{options.output} cannot be written: {error.strerror}") from None
    broken = verify_execution(store, head.execution)
    for finding in broken:
        print(finding, file=sys.stderr)
    what = "redacted, " if made["redacted"] else ""
    if made["redacted"] and bundles.runs(store, head.execution):
        print(
            f"{head.name} still runs, and its commits hold what its tasks' tokens are signed with: they are in it by their"
            " digests alone. Export it again when it has ended.",
            file=sys.stderr,
        )
    print(f"{options.output}: {what}signed with the key {made['signature']['fingerprint']}", file=sys.stderr)
    return 1 if broken else 0


def _verify(options: argparse.Namespace, names: Sequence[str]) -> int:
    findings = 0
    if not names:
        store = open_store(options.store, create=False)
        checked = 0
        logs = True
        with Counter() as counter:
            counter.begin("verifying", "executions")
            for head in heads_of(store):
                findings += _told(verify_execution(store, head.execution))
                logs = logs and head.has_log
                checked += 1
                counter.add()
        findings += _told(verify_refusals(store))
        right = "every digest is right" if logs else f"{_OF_JOURNALS} is right"
        print(f"{checked} executions: " + (right if not findings else f"{findings} findings"))
        return 1 if findings else 0
    for name in names:
        path = Path(name)
        if path.is_file():
            broken = _verify_bundle(path, options.key)
        else:
            store = open_store(options.store, create=False)
            head = find_execution(store, name)
            broken = verify_execution(store, head.execution)
            if not broken and head.has_log:
                print(f"{name}: every digest is right, up to commit {head.seq} ({head.digest})")
            elif not broken:
                print(
                    f"{name}: {_OF_JOURNALS} is right; its history is kept by Step Functions, without digests"
                )
        findings += _told(broken)
    return 1 if findings else 0


def _verify_bundle(path: Path, fingerprint: str | None) -> list[str]:
    try:
        if path.stat().st_size > MAX_BUNDLE:
            raise WrongRequest(f"{path} is larger than any bundle: {MAX_BUNDLE} bytes at most")
        document: Any = json.loads(path.read_bytes())
        broken = bundles.verify_bundle(document, fingerprint)
    except (bundles.InvalidBundle, signing.SigningUnavailable) as error:
        raise WrongRequest(f"{path}: {error}") from None
    except (ValueError, RecursionError) as error:
        raise WrongRequest(f"{path} is no bundle: {error}") from None
    except OSError as error:
        raise WrongRequest(f"{path} cannot be read: {error.strerror}") from None
    if not broken:
        signature = document["signature"]
        what = (
            "signed and unchanged" if document["redacted"] else "signed, unchanged, and every digest is right"
        )
        print(f"{path}: {document['execution']}: {what}; key {signature['fingerprint']}")
        if fingerprint is None:
            print(
                "  whose key that is, only its owner can say: compare it, and give it with --key",
                file=sys.stderr,
            )
    return [f"{path}: {finding}" for finding in broken]


def _told(findings: Sequence[object]) -> int:
    for finding in findings:
        print(finding)
    return len(findings)


def _one(options: argparse.Namespace, names: Sequence[str], usage: str) -> tuple[Store, Head]:
    if len(names) != 1:
        raise WrongRequest(f"one execution at a time: stratum {usage}")
    store = open_store(options.store, create=False)
    return store, find_execution(store, names[0])

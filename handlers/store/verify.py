"""Whether a log is what was written: every digest computed again."""

from __future__ import annotations

from .codec import digest_of, references, text_digest
from .protocol import Broken, Store


def verify(store: Store, execution: str) -> list[Broken]:
    """Walks the whole log; answers what is not as it was written, the first broken commit first.

    A change of one byte in a commit or a payload, a commit taken out or put elsewhere, and a log shorter than
    its head says are all found. A log and its head that were both cut off at the same place are not: for that,
    keep the head's digest elsewhere.
    """
    broken: list[Broken] = []
    head = store.head(execution)
    previous = ""
    seq = 0
    checked: set[str] = set()
    while (found := store.stored(execution, seq)) is not None:
        digest, body = found
        if digest_of(previous.encode() + body) != digest:
            broken.append(Broken(seq, "its digest is not that of its content and the commit before"))
        for payload in references(body) if not broken else []:
            if payload not in checked:
                checked.add(payload)
                text = store.payload(execution, payload)
                if text is None:
                    broken.append(Broken(seq, f"its payload {payload[:12]}… is gone"))
                elif text_digest(text) != payload:
                    broken.append(Broken(seq, f"its payload {payload[:12]}… is not what was written"))
        if head is not None and head.seq == seq and head.digest != digest:
            broken.append(Broken(seq, "the head knows this commit by another digest"))
        previous = digest
        seq += 1
    if head is not None and head.seq >= seq:
        broken.append(Broken(seq, f"it is missing: the head knows of commits up to {head.seq}"))
    return broken

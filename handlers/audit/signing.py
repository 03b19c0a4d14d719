"""Signatures of bundles: Ed25519, so that whoever verifies one needs no secret."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

ALGORITHM = "Ed25519"


class SigningUnavailable(RuntimeError):
    """The package for signatures is not installed."""


class InvalidKey(ValueError):
    """What should be a key is none."""


def new_key() -> bytes:
    """A new private key, as PEM."""
    _, serialization, private = _cryptography()
    return private.Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def sign(pem: bytes, data: bytes) -> dict[str, str]:
    """`{"algorithm", "key" (public, base64), "fingerprint", "value"}` for the data. Raises `InvalidKey`."""
    _, serialization, private = _cryptography()
    try:
        key = serialization.load_pem_private_key(pem, None)
    except (ValueError, TypeError) as error:
        raise InvalidKey(f"not a private key in PEM: {error}") from None
    if not isinstance(key, private.Ed25519PrivateKey):
        raise InvalidKey("the key is not one of Ed25519")
    public = key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return {
        "algorithm": ALGORITHM, "key": base64.b64encode(public).decode(), "fingerprint": fingerprint(public),
        "value": base64.b64encode(key.sign(data)).decode(),
    }  # fmt: skip


def check(signature: dict[str, Any], data: bytes) -> str | None:
    """Why the signature is not that of the data, or None where it is."""
    invalid, _, private = _cryptography()
    try:
        public = base64.b64decode(signature["key"], validate=True)
        value = base64.b64decode(signature["value"], validate=True)
        if signature["algorithm"] != ALGORITHM:
            return f"it is signed with {signature['algorithm']!r}, which is not known here"
        if signature.get("fingerprint") != fingerprint(public):
            return "its fingerprint is not that of its key"
        private.Ed25519PublicKey.from_public_bytes(public).verify(value, data)
    except invalid:
        return "the signature is not that of this content"
    except (KeyError, ValueError, TypeError):
        return "the signature cannot be read"
    return None


def fingerprint(public: bytes) -> str:
    """What people compare: SHA-256 of the public key, in groups."""
    digest = hashlib.sha256(public).hexdigest()[:32]
    return "-".join(digest[at : at + 4] for at in range(0, 32, 4))


def _cryptography() -> tuple[Any, Any, Any]:
    try:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import ed25519
    except ImportError:
        raise SigningUnavailable(
            "signatures need the package `cryptography`: pip install 'stratum-workflows[audit]'"
        ) from None
    return InvalidSignature, serialization, ed25519

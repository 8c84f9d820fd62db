"""Secrets and signatures, so that a receiver knows who sent what and when.

Each request is signed twice. ``X-ASI-Signature`` covers the body alone, and can
be checked in one line of any language. The Standard Webhooks headers cover the
id and the time as well, and can be checked by the public libraries of
https://www.standardwebhooks.com and of Svix.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets as random
from collections.abc import Sequence

_PREFIX = "whsec_"
_GENERATED_BYTES = 32


def generate_secret() -> str:
    """Return a new secret: ``whsec_`` and the base64 of 32 random bytes."""
    return _PREFIX + base64.b64encode(random.token_bytes(_GENERATED_BYTES)).decode()


def validate_secret(secret: str) -> str:
    """Return `secret` if it can sign.

    Standard Webhooks libraries take a secret as base64 and decode it. A receiver
    whose secret is plain text hands them ``whsec_`` and the base64 of that text:
    in Python ``Webhook("whsec_" + b64encode(secret.encode()).decode())``.

    Raises:
        ValueError: it is neither ``whsec_`` with the base64 of 24-64 bytes, nor
            plain text of 16-128 printable ASCII characters.
    """
    if secret.startswith(_PREFIX):
        _check_base64(secret)
    elif not (16 <= len(secret) <= 128 and secret.isascii() and secret.isprintable()):
        raise ValueError(
            "the secret must be 16-128 printable ASCII characters, or whsec_ and the base64 of "
            "24-64 bytes"
        )
    return secret


def sign(
    secrets: Sequence[str], *, message_id: str, timestamp: int, body: bytes
) -> dict[str, str]:
    """Return the headers that prove origin, id, time and content of a request.

    ``X-ASI-Signature`` is the hexadecimal HMAC-SHA256 of `body`; its key is the
    first secret's text, ``whsec_`` included. ``webhook-signature`` holds, for
    each secret, ``v1,`` and the base64 of the HMAC-SHA256 of
    ``message_id.timestamp.body``; its key is what stands behind ``whsec_``,
    decoded, or the text of a plain secret.

    Args:
        secrets: valid secrets; the current one first, then those rotated out
            whose grace has not ended.
        message_id: the event's id, which stays the same for each attempt.
        timestamp: when this attempt is made, in seconds since 1970.
        body: the exact bytes that are sent.
    """
    content = b"%b.%d.%b" % (message_id.encode(), timestamp, body)
    return {
        "X-ASI-Signature": sign_body(secrets[0], body),
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join([_sign_content(secret, content) for secret in secrets]),
    }


def sign_body(secret: str, body: bytes) -> str:
    """Return ``X-ASI-Signature`` by one secret."""
    return hmac.digest(secret.encode(), body, "sha256").hex()


def _sign_content(secret: str, content: bytes) -> str:
    digest = hmac.digest(_decode_key(secret), content, "sha256")
    return "v1," + binascii.b2a_base64(digest, newline=False).decode()


def _decode_key(secret: str) -> bytes:
    if secret.startswith(_PREFIX):
        return binascii.a2b_base64(secret[len(_PREFIX) :])
    return secret.encode()


def _check_base64(secret: str) -> None:
    encoded = secret[len(_PREFIX) :]
    try:
        key = base64.b64decode(encoded, validate=True)
    except ValueError:
        key = b""
    # Python forgives what decoders of other languages refuse, so only one spelling will do.
    if base64.b64encode(key).decode() != encoded:
        raise ValueError("what follows whsec_ in the secret must be base64, padded with =")
    if not 24 <= len(key) <= 64:
        raise ValueError(f"the secret has {len(key)} bytes behind whsec_; it must have 24-64")

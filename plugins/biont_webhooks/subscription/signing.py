"""Signing: secrets and signatures by which a receiver verifies sender, body and time.

Each request is signed twice. ``X-ASI-Signature`` covers the body alone; one line of any
language verifies that header. The Standard Webhooks headers cover the id and the time as well;
the public libraries of https://www.standardwebhooks.com and of Svix verify these headers.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
import secrets as random
from collections.abc import Sequence

_PREFIX = "whsec_"
# The marks of Standard Webhooks: a shared secret, a private key, a public key.
_KEY = re.compile(r"wh(?:sec|sk|pk)_", re.IGNORECASE)
# Standard Webhooks asks for 24-64 bytes.
_GENERATED_BYTES = 32


def generate_secret() -> str:
    """Return a new secret: ``whsec_`` and the base64 of 32 random bytes."""
    return _PREFIX + base64.b64encode(random.token_bytes(_GENERATED_BYTES)).decode()


def validate_secret(secret: str) -> str:
    """Return `secret` unchanged if the secret is valid.

    Standard Webhooks libraries decode a secret as base64. A receiver with a plain text
    secret passes ``whsec_`` and the base64 of that text to the library:
    in Python ``Webhook("whsec_" + b64encode(secret.encode()).decode())``.

    Raises:
        ValueError: the secret is neither ``whsec_`` with the base64 of 24-64 bytes, nor
            plain text of 16-128 printable ASCII characters without spaces.
    """
    _check_form(secret)
    if secret.startswith(_PREFIX):
        _check_base64(secret)
    elif not (16 <= len(secret) <= 128 and secret.isascii() and secret.isprintable()):
        raise ValueError(
            "the secret must be 16-128 printable ASCII characters without spaces, or whsec_ and "
            "the base64 of 24-64 bytes"
        )
    return secret


class SigningKey:
    """Secret in the form that signs: prepared once, because each request is signed twice.

    Args:
        secret: a valid secret.
    """

    __slots__ = ("_body_key", "_content_key")

    def __init__(self, secret: str) -> None:
        # A copy of a keyed hash costs half of what the key costs each time.
        self._body_key = hmac.new(secret.encode(), digestmod="sha256")
        self._content_key = hmac.new(_decode_key(secret), digestmod="sha256")

    def sign_body(self, body: bytes) -> str:
        """Return the ``X-ASI-Signature`` of a body."""
        hashed = self._body_key.copy()
        hashed.update(body)
        return hashed.hexdigest()

    def sign_content(self, content: bytes) -> str:
        """Return the signature of Standard Webhooks for ``message_id.timestamp.body``."""
        hashed = self._content_key.copy()
        hashed.update(content)
        return "v1," + binascii.b2a_base64(hashed.digest(), newline=False).decode()


def sign(
    keys: Sequence[SigningKey], *, message_id: str, timestamp: int, body: bytes
) -> dict[str, str]:
    """Return the headers that prove sender, id, time and body of a request.

    ``X-ASI-Signature`` is the hexadecimal HMAC-SHA256 of `body`. The key is the text of the
    first secret, ``whsec_`` included. ``webhook-signature`` holds, for each secret, ``v1,``
    and the base64 of the HMAC-SHA256 of ``message_id.timestamp.body``. The key is the decoded
    base64 after ``whsec_``, or the text of a plain secret.

    Args:
        keys: the current secret first, then replaced secrets that still sign.
        message_id: the id of the event, the same for each attempt.
        timestamp: the time of this attempt, in seconds since 1970.
        body: the exact bytes to send.
    """
    content = b"%b.%d.%b" % (message_id.encode(), timestamp, body)
    return {
        "X-ASI-Signature": keys[0].sign_body(body),
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join([key.sign_content(content) for key in keys]),
    }


def _decode_key(secret: str) -> bytes:
    if secret.startswith(_PREFIX):
        return binascii.a2b_base64(secret[len(_PREFIX) :])
    return secret.encode()


def _check_form(secret: str) -> None:
    """Refuse what is meant as a secret of Standard Webhooks, but would count as plain text."""
    if any(map(str.isspace, secret)):
        raise ValueError("the secret has a space, tab or line break; give the secret without it")
    found = _KEY.search(secret)
    if found is None:
        return
    kind = found[0]
    if kind.lower() != _PREFIX:
        raise ValueError(
            f"the secret has {kind}, the mark of a key pair; requests are signed with a shared "
            f"secret, which begins with {_PREFIX}"
        )
    if found.start():
        raise ValueError(
            f"the secret must begin with {_PREFIX}; leave out what stands before, such as v1,"
        )
    if kind != _PREFIX:
        raise ValueError(f"the secret begins with {kind}; write {_PREFIX} in lower case")


def _check_base64(secret: str) -> None:
    encoded = secret[len(_PREFIX) :]
    try:
        key = base64.b64decode(encoded, validate=True)
    except ValueError:
        key = b""
    # Python decodes some spellings that decoders of other languages refuse.
    if base64.b64encode(key).decode() != encoded:
        raise ValueError("the part of the secret after whsec_ must be base64, padded with =")
    if not 24 <= len(key) <= 64:
        raise ValueError(f"the secret has {len(key)} bytes after whsec_; it must have 24-64")

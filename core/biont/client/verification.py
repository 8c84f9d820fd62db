"""Verification of webhook requests by the rules of Standard Webhooks."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence

from biont.client.errors import ClientError
from biont.client.json_types import JsonValue
from biont.clock import SystemClock

_PREFIX = "whsec_"


class InvalidWebhookError(ClientError):
    """A request that does not come from the workbench, or not at this time."""


def verify_webhook(
    headers: Mapping[str, str],
    body: bytes,
    secrets: str | Sequence[str],
    *,
    tolerance: float = 300.0,
    now: float | None = None,
) -> dict[str, JsonValue]:
    """Return the event of a webhook request, after the check of signature and time.

    Args:
        headers: the headers of the request; the case of their names does not matter.
        body: the exact bytes of the body.
        secrets: the secret of the webhook, or several during a rotation.
        tolerance: the largest difference between the timestamp and `now`, in seconds.
        now: the time of the check, in seconds since 1970; None for the present.

    Raises:
        InvalidWebhookError: the request is not valid.
        ValueError: there is no secret, or a secret is not base64 after ``whsec_``.
    """
    keys = [_decode(secret) for secret in ([secrets] if isinstance(secrets, str) else secrets)]
    if not keys or not all(keys):
        raise ValueError("give the secret of the webhook")
    given = {name.lower(): value for name, value in headers.items()}
    message_id, timestamp = _get(given, "webhook-id"), _get(given, "webhook-timestamp")
    signatures = _get(given, "webhook-signature").split()
    content = b"%b.%b.%b" % (message_id.encode(), timestamp.encode(), body)
    expected = [_sign(key, content) for key in keys]
    pairs = [(own, found.encode()) for own in expected for found in signatures]
    # No shortcut at the first match, which would reveal the position of the key by time.
    if not sum(hmac.compare_digest(own, found) for own, found in pairs):
        raise InvalidWebhookError(
            "the signature is not valid; pass the exact bytes of the body, and check the secret"
        )
    present = SystemClock().now().timestamp() if now is None else now
    _check_time(timestamp, present, tolerance)
    return _read_event(body)


def _decode(secret: str) -> bytes:
    if not secret.startswith(_PREFIX):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except binascii.Error as error:
        raise ValueError("the secret must be base64 after whsec_") from error


def _get(headers: Mapping[str, str], name: str) -> str:
    value = headers.get(name, "")
    if not value:
        raise InvalidWebhookError(f"the request has no header {name}")
    return value


def _sign(key: bytes, content: bytes) -> bytes:
    return b"v1," + base64.b64encode(hmac.digest(key, content, hashlib.sha256))


def _check_time(timestamp: str, now: float, tolerance: float) -> None:
    if not timestamp.isascii() or not timestamp.isdecimal() or len(timestamp) > 12:
        raise InvalidWebhookError("the header webhook-timestamp is not a number of seconds")
    if abs(now - int(timestamp)) > tolerance:
        raise InvalidWebhookError(
            f"the timestamp differs from now by more than {tolerance:g} seconds; the request may "
            "be replayed, or a clock may be wrong"
        )


def _read_event(body: bytes) -> dict[str, JsonValue]:
    try:
        event = json.loads(body)
    except ValueError as error:
        raise InvalidWebhookError(f"the body is not JSON: {error}") from error
    if not isinstance(event, dict):
        raise InvalidWebhookError("the body is not a JSON object")
    return event

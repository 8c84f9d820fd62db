"""Signature templates: descriptions of the signatures of other systems, and their check.

A template is data, so a sender without a preset needs no code::

    {"algorithm": "sha256", "encoding": "hex", "signature": "headers.x-signature",
     "prefix": "sha256=", "signed": "{timestamp}.{body}", "timestamp": "headers.x-time"}

The check computes the signature of the request with each valid secret, and compares in a time
that does not depend on the signature. A request with a signed time is refused outside of the
tolerance, so that nobody can send a recorded request again later; within the tolerance the
signature itself is the id of the request, and a repetition does not act.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, model_validator

from biont import Schema
from biont.exceptions import InputProblem, InvalidInput, Unauthorized
from biont_inbound.message import IncomingMessage
from biont_webhooks import Path, make_finder

_PLACEHOLDER = re.compile(r"\{(body|timestamp|id|url|form)\}")
_INSTANT = re.compile(r"[0-9]{9,13}")
_FIRST_MILLISECONDS = 100_000_000_000
"""From this number on, a time is in milliseconds: as seconds, it would be the year 5138."""

_LONGEST_ID = 200


class SignatureTemplate(Schema):
    """Description of the signature of a sender."""

    model_config = ConfigDict(extra="forbid")

    algorithm: Literal["sha1", "sha256", "sha512", "equal"] = Field(
        "sha256",
        description="The hash of the HMAC; `equal` for a sender that sends the secret itself.",
    )
    encoding: Literal["hex", "base64"] = "hex"
    signature: Path = Field(
        description="The place of the signature: `headers.x-signature`, `body.signature.value`."
    )
    separator: Annotated[str, Field(min_length=1, max_length=1)] | None = Field(
        None,
        examples=[","],
        description="The character between several signatures in one header.",
    )
    prefix: Annotated[str, Field(max_length=50)] = Field(
        "", description="The text before each signature: `sha256=`."
    )
    signed: Annotated[str, Field(min_length=1, max_length=200)] = Field(
        "{body}",
        description="The signed text, with `{body}`, `{timestamp}`, `{id}`, `{url}`, and "
        "`{form}`, the sorted names and values of a form.",
    )
    key: Literal["text", "base64"] = Field(
        "text",
        description="The key of the HMAC: the text of the secret, or the bytes of its base64 "
        "after `whsec_`.",
    )
    timestamp: Path | None = Field(
        None, description="The place of the signed time, in seconds or milliseconds since 1970."
    )
    timestamp_prefix: Annotated[str, Field(max_length=50)] = Field(
        "",
        description="The text before the time, if the time is a part of the signature's header.",
    )
    tolerance: Annotated[int, Field(ge=1, le=86_400)] = Field(
        300, description="The most seconds between the signed time and the present."
    )
    ids: Annotated[list[Path], Field(max_length=5)] = Field(
        default_factory=list,
        description="The places of the id of a request; the first place with a text counts.",
    )
    body_digest: Path | None = Field(
        None,
        description="The place of the SHA-256 of the body in hex, for senders that sign the URL.",
    )

    @model_validator(mode="after")
    def _check_time(self) -> SignatureTemplate:
        if self.timestamp is None or self.algorithm == "equal":
            return self
        is_signed = "{timestamp}" in self.signed or (
            self.timestamp.startswith(("body", "/body")) and "{body}" in self.signed
        )
        if not is_signed:
            raise ValueError(
                "the time is not signed, so it protects nothing: put {timestamp} into signed, or "
                "leave timestamp out"
            )
        return self


def check_secret(template: SignatureTemplate | None, secret: str) -> None:
    """Check that a secret can be used with a template.

    Raises:
        InvalidInput: the secret is not base64, though the template needs base64.
    """
    if template is None or template.key != "base64":
        return
    try:
        _read_key(template, secret)
    except ValueError as error:
        raise InvalidInput(
            InputProblem("must be whsec_ and base64, as the sender shows it", "#/secret")
        ) from error


def find_id(template: SignatureTemplate | None, message: IncomingMessage) -> str | None:
    """Return the id that a sender has given to a request."""
    if template is None:
        return None
    document = _SignedDocument(message)
    found = (document.find_text(path) for path in template.ids)
    given = next((text for text in found if text), None)
    if given is None or len(given) <= _LONGEST_ID:
        return given
    # Not cut: two ids may begin with the same characters.
    return hashlib.sha256(given.encode()).hexdigest()


def verify_message(
    template: SignatureTemplate | None,
    secrets: Sequence[str],
    message: IncomingMessage,
    now: datetime,
) -> str | None:
    """Check the signature of a request; return the id of the request, if there is any.

    Args:
        template: the template; None accepts every request.
        secrets: the secret, and replaced secrets that are still valid.
        message: the request.
        now: the present instant.

    Raises:
        Unauthorized: the signature is missing or wrong, or the signed time is too far away.
        MalformedBody: the signature is in the body, which cannot be read.
    """
    delivery_id = find_id(template, message)
    if template is None:
        return delivery_id
    document = _SignedDocument(message)
    given = document.find_signatures(template)
    timestamp = document.find_timestamp(template)
    if template.timestamp is not None:
        _check_tolerance(timestamp, template.tolerance, now)
    if template.body_digest is not None:
        _check_digest(document.find_text(template.body_digest), message)
    values = {
        "body": message.content,
        "timestamp": timestamp.encode(),
        "id": (delivery_id or "").encode(),
        "url": message.url.encode(errors="replace"),
        "form": "".join(f"{k}{v}" for k, v in sorted(message.form.items())).encode(),
    }
    signed = _fill(template.signed, values)
    # No early end: each secret is compared with each signature.
    matches = [
        hmac.compare_digest(_sign(template, secret, signed), _normalise(template, text))
        for secret in secrets
        for text in given
    ]
    if not any(matches):
        raise Unauthorized(
            f"the signature in {template.signature} does not match; check the secret of this "
            "webhook, and that nothing between sender and workbench changes the body"
        )
    if delivery_id is None and template.timestamp is not None:
        # A recorded request that is sent again within the tolerance has the same signature.
        delivery_id = "signature-" + hashlib.sha256(signed).hexdigest()
    return delivery_id


class _SignedDocument:
    """Values of a request by path; the body is read only if a path leads into the body."""

    def __init__(self, message: IncomingMessage) -> None:
        self._message = message

    def find_text(self, path: str) -> str:
        """Return the text or number at a path, or nothing."""
        if path.startswith(("body", "/body")):
            document: Mapping[str, object] = {"body": self._message.body}
        else:
            document = {"headers": self._message.headers, "query": self._message.query}
        value = make_finder(path)(document)
        is_number = isinstance(value, int) and not isinstance(value, bool)
        return str(value) if isinstance(value, str) or is_number else ""

    def find_signatures(self, template: SignatureTemplate) -> list[str]:
        """Return the signatures of a request, without prefix."""
        text = self.find_text(template.signature)
        parts = text.split(template.separator) if template.separator else [text]
        prefix = template.prefix
        # At most ten, so that a long header costs no more hashes.
        found = [part.strip()[len(prefix) :] for part in parts if part.strip().startswith(prefix)]
        found = [each for each in found if each][:10]
        if not found:
            expected = f", which begins with {prefix!r}" if prefix else ""
            raise Unauthorized(f"there is no signature in {template.signature}{expected}")
        return found

    def find_timestamp(self, template: SignatureTemplate) -> str:
        """Return the signed time as the sender wrote it, or nothing."""
        if template.timestamp is None:
            return ""
        text = self.find_text(template.timestamp)
        if not template.timestamp_prefix:
            return text
        parts = text.split(template.separator) if template.separator else [text]
        prefix = template.timestamp_prefix
        return next((p.strip()[len(prefix) :] for p in parts if p.strip().startswith(prefix)), "")


def _check_tolerance(text: str, tolerance: int, now: datetime) -> None:
    if not _INSTANT.fullmatch(text):
        raise Unauthorized("the signed time is missing, or is no number of seconds since 1970")
    at = int(text)
    seconds = at / 1000 if at >= _FIRST_MILLISECONDS else at
    distance = now.timestamp() - seconds
    if abs(distance) > tolerance:
        word = "old" if distance > 0 else "in the future"
        raise Unauthorized(
            f"the signed time is {abs(distance):.0f} s {word}; at most {tolerance} s are allowed; "
            "check the clocks of both systems"
        )


def _check_digest(expected: str, message: IncomingMessage) -> None:
    """Check a digest of the body that the signed URL has; a form has none."""
    if message.form and not expected:
        return
    digest = hashlib.sha256(message.content).hexdigest()
    if message.content and not hmac.compare_digest(digest, expected.lower()):
        raise Unauthorized("the digest of the body in the URL does not match the body")


def _fill(signed: str, values: Mapping[str, bytes]) -> bytes:
    # Split, because the values may themselves have braces.
    parts = _PLACEHOLDER.split(signed)
    return b"".join(
        values[part] if index % 2 else part.encode() for index, part in enumerate(parts)
    )


def _read_key(template: SignatureTemplate, secret: str) -> bytes:
    if template.key == "text":
        return secret.encode()
    return base64.b64decode(secret.removeprefix("whsec_"), validate=True)


def _sign(template: SignatureTemplate, secret: str, signed: bytes) -> bytes:
    if template.algorithm == "equal":
        return secret.encode()
    digest = hmac.digest(_read_key(template, secret), signed, template.algorithm)
    if template.encoding == "hex":
        return binascii.hexlify(digest)
    return binascii.b2a_base64(digest, newline=False)


def _normalise(template: SignatureTemplate, text: str) -> bytes:
    is_hex = template.algorithm != "equal" and template.encoding == "hex"
    return (text.lower() if is_hex else text).encode(errors="replace")

"""Verification: checks the headers of a request, and explains each error."""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import NamedTuple

import orjson

from biont_webhooks.subscription.signing import SigningKey, sign

TOLERANCE = 300.0
"""The allowed difference of a timestamp in seconds, as in the public libraries."""

_ID = re.compile(r"[!-~]+")
_TIMESTAMP = re.compile(r"[0-9]{1,11}")


class HeaderStatus(StrEnum):
    """Status of a header."""

    OK = "ok"
    WRONG = "wrong"
    UNDECIDED = "-"
    """The header cannot be checked, or is not required."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Result of the check of a header.

    Attributes:
        header: the name of the header.
        detail: the explanation.
        status: the status of the header.
    """

    header: str
    detail: str
    status: HeaderStatus


@dataclass(frozen=True, slots=True)
class VerificationResult:
    """Result of the check of a request.

    Attributes:
        findings: a finding for each header, always in the same order.
    """

    findings: Sequence[Finding]

    @property
    def is_valid(self) -> bool:
        """True if no header is wrong."""
        return not self.reason

    @property
    def reason(self) -> str:
        """The errors in one line; empty for a valid request."""
        wrong = [finding for finding in self.findings if finding.status is HeaderStatus.WRONG]
        return "; ".join(f"{finding.header}: {finding.detail}" for finding in wrong)


def verify(
    headers: Mapping[str, str],
    body: bytes,
    secrets: Sequence[str],
    *,
    now: datetime,
    tolerance: float = TOLERANCE,
) -> VerificationResult:
    """Return the findings about a request.

    Args:
        headers: the headers as received; names are case-insensitive.
        body: the exact bytes as received.
        secrets: the valid secrets, any of which may have signed the request.
        now: the present time, for the check of the timestamp.
        tolerance: the allowed difference of the timestamp, in seconds.
    """
    given = {name.lower(): value.strip() for name, value in headers.items()}
    request = _Request(given, body, secrets)
    return VerificationResult(
        [
            request.check_id(),
            request.check_timestamp(now.timestamp(), tolerance),
            request.check_signature(),
            request.check_body_signature(),
        ]
    )


class _Match(NamedTuple):
    """Matching signature and secret, by their positions."""

    signature: int
    secret: int


class _Request:
    """Request, compared with the signatures that each secret would make."""

    def __init__(self, headers: Mapping[str, str], body: bytes, secrets: Sequence[str]) -> None:
        self._id = headers.get("webhook-id", "")
        self._timestamp = headers.get("webhook-timestamp", "")
        self._signatures = headers.get("webhook-signature", "").split()
        self._body_signature = headers.get("x-asi-signature")
        self._body = body
        self._keys = [SigningKey(secret) for secret in secrets]
        self._match = self._find_match(body)

    def check_id(self) -> Finding:
        if not self._id:
            return _make_missing("webhook-id")
        if not _ID.fullmatch(self._id):
            return Finding(
                "webhook-id", "malformed: not printable ASCII without spaces", HeaderStatus.WRONG
            )
        return Finding("webhook-id", self._id, HeaderStatus.OK)

    def check_timestamp(self, now: float, tolerance: float) -> Finding:
        header = "webhook-timestamp"
        if not self._timestamp:
            return _make_missing(header)
        if not _TIMESTAMP.fullmatch(self._timestamp):
            return Finding(
                header, "malformed: not a whole number of seconds since 1970", HeaderStatus.WRONG
            )
        age = now - int(self._timestamp)
        detail = (
            f"{self._timestamp}, {_format_timestamp(int(self._timestamp))}, {_format_age(age)}"
        )
        if abs(age) <= tolerance:
            return Finding(header, detail, HeaderStatus.OK)
        limit = f"more than {tolerance:g} s"
        return Finding(
            header, f"too {'old' if age > 0 else 'new'}, {limit}: {detail}", HeaderStatus.WRONG
        )

    def check_signature(self) -> Finding:
        header = "webhook-signature"
        if not self._signatures:
            return _make_missing(header)
        if self._match is not None:
            signature = f"signature {self._match.signature + 1} of {len(self._signatures)}"
            secret = self._name_secret(self._match.secret)
            return Finding(header, f"{signature} is by {secret}", HeaderStatus.OK)
        if not self._can_be_signed:
            return Finding(
                header,
                "cannot be checked: the signature covers id and timestamp too",
                HeaderStatus.UNDECIDED,
            )
        return Finding(header, f"no matching signature: {self._find_cause()}", HeaderStatus.WRONG)

    def check_body_signature(self) -> Finding:
        header = "X-ASI-Signature"
        if self._body_signature is None:
            return Finding(
                header, "not there: other senders do not send this header", HeaderStatus.UNDECIDED
            )
        for number, key in enumerate(self._keys):
            if _are_equal(key.sign_body(self._body), self._body_signature):
                return Finding(header, f"by {self._name_secret(number)}", HeaderStatus.OK)
        if self._match is not None and self._match.signature > 0:
            # During a rotation this header is signed with the new secret alone, and the caller
            # may know only the old secret.
            return Finding(
                header, "cannot be checked: signed with a newer secret", HeaderStatus.UNDECIDED
            )
        return Finding(
            header, "wrong: signed with another secret, or over another body", HeaderStatus.WRONG
        )

    @property
    def _can_be_signed(self) -> bool:
        return bool(_ID.fullmatch(self._id) and _TIMESTAMP.fullmatch(self._timestamp))

    def _find_match(self, body: bytes) -> _Match | None:
        """Return the first signature that matches, and its secret."""
        if not self._can_be_signed:
            return None
        signed = sign(self._keys, message_id=self._id, timestamp=int(self._timestamp), body=body)
        right = signed["webhook-signature"].split()
        for place, given in enumerate(self._signatures):
            for number, expected in enumerate(right):
                if _are_equal(expected, given):
                    return _Match(place, number)
        return None

    def _find_cause(self) -> str:
        if not any(signature.startswith("v1,") for signature in self._signatures):
            return "there is none that begins with v1,"
        for change, body in _undo_usual_changes(self._body):
            if self._find_match(body) is not None:
                return f"the body was signed {change}; use the bytes as received"
        return "another secret, or the id, the timestamp or the body was changed"

    def _name_secret(self, number: int) -> str:
        return "the secret" if len(self._keys) == 1 else f"secret {number + 1}"


def _make_missing(header: str) -> Finding:
    return Finding(header, "the header is missing", HeaderStatus.WRONG)


def _are_equal(expected: str, given: str) -> bool:
    # As bytes, because `compare_digest` refuses text that is not ASCII.
    return hmac.compare_digest(expected.encode(), given.encode(errors="replace"))


def _undo_usual_changes(body: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield the bodies from which a receiver's framework may have made `body`, described."""
    yield "without the line break at its end", body.rstrip(b"\r\n")
    yield "with a line break at its end", body + b"\n"
    try:
        yield "as compact JSON", orjson.dumps(orjson.loads(body))
    except orjson.JSONDecodeError:
        return


def _format_timestamp(timestamp: int) -> str:
    try:
        return datetime.fromtimestamp(timestamp, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError, OSError):
        return "beyond the calendar"


def _format_age(age: float) -> str:
    return f"{abs(age):.0f} s {'ago' if age >= 0 else 'ahead'}"

"""Tells a receiver's author, in plain words, whether a request is what it claims to be."""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import orjson

from biont_webhooks.subscription.signing import sign, sign_body

TOLERANCE = 300.0
"""How far a timestamp may be off, in seconds; the public libraries have the same."""

_ID = re.compile(r"[!-~]+")
_TIMESTAMP = re.compile(r"[0-9]{1,11}")


@dataclass(frozen=True, slots=True)
class Finding:
    """What a look at one header has found.

    Attributes:
        header: its name.
        detail: what is right or wrong with it.
        ok: whether it is right; None if that cannot be said, or does not matter.
    """

    header: str
    detail: str
    ok: bool | None


@dataclass(frozen=True, slots=True)
class VerificationResult:
    """What is to be thought of a request.

    Attributes:
        findings: one for each header that counts, always in the same order.
    """

    findings: Sequence[Finding]

    @property
    def is_valid(self) -> bool:
        """Whether nothing is wrong."""
        return not self.reason

    @property
    def reason(self) -> str:
        """What is wrong, in one line; empty if nothing is."""
        wrong = [finding for finding in self.findings if finding.ok is False]
        return "; ".join(f"{finding.header}: {finding.detail}" for finding in wrong)


def verify(
    headers: Mapping[str, str],
    body: bytes,
    secrets: Sequence[str],
    *,
    now: datetime,
    tolerance: float = TOLERANCE,
) -> VerificationResult:
    """Return what is right and what is wrong with a request.

    Args:
        headers: as they came; upper and lower case are the same.
        body: the exact bytes that came.
        secrets: one or more valid secrets, of which any may have signed.
        now: what the timestamp is compared with.
        tolerance: how far the timestamp may be off, in seconds.
    """
    given = {name.lower(): value.strip() for name, value in headers.items()}
    request = _Request(given, body, secrets)
    return VerificationResult(
        [
            request.judge_id(),
            request.judge_timestamp(now.timestamp(), tolerance),
            request.judge_signature(),
            request.judge_body_signature(),
        ]
    )


class _Request:
    """A request, and what it would bear had it been signed by each of the secrets."""

    def __init__(self, headers: Mapping[str, str], body: bytes, secrets: Sequence[str]) -> None:
        self._id = headers.get("webhook-id", "")
        self._timestamp = headers.get("webhook-timestamp", "")
        self._signatures = headers.get("webhook-signature", "").split()
        self._body_signature = headers.get("x-asi-signature")
        self._body = body
        self._secrets = secrets
        self._match = self._find_match(body)

    def judge_id(self) -> Finding:
        if not self._id:
            return _miss("webhook-id")
        if not _ID.fullmatch(self._id):
            return Finding("webhook-id", "malformed: not printable ASCII without spaces", ok=False)
        return Finding("webhook-id", self._id, ok=True)

    def judge_timestamp(self, now: float, tolerance: float) -> Finding:
        header = "webhook-timestamp"
        if not self._timestamp:
            return _miss(header)
        if not _TIMESTAMP.fullmatch(self._timestamp):
            return Finding(header, "malformed: no whole number of seconds since 1970", ok=False)
        age = now - int(self._timestamp)
        detail = f"{self._timestamp}, {_tell_instant(int(self._timestamp))}, {_tell_age(age)}"
        if abs(age) <= tolerance:
            return Finding(header, detail, ok=True)
        limit = f"more than {tolerance:g} s"
        return Finding(header, f"too {'old' if age > 0 else 'new'}, {limit}: {detail}", ok=False)

    def judge_signature(self) -> Finding:
        header = "webhook-signature"
        if not self._signatures:
            return _miss(header)
        if self._match is not None:
            place, secret = self._match
            which = f"signature {place + 1} of {len(self._signatures)}"
            return Finding(header, f"{which} is by {self._name(secret)}", ok=True)
        if not self._can_be_signed:
            return Finding(header, "cannot be checked: it covers id and timestamp too", ok=None)
        return Finding(header, f"no matching signature: {self._find_cause()}", ok=False)

    def judge_body_signature(self) -> Finding:
        header = "X-ASI-Signature"
        if self._body_signature is None:
            return Finding(header, "not there, which other senders may do", ok=None)
        for number, secret in enumerate(self._secrets):
            if _are_equal(sign_body(secret, self._body), self._body_signature):
                return Finding(header, f"by {self._name(number)}", ok=True)
        if self._match is not None and self._match[0] > 0:
            # During a rotation it is by the new secret alone, which may not be known here.
            return Finding(header, "cannot be checked: it is by a newer secret", ok=None)
        return Finding(header, "wrong: by no secret given, or over another body", ok=False)

    @property
    def _can_be_signed(self) -> bool:
        return bool(_ID.fullmatch(self._id) and _TIMESTAMP.fullmatch(self._timestamp))

    def _find_match(self, body: bytes) -> tuple[int, int] | None:
        """Return the place of the first signature that matches, and that of its secret."""
        if not self._can_be_signed:
            return None
        signed = sign(
            self._secrets, message_id=self._id, timestamp=int(self._timestamp), body=body
        )
        right = signed["webhook-signature"].split()
        for place, given in enumerate(self._signatures):
            for number, expected in enumerate(right):
                if _are_equal(expected, given):
                    return place, number
        return None

    def _find_cause(self) -> str:
        if not any(signature.startswith("v1,") for signature in self._signatures):
            return "there is none that begins with v1,"
        for what, body in _undo_usual_changes(self._body):
            if self._find_match(body) is not None:
                return f"the body was signed {what}; keep the bytes as they come"
        return "another secret, or the id, the timestamp or the body is not what was signed"

    def _name(self, number: int) -> str:
        return "the secret" if len(self._secrets) == 1 else f"secret {number + 1}"


def _miss(header: str) -> Finding:
    return Finding(header, "the header is missing", ok=False)


def _are_equal(expected: str, given: str) -> bool:
    return hmac.compare_digest(expected.encode(), given.encode(errors="replace"))


def _undo_usual_changes(body: bytes) -> Iterator[tuple[str, bytes]]:
    yield "without the line break at its end", body.rstrip(b"\r\n")
    yield "with a line break at its end", body + b"\n"
    try:
        yield "as compact JSON", orjson.dumps(orjson.loads(body))
    except orjson.JSONDecodeError:
        return


def _tell_instant(timestamp: int) -> str:
    try:
        return datetime.fromtimestamp(timestamp, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError, OSError):
        return "beyond the calendar"


def _tell_age(age: float) -> str:
    return f"{abs(age):.0f} s {'ago' if age >= 0 else 'ahead'}"

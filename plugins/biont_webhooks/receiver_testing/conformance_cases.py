"""What a receiver has to cope with, as requests that are made when they are sent."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from functools import partial

import orjson
import uuid_utils
from pydantic import JsonValue

from biont import Event
from biont.clock import Clock
from biont_webhooks.delivery.deliveries import make_body
from biont_webhooks.subscription.signing import generate_secret, sign

_LARGE = 256 * 1024


class Expected(StrEnum):
    """What a receiver should answer."""

    ACCEPT = "2xx"
    ACCEPT_OR_TIME_OUT = "2xx or 408"
    REFUSE = "4xx"


@dataclass(frozen=True, slots=True)
class Sample:
    """A request to send.

    Attributes:
        headers: with the signatures.
        body: the exact bytes.
        is_slow: whether the body is sent bit by bit.
    """

    headers: Mapping[str, str]
    body: bytes
    is_slow: bool = False


@dataclass(frozen=True, slots=True)
class Case:
    """One thing that is tried.

    Attributes:
        name: what it is about, in a word or two.
        sent: what is sent.
        expected: what should be answered.
        advice: what it means if something else is answered, and what to do.
        make: makes the request.
    """

    name: str
    sent: str
    expected: Expected
    advice: str
    make: Callable[[], Sample]


class Samples:
    """Makes deliveries as the workbench does.

    Args:
        clock: says what is now.
        secret: what they are signed with.
    """

    def __init__(self, clock: Clock, secret: str) -> None:
        self._clock = clock
        self._secret = secret
        self._first_id = _make_id()

    def make(
        self,
        *secrets: str,
        message_id: str | None = None,
        minutes: float = 0,
        payload: dict[str, JsonValue] | None = None,
    ) -> Sample:
        """Return a delivery in order, but for what is given."""
        now = self._clock.now() + timedelta(minutes=minutes)
        message_id = message_id or _make_id()
        event = Event.uncaused(message_id, 1, "webhook_test", payload or {}, now)
        return self._sign(make_body(event), message_id, now.timestamp(), secrets)

    def make_first(self) -> Sample:
        """Return a delivery whose id is always the same."""
        return self.make(message_id=self._first_id)

    def make_changed(self) -> Sample:
        """Return a delivery whose body is another than the signed one."""
        sample = self.make(payload={"amount": 1})
        return Sample(sample.headers, sample.body.replace(b'"amount":1', b'"amount":9'))

    def make_without(self, names: Sequence[str]) -> Sample:
        """Return a delivery that lacks some headers."""
        sample = self.make()
        kept = {name: value for name, value in sample.headers.items() if name not in names}
        return Sample(kept, sample.body)

    def make_malformed(self) -> Sample:
        """Return a delivery whose signatures are none."""
        sample = self.make()
        rubbish = {"webhook-signature": "rubbish", "X-ASI-Signature": "rubbish"}
        return Sample({**sample.headers, **rubbish}, sample.body)

    def make_slow(self) -> Sample:
        """Return a delivery whose body is sent bit by bit."""
        sample = self.make()
        return Sample(sample.headers, sample.body, is_slow=True)

    def make_unknown(self) -> Sample:
        """Return a delivery of a type, and with fields, that no receiver has heard of."""
        message_id, now = _make_id(), self._clock.now()
        event = Event.uncaused(message_id, 1, "webhook_test_unknown", {"new": [None, {}]}, now)
        body = orjson.dumps(orjson.loads(make_body(event)) | {"new": {"deep": [True]}})
        return self._sign(body, message_id, now.timestamp(), ())

    def _sign(self, body: bytes, message_id: str, at: float, secrets: tuple[str, ...]) -> Sample:
        signed = sign(
            secrets or (self._secret,), message_id=message_id, timestamp=int(at), body=body
        )
        return Sample({**signed, "Content-Type": "application/json"}, body)


def list_cases(clock: Clock, secret: str, old_secret: str | None) -> list[Case]:
    """Return all cases, in the order in which they are to be sent.

    Args:
        clock: says what is now.
        secret: the receiver's present secret.
        old_secret: one that it still accepts, if it is in a rotation.
    """
    samples = Samples(clock, secret)
    return [
        *_list_good(samples),
        *_list_forged(samples),
        *_list_incomplete(samples),
        *_list_rotated(samples, secret, old_secret),
        *_list_unusual(samples),
    ]


def _list_good(samples: Samples) -> list[Case]:
    return [
        Case(
            "good delivery",
            "a delivery, signed just now",
            Expected.ACCEPT,
            "Nothing will arrive. Is this the secret of this receiver, and is the body checked as "
            "it comes?",
            samples.make_first,
        ),
        Case(
            "duplicate",
            "the same webhook-id again, as a retry is sent",
            Expected.ACCEPT,
            "Say yes to what you have had already, and do nothing: else it comes again and again.",
            samples.make_first,
        ),
    ]


def _list_forged(samples: Samples) -> list[Case]:
    return [
        Case(
            "stale timestamp",
            "a delivery that was signed 10 minutes ago",
            Expected.REFUSE,
            "Whoever has recorded a request can send it again. Refuse a webhook-timestamp that is "
            "more than 5 minutes off; X-ASI-Signature alone does not cover it.",
            partial(samples.make, minutes=-10),
        ),
        Case(
            "future timestamp",
            "a delivery that was signed 10 minutes from now",
            Expected.REFUSE,
            "Such a request could be sent again for longer than you think. Refuse a "
            "webhook-timestamp that is more than 5 minutes off.",
            partial(samples.make, minutes=10),
        ),
        Case(
            "wrong signature",
            "a delivery that was signed with another secret",
            Expected.REFUSE,
            "Anybody can send you events. Check webhook-signature.",
            partial(samples.make, generate_secret()),
        ),
        Case(
            "changed body",
            "a body that was changed after it was signed",
            Expected.REFUSE,
            "Events can be changed on their way. Check the signature over the body as it came.",
            samples.make_changed,
        ),
        Case(
            "malformed signature",
            "signatures that are no signatures",
            Expected.REFUSE,
            "Anybody can send you events. Check webhook-signature.",
            samples.make_malformed,
        ),
    ]


def _list_incomplete(samples: Samples) -> list[Case]:
    headers = {
        "no webhook-id": ["webhook-id"],
        "no webhook-timestamp": ["webhook-timestamp"],
        "no signature": ["webhook-signature", "X-ASI-Signature"],
        "no headers": ["webhook-id", "webhook-timestamp", "webhook-signature", "X-ASI-Signature"],
    }
    return [
        Case(
            name,
            f"a delivery without {', '.join(missing)}",
            Expected.REFUSE,
            "Refuse what lacks a header: without it nothing is proved.",
            partial(samples.make_without, missing),
        )
        for name, missing in headers.items()
    ]


def _list_rotated(samples: Samples, secret: str, old_secret: str | None) -> list[Case]:
    advice = (
        "Deliveries fail while a secret is replaced. Accept if any of the signatures is right."
    )
    other = old_secret or generate_secret()
    cases = [
        Case(
            "rotation, new secret",
            "two signatures, the first with the secret",
            Expected.ACCEPT,
            advice,
            partial(samples.make, secret, other),
        ),
        Case(
            "rotation, old secret",
            "two signatures, the second with the secret",
            Expected.ACCEPT,
            advice,
            partial(samples.make, other, secret),
        ),
    ]
    if old_secret is not None:
        cases.append(
            Case(
                "old secret alone",
                "a delivery that was signed with the old secret alone",
                Expected.ACCEPT,
                "What was signed before the rotation fails. Accept both secrets for a day.",
                partial(samples.make, old_secret),
            )
        )
    return cases


def _list_unusual(samples: Samples) -> list[Case]:
    return [
        Case(
            "exact body",
            "a payload that changes when its JSON is parsed and written anew",
            Expected.ACCEPT,
            "Check the signature over the bytes as they came, before you parse them.",
            partial(
                samples.make, payload={"number": 1.0, "text": "Gr\u00fc\u00dfe \u2028 \U0001f600"}
            ),
        ),
        Case(
            "unknown fields",
            "an event type and fields that are not known yet",
            Expected.ACCEPT,
            "Ignore what you do not know: types and fields are added.",
            samples.make_unknown,
        ),
        Case(
            "large body",
            "a payload of 256 KiB",
            Expected.ACCEPT,
            "Raise the limit for bodies, in the proxy before the receiver too.",
            partial(samples.make, payload={"text": "x" * _LARGE}),
        ),
        Case(
            "slow body",
            "a body that comes bit by bit over some seconds",
            Expected.ACCEPT_OR_TIME_OUT,
            "Read the whole body before you check it, or give up with 408.",
            samples.make_slow,
        ),
    ]


def _make_id() -> str:
    return str(uuid_utils.uuid7())

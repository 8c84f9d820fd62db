"""Conformance cases: requests that a receiver has to accept or refuse."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from types import MappingProxyType

from biont.clock import Clock
from biont_webhooks.receiver_testing.conformance_samples import Sample, Samples
from biont_webhooks.subscription.signing import generate_secret

_LARGE = 256 * 1024


class Expected(StrEnum):
    """Answer that a receiver should give."""

    ACCEPT = "2xx"
    ACCEPT_OR_TIME_OUT = "2xx or 408"
    REFUSE = "4xx"


@dataclass(frozen=True, slots=True)
class Case:
    """Case of the conformance check.

    Attributes:
        name: the name, in a word or two.
        sent: a description of the request.
        expected: the right answer.
        advice: the meaning of another answer, and the remedy.
        make: makes the request. Called just before the request is sent, because the
            signature covers the time.
    """

    name: str
    sent: str
    expected: Expected
    advice: str
    make: Callable[[], Sample]


def list_cases(
    clock: Clock,
    secret: str,
    old_secret: str | None,
    headers: Mapping[str, str] = MappingProxyType({}),
) -> list[Case]:
    """Return all cases, in the order of sending.

    Args:
        clock: provides the time of requests.
        secret: the present secret of the receiver.
        old_secret: a replaced secret that the receiver still accepts; None for no rotation.
        headers: the custom headers of each request, such as ``Authorization``.
    """
    samples = Samples(clock, secret, headers)
    return [
        *_list_valid_cases(samples),
        *_list_forged_cases(samples),
        *_list_incomplete_cases(samples),
        *_list_rotation_cases(samples, secret, old_secret),
        *_list_unusual_cases(samples),
    ]


def _list_valid_cases(samples: Samples) -> list[Case]:
    return [
        Case(
            "good delivery",
            "a delivery, signed just now",
            Expected.ACCEPT,
            "The receiver would refuse every delivery. Check that it has this secret, and that it "
            "verifies the body as received.",
            samples.make_first,
        ),
        Case(
            "duplicate",
            "the same webhook-id again, as a retry is sent",
            Expected.ACCEPT,
            "Answer a duplicate with 200 and do nothing; otherwise the workbench sends it again.",
            samples.make_first,
        ),
    ]


def _list_forged_cases(samples: Samples) -> list[Case]:
    return [
        Case(
            "stale timestamp",
            "a delivery that was signed 10 minutes ago",
            Expected.REFUSE,
            "An attacker can send a recorded request again. Refuse a webhook-timestamp that is "
            "more than 5 minutes off; X-ASI-Signature alone does not cover the timestamp.",
            partial(samples.make, minutes=-10),
        ),
        Case(
            "future timestamp",
            "a delivery that was signed 10 minutes from now",
            Expected.REFUSE,
            "An attacker can send such a request again for a longer time. Refuse a "
            "webhook-timestamp that is more than 5 minutes off.",
            partial(samples.make, minutes=10),
        ),
        Case(
            "wrong signature",
            "a delivery that was signed with another secret",
            Expected.REFUSE,
            "Anybody can send forged events. Verify webhook-signature.",
            partial(samples.make, generate_secret()),
        ),
        Case(
            "changed body",
            "a body that was changed after it was signed",
            Expected.REFUSE,
            "Events can be changed on their way. Verify the signature over the body as received.",
            samples.make_changed,
        ),
        Case(
            "malformed signature",
            "malformed signatures",
            Expected.REFUSE,
            "Anybody can send forged events. Verify webhook-signature.",
            samples.make_malformed,
        ),
    ]


def _list_incomplete_cases(samples: Samples) -> list[Case]:
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
            "Refuse a request without this header: the signature then proves nothing.",
            partial(samples.make_without, missing),
        )
        for name, missing in headers.items()
    ]


def _list_rotation_cases(samples: Samples, secret: str, old_secret: str | None) -> list[Case]:
    advice = (
        "Deliveries fail while a secret is replaced. Accept a request if any signature matches."
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
                "Deliveries signed before the rotation fail. Accept both secrets for a day.",
                partial(samples.make, old_secret),
            )
        )
    return cases


def _list_unusual_cases(samples: Samples) -> list[Case]:
    return [
        Case(
            "exact body",
            "a payload whose bytes change when the JSON is parsed and encoded again",
            Expected.ACCEPT,
            "Verify the signature over the bytes as received, before you parse the JSON.",
            partial(
                samples.make, payload={"number": 1.0, "text": "Gr\u00fc\u00dfe \u2028 \U0001f600"}
            ),
        ),
        Case(
            "unknown fields",
            "an unknown event type and unknown fields",
            Expected.ACCEPT,
            "Ignore unknown event types and fields: later versions add more.",
            samples.make_unknown,
        ),
        Case(
            "large body",
            "a payload of 256 KiB",
            Expected.ACCEPT,
            "Raise the size limit for bodies, also in a proxy before the receiver.",
            partial(samples.make, payload={"text": "x" * _LARGE}),
        ),
        Case(
            "slow body",
            "a body sent in chunks over some seconds",
            Expected.ACCEPT_OR_TIME_OUT,
            "Read the whole body before you verify the signature, or answer 408.",
            samples.make_slow,
        ),
    ]

"""Conformance samples: valid and invalid requests, made as the workbench makes deliveries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

import orjson
import uuid_utils
from pydantic import JsonValue

from biont import Event
from biont.clock import Clock
from biont_webhooks.delivery.deliveries import make_body
from biont_webhooks.subscription.signing import SigningKey, sign


@dataclass(frozen=True, slots=True)
class Sample:
    """Request to send.

    Attributes:
        headers: the headers, signatures included.
        body: the exact bytes.
        is_slow: whether the body is sent in chunks with pauses.
    """

    headers: Mapping[str, str]
    body: bytes
    is_slow: bool = False


class Samples:
    """Maker of requests, signed as the workbench signs deliveries.

    Args:
        clock: provides the time of requests.
        secret: the secret of the receiver.
        headers: the custom headers of each request.
    """

    def __init__(self, clock: Clock, secret: str, headers: Mapping[str, str]) -> None:
        self._headers = headers
        self._clock = clock
        self._secret = secret
        self._first_id = _make_message_id()

    def make(
        self,
        *secrets: str,
        message_id: str | None = None,
        minutes: float = 0,
        payload: dict[str, JsonValue] | None = None,
    ) -> Sample:
        """Return a valid delivery, changed by the arguments."""
        now = self._clock.now() + timedelta(minutes=minutes)
        message_id = message_id or _make_message_id()
        event = Event.uncaused(message_id, 1, "webhook_test", payload or {}, now)
        return self._sign(make_body(event), message_id, now.timestamp(), secrets)

    def make_first(self) -> Sample:
        """Return a delivery with the same id in each call."""
        return self.make(message_id=self._first_id)

    def make_changed(self) -> Sample:
        """Return a delivery whose body was changed after the signature."""
        sample = self.make(payload={"amount": 1})
        return Sample(sample.headers, sample.body.replace(b'"amount":1', b'"amount":9'))

    def make_without(self, names: Sequence[str]) -> Sample:
        """Return a delivery without some headers."""
        sample = self.make()
        kept = {name: value for name, value in sample.headers.items() if name not in names}
        return Sample(kept, sample.body)

    def make_malformed(self) -> Sample:
        """Return a delivery with malformed signatures."""
        sample = self.make()
        rubbish = {"webhook-signature": "rubbish", "X-ASI-Signature": "rubbish"}
        return Sample({**sample.headers, **rubbish}, sample.body)

    def make_slow(self) -> Sample:
        """Return a delivery with a slow body."""
        sample = self.make()
        return Sample(sample.headers, sample.body, is_slow=True)

    def make_unknown(self) -> Sample:
        """Return a delivery with an event type and fields that no receiver knows."""
        message_id, now = _make_message_id(), self._clock.now()
        event = Event.uncaused(message_id, 1, "webhook_test_unknown", {"new": [None, {}]}, now)
        body = orjson.dumps(orjson.loads(make_body(event)) | {"new": {"deep": [True]}})
        return self._sign(body, message_id, now.timestamp(), ())

    def _sign(self, body: bytes, message_id: str, at: float, secrets: tuple[str, ...]) -> Sample:
        keys = [SigningKey(secret) for secret in secrets or (self._secret,)]
        signed = sign(keys, message_id=message_id, timestamp=int(at), body=body)
        return Sample({**self._headers, **signed, "Content-Type": "application/json"}, body)


def _make_message_id() -> str:
    return str(uuid_utils.uuid7())

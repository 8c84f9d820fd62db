"""Sends messages to outside systems, and keeps what was sent."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import aiohttp
from peewee import IntegrityError
from yarl import URL

from biont import EventType, Schema, Service, Store, Transaction
from biont.clock import Clock
from biont.egress import EgressSession
from biont.exceptions import DeliveryFailed, ForbiddenAddress, NotFound
from biont_integrations.formats import format_message
from biont_integrations.settings import Connection, IntegrationsSettings
from biont_integrations.tables import SentMessage


class IntegrationConnected(Schema):
    """Which integration it is."""

    integration: str
    kind: str


INTEGRATION_CONNECTED = EventType(
    "integration_connected",
    IntegrationConnected,
    "An integration has taken its first message of a user.",
)


class Integrations:
    """The connections that the operator has set up.

    Args:
        settings: what they are.
        egress: the way out.
        store: where what was sent is kept.
        clock: says when.
    """

    def __init__(
        self, settings: IntegrationsSettings, egress: EgressSession, store: Store, clock: Clock
    ) -> None:
        self._settings = settings
        self._egress = egress
        self._store = store
        self._clock = clock

    @property
    def connections(self) -> Mapping[str, Connection]:
        """The connections by their names."""
        return self._settings.connections

    async def send(
        self, user_id: int, name: str, title: str, text: str, *, cause: str | None = None
    ) -> None:
        """Send a message; the first that a system takes is ``integration_connected``.

        Args:
            user_id: on whose behalf.
            name: which connection.
            title: a line.
            text: Markdown; what is too long for the system is cut.
            cause: the id of the event that is reported; it is sent once for each.

        Raises:
            NotFound: there is no such connection.
            DeliveryFailed: the system did not take it.
        """
        connection = self.connections.get(name)
        if connection is None:
            raise NotFound(f"there is no integration {name!r}; see plugins.integrations")
        if cause is not None and await self._store.read(_is_sent, name, cause):
            return
        await self._post(name, connection, title, text)
        await self._store.transact(
            _record, user_id, name, connection.kind, title, cause, self._clock.now()
        )

    async def _post(self, name: str, connection: Connection, title: str, text: str) -> None:
        post = format_message(connection.kind, URL(str(connection.url)), title, text)
        own = {key: value.get_secret_value() for key, value in connection.headers.items()}
        try:
            answer = await self._egress.post(
                post.url,
                body=post.body,
                headers={"Content-Type": "application/json", **own},
                timeout=self._settings.timeout,
                read=0,
            )
        except ForbiddenAddress as error:
            raise DeliveryFailed(f"integration {name!r}: {error}") from error
        except (aiohttp.ClientError, TimeoutError) as error:
            # The URL may be a secret, and aiohttp's messages may show it.
            raise DeliveryFailed(
                f"integration {name!r} cannot be reached: {type(error).__name__}"
            ) from None
        if not 200 <= answer.status < 300:  # the class of success
            raise DeliveryFailed(f"integration {name!r} has answered {answer.status}")


INTEGRATIONS = Service[Integrations]("integrations", provider="integrations")


def _is_sent(integration: str, cause: str) -> bool:
    sent = (SentMessage.integration == integration) & (SentMessage.cause == cause)
    return bool(SentMessage.select().where(sent).exists())


def _record(  # it is the row
    tx: Transaction,
    user_id: int,
    integration: str,
    kind: str,
    title: str,
    cause: str | None,
    now: datetime,
) -> None:
    known = SentMessage.of_user(user_id).where(SentMessage.integration == integration).exists()
    try:
        SentMessage.create(
            user=user_id, integration=integration, title=title, cause=cause, sent_at=now
        )
    except IntegrityError:
        return
    if not known:
        tx.emit(INTEGRATION_CONNECTED.name, user_id, {"integration": integration, "kind": kind})

"""Integrations: sends messages to outside systems, and records the sent messages.

A report with a `cause` (the event that it reports) is recorded after the system accepted it.
A repeated handler finds the record and sends nothing. A crash between the answer of the system
and the record leaves no record: the message is sent again, because a report that comes twice is
better than none.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from peewee import IntegrityError
from yarl import URL

from biont import EventType, Schema, Service, Store, Transaction
from biont.clock import Clock
from biont.egress import EgressSession
from biont.exceptions import DeliveryFailed, ForbiddenAddress, NotFound, RequestFailed
from biont_integrations.formats import format_message
from biont_integrations.settings import Connection, IntegrationsSettings
from biont_integrations.tables import SentMessage


class IntegrationConnected(Schema):
    """An integration that a user has used for the first time."""

    integration: str
    kind: str


INTEGRATION_CONNECTED = EventType(
    "integration_connected",
    IntegrationConnected,
    "An integration has taken its first message of a user.",
)


class Integrations:
    """Sender of messages through the operator's connections.

    Args:
        settings: the connections.
        egress: the HTTP client for outside systems.
        store: the store of sent messages.
        clock: the present time.
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
        """The connections by name."""
        return self._settings.connections

    async def send(
        self, user_id: int, name: str, title: str, text: str, *, cause: str | None = None
    ) -> None:
        """Send a message; emit ``integration_connected`` after the first message of a user.

        Args:
            user_id: the user on whose behalf the message is sent.
            name: the name of a connection.
            title: a title of one line.
            text: Markdown; truncated to the limit of the system.
            cause: the id of the event that the message reports; an event that was reported
                already is not sent again.

        Raises:
            NotFound: the connection does not exist.
            DeliveryFailed: the system did not accept the message.
        """
        connection = self.connections.get(name)
        if connection is None:
            raise NotFound(f"there is no integration {name!r}; see plugins.integrations")
        if cause is not None and await self._store.read(_was_reported, name, cause):
            return
        await self._post(name, connection, title, text)
        await self._store.transact(
            _record_message, user_id, name, connection.kind, title, cause, self._clock.now()
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
                read=0,  # only the status of the answer matters
            )
        except (ForbiddenAddress, RequestFailed) as error:
            raise DeliveryFailed(f"integration {name!r}: {error}") from error
        except TimeoutError:
            raise DeliveryFailed(f"integration {name!r} did not answer in time") from None
        if not 200 <= answer.status < 300:
            raise DeliveryFailed(f"integration {name!r} answered with status {answer.status}")


INTEGRATIONS = Service[Integrations]("integrations", provider="integrations")


def _was_reported(integration: str, cause: str) -> bool:
    sent = (SentMessage.integration == integration) & (SentMessage.cause == cause)
    return bool(SentMessage.select().where(sent).exists())


def _record_message(
    tx: Transaction,
    user_id: int,
    integration: str,
    kind: str,
    title: str,
    cause: str | None,
    now: datetime,
) -> None:
    # Before the insert: afterwards each user would have a message.
    known = SentMessage.of_user(user_id).where(SentMessage.integration == integration).exists()
    try:
        SentMessage.create(
            user=user_id, integration=integration, title=title, cause=cause, sent_at=now
        )
    except IntegrityError:
        return  # another attempt of the handler has recorded the same report
    if not known:
        tx.emit(INTEGRATION_CONNECTED.name, user_id, {"integration": integration, "kind": kind})

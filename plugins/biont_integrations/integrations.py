"""Integrations: sends messages to outside systems, and records the sent messages.

A message goes through a connection: an integration of the user, one that an administrator shares
with all users, or a connection of the operator's configuration, in this order of names.

A report with a `cause` (the event that it reports) is recorded after the system accepted it.
A repeated handler finds the record and sends nothing. A crash between the answer of the system
and the record leaves no record: the message is sent again, because a report that comes twice is
better than none.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import structlog
from peewee import IntegrityError
from pydantic import BaseModel, JsonValue

from biont import (
    INTEGRATION_KINDS,
    IntegrationContext,
    IntegrationKind,
    OutgoingMessage,
    Service,
    Transaction,
    Workbench,
)
from biont.exceptions import DeliveryFailed, NotFound
from biont.security import describe_exception
from biont_integrations.connections import decrypt_settings, find_by_name, list_visible
from biont_integrations.health import ConnectionHealth, Subject, record_failure, record_success
from biont_integrations.kind_settings import hide_secrets, load_settings, split_settings
from biont_integrations.settings import Connection, IntegrationsSettings
from biont_integrations.tables import Integration, SentMessage

_log = structlog.get_logger("biont.integrations")

_TEST = OutgoingMessage("Biont Workbench", "This is a test message: the integration works.")
_PATIENCE = 1.0
"""Seconds that a kind gets beyond the timeout, to end by its own."""


@dataclass(frozen=True)
class ConnectionTarget:
    """Connection through which a message goes.

    Attributes:
        subject: the name, the kind, and the user who gets the events.
        settings: the settings of the kind, with secrets in plain text.
    """

    subject: Subject
    settings: Mapping[str, JsonValue]


class Integrations:
    """Sender of messages through the connections of users and of the operator.

    Args:
        settings: the operator's connections.
        workbench: the workbench.
    """

    def __init__(self, settings: IntegrationsSettings, workbench: Workbench) -> None:
        self._settings = settings
        self._workbench = workbench
        self._store = workbench.store
        self._kinds = workbench.get(INTEGRATION_KINDS)
        self._file_health: defaultdict[str, ConnectionHealth] = defaultdict(ConnectionHealth)

    @property
    def file_connections(self) -> Mapping[str, Connection]:
        """The operator's connections by name."""
        return self._settings.connections

    def get_file_health(self, name: str) -> ConnectionHealth:
        """Return the health of an operator's connection since the start."""
        return self._file_health[name]

    def show_settings(self, row: Integration) -> tuple[dict[str, JsonValue], list[str]]:
        """Return the settings of an integration that may be shown, and the names of its secrets.

        Nothing is shown while the kind does not know the settings.
        """
        try:
            kind = self._find_kind(row.kind)
            settings = load_settings(kind, decrypt_settings(row, self._workbench.vault))
        except DeliveryFailed:
            return {}, []
        return split_settings(settings)

    async def list_names(self, user_id: int, *, reports: bool = False) -> list[str]:
        """Return the names of a user's connections, sorted; `reports` leaves out the others."""
        rows = await self._store.read(list_visible, user_id)
        found = {row.name: row.reports for row in reversed(rows)}
        found |= {name: each.reports for name, each in self.file_connections.items()}
        return sorted(name for name, has_reports in found.items() if has_reports or not reports)

    async def send(
        self, user_id: int, name: str, title: str, text: str, *, cause: str | None = None
    ) -> None:
        """Send a message, and record it.

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
        target = await self._store.read(self._find_target, user_id, name)
        if cause is not None and await self._store.read(_was_reported, name, cause):
            return
        await self._attempt(target, OutgoingMessage(title, text, cause), is_proof=False)
        await self._store.transact(
            self._record_message, target, user_id, title, cause, self._workbench.clock.now()
        )

    async def test(self, row: Integration) -> None:
        """Prove that an integration works, by its kind or by a message.

        Raises:
            DeliveryFailed: the integration does not work.
        """
        target = await self._store.read(self._make_target, row)
        await self._attempt(target, None, is_proof=True)
        await self._store.transact(
            record_success,
            target.subject,
            ConnectionHealth(),
            self._workbench.clock.now(),
            is_news=True,
        )

    def _find_target(self, user_id: int, name: str) -> ConnectionTarget:
        row = find_by_name(user_id, name)
        if row is not None:
            return self._make_target(row)
        connection = self.file_connections.get(name)
        if connection is None:
            raise NotFound(f"there is no integration {name!r}; see GET /api/v1/integrations")
        return ConnectionTarget(
            Subject(name, connection.kind, None, user_id), connection.kind_settings
        )

    def _make_target(self, row: Integration) -> ConnectionTarget:
        subject = Subject(row.name, row.kind, row.id, row.user_id)
        return ConnectionTarget(subject, decrypt_settings(row, self._workbench.vault))

    async def _attempt(
        self, target: ConnectionTarget, message: OutgoingMessage | None, *, is_proof: bool
    ) -> None:
        """Send a message, or without one make a test; record a failure.

        Raises:
            DeliveryFailed: the system did not accept the message.
        """
        subject = target.subject
        try:
            await self._call(target, message)
        except DeliveryFailed as error:
            await self._store.transact(
                record_failure,
                subject,
                self._file_health[subject.name] if subject.row_id is None else ConnectionHealth(),
                self._workbench.clock.now(),
                str(error),
                is_news=is_proof,
            )
            failed = DeliveryFailed(f"integration {subject.name!r}: {error}")
            failed.retry_after = error.retry_after
            raise failed from None

    async def _call(self, target: ConnectionTarget, message: OutgoingMessage | None) -> None:
        """Call the kind; each error becomes `DeliveryFailed`, without secrets."""
        kind = self._find_kind(target.subject.kind)
        settings = load_settings(kind, target.settings)
        timeout = self._settings.timeout
        context: IntegrationContext[BaseModel] = IntegrationContext(
            settings, self._workbench.egress, timeout, self._workbench.clock
        )
        try:
            async with asyncio.timeout(timeout + _PATIENCE):
                if message is None and kind.connect is not None:
                    await kind.connect(context)
                else:
                    await kind.send(context, message or _TEST)
        except DeliveryFailed as error:
            failed = DeliveryFailed(hide_secrets(str(error), settings))
            failed.retry_after = error.retry_after
            raise failed from None
        except TimeoutError:
            raise DeliveryFailed("the system did not answer in time") from None
        except Exception as error:  # noqa: BLE001  # a plugin may raise anything
            # The message of an unexpected error may quote a secret in any form: only for the log.
            reason = hide_secrets(describe_exception(error), settings)
            _log.warning("integration failed", integration=target.subject.name, reason=reason)
            raise DeliveryFailed(f"the kind failed with {type(error).__name__}") from None

    def _find_kind(self, name: str) -> IntegrationKind:
        kind = self._kinds.get(name)
        if kind is None:
            raise DeliveryFailed(f"no running plugin has the kind {name!r}")
        return kind

    def _record_message(
        self,
        tx: Transaction,
        target: ConnectionTarget,
        user_id: int,
        title: str,
        cause: str | None,
        now: datetime,
    ) -> None:
        subject = target.subject
        # Before the insert: afterwards each user would have a message.
        is_known = (
            SentMessage.of_user(user_id).where(SentMessage.integration == subject.name).exists()
        )
        try:
            SentMessage.create(
                user=user_id, integration=subject.name, title=title, cause=cause, sent_at=now
            )
        except IntegrityError:
            return  # another attempt of the handler has recorded the same report
        is_first = subject.row_id is None and not is_known
        health = self._file_health[subject.name] if subject.row_id is None else ConnectionHealth()
        record_success(tx, subject, health, now, is_news=is_first)


INTEGRATIONS = Service[Integrations]("integrations", provider="integrations")


def _was_reported(integration: str, cause: str) -> bool:
    sent = (SentMessage.integration == integration) & (SentMessage.cause == cause)
    return bool(SentMessage.select().where(sent).exists())

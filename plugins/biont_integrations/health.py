"""Health of integrations: the latest success and failure of each, and the events that follow."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from biont import Transaction
from biont_integrations.event_types import INTEGRATION_CONNECTED, INTEGRATION_FAILED
from biont_integrations.tables import Integration


@dataclass
class ConnectionHealth:
    """Health of a connection.

    Attributes:
        last_success_at: the instant of the latest message or test that succeeded.
        last_failure_at: the instant of the latest message or test that failed.
        last_error: the reason of the latest failure.
        failing: whether the latest message or test failed.
    """

    last_success_at: datetime | None = None
    last_failure_at: datetime | None = None
    last_error: str | None = None
    failing: bool = False


@dataclass(frozen=True)
class Subject:
    """Connection whose health is recorded.

    Attributes:
        name: the name.
        kind: the name of the kind.
        row_id: the number of the integration; None for a connection of the operator.
        user_id: the user who gets the events.
    """

    name: str
    kind: str
    row_id: int | None
    user_id: int


def record_success(
    tx: Transaction, subject: Subject, health: ConnectionHealth, now: datetime, *, is_news: bool
) -> None:
    """Record that a message or test succeeded.

    Emits ``integration_connected`` for news, such as a test, and for a success after a failure.
    """

    def update(known: ConnectionHealth) -> bool:
        is_first = subject.row_id is not None and known.last_success_at is None
        is_change = is_news or known.failing or is_first
        known.last_success_at, known.failing = now, False
        return is_change

    if _update(subject, health, update):
        payload = {
            "integration": subject.name,
            "kind": subject.kind,
            "integration_id": subject.row_id,
        }
        tx.emit(INTEGRATION_CONNECTED.name, subject.user_id, payload)


def record_failure(
    tx: Transaction,
    subject: Subject,
    health: ConnectionHealth,
    now: datetime,
    reason: str,
    *,
    is_news: bool,
) -> None:
    """Record that a message or test failed.

    Emits ``integration_failed`` for news, such as a test, and for the first failure.
    """

    def update(known: ConnectionHealth) -> bool:
        is_change = is_news or not known.failing
        known.last_failure_at, known.last_error, known.failing = now, reason, True
        return is_change

    if _update(subject, health, update):
        payload = {
            "integration": subject.name,
            "kind": subject.kind,
            "integration_id": subject.row_id,
            "reason": reason,
        }
        tx.emit(INTEGRATION_FAILED.name, subject.user_id, payload)


def get_health(row: Integration) -> ConnectionHealth:
    """Return the health of an integration."""
    return ConnectionHealth(row.last_success_at, row.last_failure_at, row.last_error, row.failing)


def _update(
    subject: Subject, health: ConnectionHealth, update: Callable[[ConnectionHealth], bool]
) -> bool:
    """Change the health of a connection; return whether the change is an event.

    `health` is that of an operator's connection, which is kept in memory.
    """
    if subject.row_id is None:
        return update(health)
    row = Integration.get_or_none(Integration.id == subject.row_id)
    if row is None:
        return False  # deleted meanwhile
    known = get_health(row)
    is_change = update(known)
    row.last_success_at, row.last_failure_at = known.last_success_at, known.last_failure_at
    row.last_error, row.failing = known.last_error, known.failing
    row.save(only=["last_success_at", "last_failure_at", "last_error", "failing"])
    return is_change

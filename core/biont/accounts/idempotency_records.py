"""Idempotency records: the requests of API keys that took effect, with their answers.

    (none) --first write of the request commits--> claimed --answer stored--> answered

A claimed row is inserted in the transaction of the effect. A crash before the commit leaves
neither row nor effect, and a repeated request is the first one. A crash after the commit leaves a
claimed row without an answer: the effect exists, and a repeated request is refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from peewee import AutoField, ForeignKeyField, TextField

from biont.accounts.key_records import ApiKey
from biont.store.database import InstantField, Table, execute_sql, format_instant
from biont.store.retention import SLICE_ROWS


class IdempotencyRecord(Table):
    """A request that took effect.

    Attributes:
        key: the API key of the request.
        name: the idempotency key, as the client chose it.
        fingerprint: the digest of method, path and body.
        location: the path of the created object, if known.
        answer: the encrypted answer; None until the request is answered.
        created_at: the instant of the request.
    """

    id = AutoField()
    key = ForeignKeyField(ApiKey, on_delete="CASCADE")
    name = TextField()
    fingerprint = TextField()
    location = TextField(null=True)
    answer = TextField(null=True)
    created_at = InstantField()

    class Meta:
        table_name = "idempotency_records"


@dataclass(frozen=True, slots=True)
class RequestMark:
    """The identity of a request with an idempotency key.

    Attributes:
        key_id: the API key of the request.
        name: the idempotency key.
        fingerprint: the digest of method, path and body.
        created_at: the instant of the request.
    """

    key_id: int
    name: str
    fingerprint: str
    created_at: datetime


def save_request(
    mark: RequestMark, location: str | None = None, answer: str | None = None
) -> None:
    """Insert the record of a request, or add to it the parts that are given."""
    # A request may write several times, and its first write may have been undone.
    execute_sql(
        "INSERT INTO idempotency_records"
        " (key_id, name, fingerprint, location, answer, created_at) VALUES (?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (key_id, name) DO UPDATE SET"
        " location = coalesce(excluded.location, location),"
        " answer = coalesce(excluded.answer, answer)",
        mark.key_id,
        mark.name,
        mark.fingerprint,
        location,
        answer,
        format_instant(mark.created_at),
    )


def find_request(key_id: int, name: str) -> IdempotencyRecord | None:
    """Return the record of an idempotency key."""
    return IdempotencyRecord.get_or_none(
        IdempotencyRecord.key == key_id, IdempotencyRecord.name == name
    )


def delete_request(record_id: int) -> None:
    """Delete a record, so that its idempotency key is free again."""
    IdempotencyRecord.delete().where(IdempotencyRecord.id == record_id).execute()


def delete_old_requests(before: datetime) -> int:
    """Delete a slice of the records from before an instant; return the number of rows."""
    return execute_sql(
        "DELETE FROM idempotency_records WHERE id IN (SELECT id FROM idempotency_records"
        " WHERE created_at < ? ORDER BY created_at LIMIT ?)",
        format_instant(before),
        SLICE_ROWS,
    ).rowcount

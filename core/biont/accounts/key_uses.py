"""Uses of API keys: the routes, event types and models that each key has really used.

Uses are counted in memory, because thousands of events a second leave no time for a write, and
added to the table once a minute and at the stop. A crash loses the counts of the last minute.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import StrEnum

from peewee import AutoField, ForeignKeyField, IntegerField, TextField

from biont.accounts.key_records import ApiKey
from biont.clock import Clock
from biont.store.companion import bookkeeping
from biont.store.database import InstantField, Table, dump_json, execute_sql, format_instant
from biont.store.store import Store

_MOST_NAMES = 200
"""The most event types, or models, of one key; a key that uses more is taken to use all."""

_MOST_IN_MEMORY = 10_000
"""The most counts of event types and models until the next save."""

_ADD = """
    INSERT INTO key_uses (key_id, kind, name, count, last_used_at)
    SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, ? FROM json_each(?)
    WHERE value ->> 0 IN (SELECT id FROM api_keys)
    ON CONFLICT (key_id, kind, name) DO UPDATE
    SET count = count + excluded.count, last_used_at = excluded.last_used_at
"""
_COUNT_NAMES = (
    "SELECT key_id, kind, count(*) FROM key_uses WHERE kind <> 'route'"
    " AND key_id IN (SELECT value FROM json_each(?)) GROUP BY key_id, kind HAVING count(*) > ?"
)


class UseKind(StrEnum):
    """Kind of a use."""

    ROUTE = "route"
    EVENT = "event"
    MODEL = "model"


class KeyUse(Table):
    """Use of an API key.

    Attributes:
        kind: a `UseKind`.
        name: the method and path of a route, a pattern of event types, or a model.
        count: the number of uses.
        last_used_at: the instant at which the last use was stored, a minute later at most.
    """

    id = AutoField()
    key = ForeignKeyField(ApiKey, on_delete="CASCADE")
    key_id: int
    kind = TextField()
    name = TextField()
    count = IntegerField()
    last_used_at = InstantField()

    class Meta:
        table_name = "key_uses"


class KeyUses:
    """Counts of uses since the last save.

    Args:
        store: the store of the uses.
        clock: stamps the uses.
    """

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._routes: dict[str, dict[int, int]] = {}
        self._names: defaultdict[tuple[int, UseKind, str], int] = defaultdict(int)

    def make_counter(self, route: str) -> dict[int, int]:
        """Return the counter of a route by key, in which the route counts its requests."""
        return self._routes.setdefault(route, {})

    def note_events(self, key_id: int, patterns: Iterable[str]) -> None:
        """Count the use of event types."""
        for pattern in patterns:
            self._note(key_id, UseKind.EVENT, pattern)

    def note_model(self, key_id: int, model: str) -> None:
        """Count the use of a model."""
        self._note(key_id, UseKind.MODEL, model)

    def _note(self, key_id: int, kind: UseKind, name: str) -> None:
        use = (key_id, kind, name)
        if len(self._names) >= _MOST_IN_MEMORY and use not in self._names:
            use = (key_id, kind, "*")
        self._names[use] += 1

    async def save(self) -> None:
        """Add the counts to the table."""
        rows = [(*use, count) for use, count in self._names.items()]
        self._names.clear()
        for name, counter in self._routes.items():
            rows += [(key_id, UseKind.ROUTE, name, count) for key_id, count in counter.items()]
            counter.clear()
        if rows:
            # No effect of the request that may have caused the save.
            with bookkeeping():
                await self._store.write(_add_uses, rows, self._clock.now())

    async def read(self, key_ids: Sequence[int]) -> dict[int, list[KeyUse]]:
        """Return the uses of keys, the most frequent first."""
        await self.save()
        found: dict[int, list[KeyUse]] = {key_id: [] for key_id in key_ids}
        for use in await self._store.read(_select_uses, key_ids):
            found[use.key_id].append(use)
        return found


def _add_uses(rows: Sequence[tuple[int, UseKind, str, int]], now: datetime) -> None:
    execute_sql(_ADD, format_instant(now), dump_json(rows))
    key_ids = dump_json(sorted({row[0] for row in rows}))
    for key_id, kind, _ in execute_sql(_COUNT_NAMES, key_ids, _MOST_NAMES).fetchall():
        query = KeyUse.select().where(KeyUse.key == key_id, KeyUse.kind == kind)
        count = sum(use.count for use in query)
        KeyUse.delete().where(KeyUse.key == key_id, KeyUse.kind == kind).execute()
        row = (key_id, kind, "*", count)
        execute_sql(_ADD, format_instant(now), dump_json([row]))


def _select_uses(key_ids: Sequence[int]) -> list[KeyUse]:
    uses = list(KeyUse.select().where(KeyUse.key.in_(key_ids)))
    # Here: a key has a few hundred uses, and no index is in the order of the counts.
    return sorted(uses, key=lambda use: (-use.count, use.id))

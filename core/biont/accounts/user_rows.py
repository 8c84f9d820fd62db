"""Rows of a user in all tables: their export, and their deletion in slices.

The tables are found by their models: a table with a column ``user_id``, and the tables whose rows
refer to such rows. So the tables of plugins are exported and deleted too.
Children are deleted before their parents, in slices: a cascade over millions of deliveries would
stop all other writes.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import orjson
from peewee import ForeignKeyField

from biont.accounts.user_records import User
from biont.store.database import Table, dump_json, execute_sql

_REDACTED = "[redacted]"
# A token of the vault (Fernet), alone or within other text.
_TOKEN = re.compile(r"gAAAA[A-Za-z0-9_=-]{95,}")
# Digests are no secrets of the user, but of use to those who guess.
_HIDDEN = {"digest", "token_hash"}


@dataclass(frozen=True, slots=True)
class RowSource:
    """Rows of users in one table.

    Attributes:
        table: the name of the table.
        condition: the condition of the rows of one user, with a parameter.
        is_kept: whether the rows stay when the user is deleted.
        shared: the table, its key and the column here that refers to rows which end with the
            last row that refers to them; None for none.
    """

    table: str
    condition: str
    is_kept: bool
    shared: tuple[str, str, str] | None = None


def list_sources() -> list[RowSource]:
    """Return the tables with rows of users, each before the tables that refer to its rows."""
    names = {
        name for (name,) in execute_sql("SELECT name FROM sqlite_schema WHERE type = 'table'")
    }
    found: dict[str, RowSource] = {}
    owned = [model for model in _list_models(Table) if _has_user(model) and _name(model) in names]
    # Keys after the rest in a deletion: records of other tables name them.
    owned.sort(key=lambda model: (_name(model) != "api_keys", _name(model)))
    for model in owned:
        is_kept = model.keeps_rows_of_deleted_users
        found[_name(model)] = RowSource(_name(model), "user_id = ?", is_kept)
    for model in owned:
        _add_children(model, found, names)
    return list(found.values())


def list_tables(column: str) -> list[str]:
    """Return the tables with a column that refers to no row by a foreign key.

    Rows of such tables name rows of others, without a database that looks after the reference.
    """
    names = {
        name for (name,) in execute_sql("SELECT name FROM sqlite_schema WHERE type = 'table'")
    }
    return sorted(
        _name(model)
        for model in _list_models(Table)
        if _name(model) in names
        and (field := _columns(model).get(column)) is not None
        and not isinstance(field, ForeignKeyField)
    )


def read_rows(user_id: int, source: RowSource, after: int, limit: int) -> list[tuple[int, bytes]]:
    """Return rows of a user as JSON, each with its number, after the number `after`."""
    # NOT INDEXED, because each page would sort all rows that an index has found.
    cursor = execute_sql(
        f'SELECT rowid AS "row number", * FROM "{source.table}" NOT INDEXED WHERE rowid > ?'  # noqa: S608  # names of tables, from our models
        f" AND {source.condition} ORDER BY rowid LIMIT ?",
        after,
        user_id,
        limit,
    )
    names = [column[0] for column in cursor.description]
    return [
        (row[0], orjson.dumps({"table": source.table, "row": dict(_to_json(names[1:], row[1:]))}))
        for row in cursor.fetchall()
    ]


def read_user(user_id: int) -> bytes:
    """Return the row of a user as JSON."""
    source = RowSource("users", "id = ?", is_kept=False)
    ((_, line),) = read_rows(user_id, source, 0, 1)
    return line


def delete_user(user_id: int, limit: int) -> int:
    """Delete up to `limit` rows of a user; with the last rows also the user, and return 0."""
    deleted = delete_rows(user_id, limit)
    if not deleted:
        User.delete().where(User.id == user_id).execute()
    return deleted


def has_rows(user_id: int) -> bool:
    """Return whether a user has rows that `delete_user` deletes before the user."""
    return any(
        execute_sql(
            f'SELECT 1 FROM "{source.table}" WHERE {source.condition} LIMIT 1',  # noqa: S608  # names of tables, as above
            user_id,
        ).fetchone()
        for source in list_sources()
        if not source.is_kept
    )


def delete_rows(user_id: int, limit: int) -> int:
    """Delete up to `limit` rows of a user; return their number, 0 if none is left."""
    for source in reversed(list_sources()):
        if source.is_kept:
            continue
        deleted = _delete_from(source, user_id, limit)
        if deleted:
            return deleted
    return 0


def _delete_from(source: RowSource, user_id: int, limit: int) -> int:
    table, key, column = source.shared or ("", "", "rowid")
    rows = execute_sql(
        f'DELETE FROM "{source.table}" WHERE rowid IN (SELECT rowid FROM "{source.table}"'  # noqa: S608  # names of tables, as above
        f' WHERE {source.condition} LIMIT ?) RETURNING "{column}"',
        user_id,
        limit,
    ).fetchall()
    if rows and source.shared:
        execute_sql(
            f'DELETE FROM "{table}" WHERE "{key}" IN (SELECT value FROM json_each(?)) AND NOT'  # noqa: S608  # names of tables, as above
            f' EXISTS (SELECT 1 FROM "{source.table}" WHERE "{column}" = "{table}"."{key}")',
            dump_json([value for (value,) in rows]),
        )
    return len(rows)


def _list_models(base: type[Table]) -> Iterator[type[Table]]:
    for model in base.__subclasses__():
        yield from _list_models(model)
        if not _is_abstract(model):
            yield model


def _is_abstract(model: type[Table]) -> bool:
    return bool(model.__subclasses__())


def _has_user(model: type[Table]) -> bool:
    return "user_id" in _columns(model) and model is not User


def _columns(model: type[Table]) -> Mapping[str, object]:
    columns: Mapping[str, object] = model._meta.columns  # noqa: SLF001  # peewee has no public way to a model's columns
    return columns


def _name(model: type[Table]) -> str:
    return str(model._meta.table_name)  # noqa: SLF001  # peewee has no public way to a model's columns


def _add_children(model: type[Table], found: dict[str, RowSource], names: set[str]) -> None:
    parent = found[_name(model)]
    for child in _list_models(Table):
        if _name(child) in found or _name(child) not in names:
            continue
        for field in child._meta.sorted_fields:  # noqa: SLF001  # peewee has no public way to a model's columns
            if isinstance(field, ForeignKeyField) and field.rel_model is model:
                key = field.rel_field.column_name
                condition = (
                    f'"{field.column_name}" IN (SELECT "{key}" FROM "{parent.table}"'  # noqa: S608  # names of columns and tables, from our models
                    f" WHERE {parent.condition})"
                )
                found[_name(child)] = RowSource(
                    _name(child), condition, parent.is_kept, _find_shared(child)
                )
                _add_children(child, found, names)
                break


def _find_shared(model: type[Table]) -> tuple[str, str, str] | None:
    for field in model._meta.sorted_fields:  # noqa: SLF001  # peewee has no public way to a model's columns
        if isinstance(field, ForeignKeyField) and field.rel_model.ends_with_referrers:
            return _name(field.rel_model), field.rel_field.column_name, field.column_name
    return None


def _to_json(names: list[str], values: tuple[object, ...]) -> Iterator[tuple[str, object]]:
    for name, value in zip(names, values, strict=True):
        if name in _HIDDEN:
            yield name, _REDACTED
        elif isinstance(value, str):
            yield name, _TOKEN.sub(_REDACTED, value)
        elif isinstance(value, bytes):
            yield name, base64.b64encode(value).decode()
        else:
            yield name, value

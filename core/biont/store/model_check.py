"""Model check: compares the models of a plugin with the tables that its migrations have made.

A model and a migration are written by hand, and a difference would show only at the first use of
the table. The check finds the differences that make a statement fail: a table or column that is
missing, text where the model has numbers, a column that must have a value of which the model
knows nothing, and columns that are not unique although the model says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from peewee import Database, Field, Model

from biont.exceptions import PluginError

_TEXT = ("CHAR", "CLOB", "TEXT")
_NUMBER = ("INT", "REAL", "FLOA", "DOUB", "AUTO")  # peewee calls the type of its own ids AUTO


class _Column(NamedTuple):
    """Column as SQLite describes the column."""

    name: str
    type: str
    is_required: bool
    has_default: bool
    is_key: bool


def check_models(database: Database, models: Sequence[type[Model]]) -> None:
    """Check that the tables of all `models` fit.

    Raises:
        PluginError: a table does not fit; the message has all differences.
    """
    tables = {name.lower(): name for name in database.get_tables()}
    problems = [
        problem for model in models for problem in _find_differences(database, model, tables)
    ]
    if problems:
        raise PluginError("; ".join(problems))


def _find_differences(
    database: Database, model: type[Model], tables: dict[str, str]
) -> Iterator[str]:
    meta = model._meta  # noqa: SLF001  # peewee's way
    table = str(meta.table_name)
    if table.lower() not in tables:
        similar = tables.get(table.replace("_", "").lower())
        hint = f"; there is a table {similar!r}" if similar else ""
        yield (
            f"the model {model.__name__} has the table {table!r}, which no migration has "
            f"made{hint} (set table_name in the Meta of both models)"
        )
        return
    columns = {column.name: column for column in _read_columns(database, table)}
    uniques = _read_uniques(database, table)
    uniques.add(frozenset(name for name, column in columns.items() if column.is_key))
    missing = [
        names
        for names in _list_uniques(model)
        if columns.keys() >= set(names) and frozenset(names) not in uniques
    ]
    for field in meta.sorted_fields:
        column = columns.pop(field.column_name, None)
        if column is None:
            yield f"the table {table!r} has no column {field.column_name!r}"
        elif problem := _compare(field, column):
            yield f"the column {table}.{field.column_name} {problem}"
    for names in missing:
        yield f"the table {table!r} has no unique index of {', '.join(names)}, as the model needs"
    for column in columns.values():
        if column.is_required and not column.has_default and not column.is_key:
            yield (
                f"the column {table}.{column.name} must have a value, and the model "
                f"{model.__name__} has no such field"
            )


def _read_columns(database: Database, table: str) -> Iterator[_Column]:
    # `xinfo`, because a generated column is a column too.
    rows = database.execute_sql("SELECT * FROM pragma_table_xinfo(?)", (table,)).fetchall()
    for _, name, kind, is_required, default, key, _ in rows:
        yield _Column(name, kind.upper(), bool(is_required), default is not None, bool(key))


def _read_uniques(database: Database, table: str) -> set[frozenset[str]]:
    """Return the columns of each unique index of a whole table."""
    rows = database.execute_sql(
        "SELECT l.name, i.name FROM pragma_index_list(?) AS l, pragma_index_info(l.name) AS i "
        'WHERE l."unique" AND NOT l.partial',
        (table,),
    ).fetchall()
    found: dict[str, set[str]] = {}
    for index, column in rows:
        found.setdefault(index, set()).add(column)
    return {frozenset(columns) for columns in found.values()}


def _list_uniques(model: type[Model]) -> Iterator[Sequence[str]]:
    """Yield the columns of the primary key, and of each unique index that the model has."""
    meta = model._meta  # noqa: SLF001  # peewee's way
    yield [field.column_name for field in meta.get_primary_keys()]
    for field in meta.sorted_fields:
        if field.unique and not field.primary_key:
            yield [field.column_name]
    for index in meta.indexes:
        # An index of another form, such as `peewee.ModelIndex`, may be partial.
        if isinstance(index, tuple | list) and index[1]:
            yield [meta.combined[name].column_name for name in index[0]]


def _compare(field: Field, column: _Column) -> str | None:
    if field.null and column.is_required and not column.is_key:
        return "must have a value, and the model allows null"
    expected = str(field.field_type).upper()
    for one, other in ((_TEXT, _NUMBER), (_NUMBER, _TEXT)):
        if _is_of(expected, one) and _is_of(column.type, other):
            return f"has the type {column.type}, and the model has {expected}"
    return None


def _is_of(kind: str, parts: Sequence[str]) -> bool:
    return any(part in kind for part in parts)

"""Unique ids: adds AUTOINCREMENT to tables, so that no id is given twice.

SQLite gives the id of the deleted newest row to the next row, unless the primary key has
AUTOINCREMENT. A repeated `DELETE` would then delete a row of somebody else, and records that
name an id would mean two rows.

AUTOINCREMENT changes nothing in the stored rows: SQLite only keeps the highest id of the table in
the table ``sqlite_sequence``. So the text of the table's definition is edited in place, as
https://sqlite.org/lang_altertable.html describes. That takes the same short time for ten rows and
for ten million, and keeps references, indexes, triggers and full-text tables. A copy of the table
would delete the rows of all tables that refer to the old one, because foreign keys cannot be
turned off inside a transaction.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator

from peewee import Database

_PRIMARY_KEY = re.compile(
    # Text that may have the two words but does not mean them: strings, names and comments.
    r"""'(?:[^']|'')*' | "(?:[^"]|"")*" | `[^`]*` | \[[^\]]*\] | --[^\n]* | /\*.*?\*/ """
    # A constraint of the table or of the column, up to the place of the word AUTOINCREMENT.
    r"""| (?P<key> \bPRIMARY\s+KEY\s* (?: \( [^(),]*? (?=\s*\))
        | (?:\bASC\b)? (?:\s*\bON\s+CONFLICT\s+\w+)? (?!\s*\bDESC\b) ))""",
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)


def add_autoincrement(database: Database) -> None:
    """Add AUTOINCREMENT to all tables that SQLite numbers; call inside a transaction.

    These are the tables with one column ``INTEGER PRIMARY KEY``. Virtual tables, their shadow
    tables and tables WITHOUT ROWID stay as they are.
    """
    connection = database.connection()
    changed = dict(_find_changes(connection))
    if not changed:
        return
    _make_sequence_table(connection)
    connection.execute("PRAGMA writable_schema = ON")
    try:
        for table, definition in changed.items():
            connection.execute(
                "UPDATE sqlite_schema SET sql = ? WHERE type = 'table' AND name = ?",
                (definition, table),
            )
        # Other connections read the definitions again when this number changes.
        (number,) = connection.execute("PRAGMA schema_version").fetchone()
        connection.execute(f"PRAGMA schema_version = {number + 1}")
    finally:
        # This connection reads the definitions again.
        connection.execute("PRAGMA writable_schema = RESET")
    for table in changed:
        _advance(connection, table, _find_last_id(connection, table))


def advance_ids(database: Database, table: str, last: int | None) -> None:
    """Give new rows of `table` ids above `last`; call inside a migration.

    For ids that another table mentions, although their rows may be deleted.

    Args:
        database: the database that the migration gets.
        table: a table that may be missing: the ids are then those of the table to come.
        last: the highest id that is known; None for no id.
    """
    connection = database.connection()
    _make_sequence_table(connection)
    _advance(connection, table, last)


def _find_changes(connection: sqlite3.Connection) -> Iterator[tuple[str, str]]:
    """Yield each table without AUTOINCREMENT that needs it, with its new definition."""
    tables = connection.execute(
        "SELECT schema.name, schema.sql FROM pragma_table_list AS list"
        " JOIN sqlite_schema AS schema ON schema.type = 'table' AND schema.name = list.name"
        " WHERE list.schema = 'main' AND list.type = 'table' AND list.wr = 0"
        " AND substr(schema.name, 1, 7) <> 'sqlite_' AND schema.sql NOT LIKE '%autoincrement%'"
        " AND (SELECT count(*) = 1 AND upper(max(type)) = 'INTEGER'"
        " FROM pragma_table_info(schema.name) WHERE pk)"
    ).fetchall()
    for table, definition in tables:
        for match in _PRIMARY_KEY.finditer(definition):
            if match["key"] is not None:
                end = match.end()
                yield table, f"{definition[:end].rstrip()} AUTOINCREMENT{definition[end:]}"


def _make_sequence_table(connection: sqlite3.Connection) -> None:
    """Let SQLite make its table of the highest ids, which no statement can make directly."""
    if connection.execute("PRAGMA table_info(sqlite_sequence)").fetchone() is None:
        connection.execute("CREATE TABLE biont_sequence (id INTEGER PRIMARY KEY AUTOINCREMENT)")
        connection.execute("DROP TABLE biont_sequence")


def _find_last_id(connection: sqlite3.Connection, table: str) -> int | None:
    name = table.replace('"', '""')
    row = connection.execute(f'SELECT max(rowid) FROM "{name}"').fetchone()  # noqa: S608  # quoted
    last: int | None = row[0]
    return last


def _advance(connection: sqlite3.Connection, table: str, last: int | None) -> None:
    if last is None:
        return
    known = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = ?", (table,))
    row = known.fetchone()
    if row is None:
        connection.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", (table, last))
    else:
        connection.execute(
            "UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = ?", (last, table)
        )

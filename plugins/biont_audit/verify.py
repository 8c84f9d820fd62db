"""Verification: checks the event log against its hash chain, from anchor to head."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from biont.store import execute_sql
from biont_audit.chain import Link, Row, hash_row
from biont_audit.tables import LogEntry

_SLICE = 1000
"""Entries per read. A long read keeps SQLite from truncating its write-ahead log."""

_BEFORE_ALL = Link(-(2**63), "")
_NO_ENDS = "the row with the beginning and the end of the log is missing"
# The ends and the entries in one statement, so that both are from the same moment: the
# workbench may append and delete between two reads.
_READ = """
    SELECT anchor_number, anchor_hash, head_number, head_hash, number, event_id, user_id,
        event_type, payload, created_at, correlation_id, causation_id, hops, origin, hash
    FROM event_log_ends LEFT JOIN event_logs ON number > ?
    ORDER BY number LIMIT ?
"""


@dataclass(frozen=True)
class ChainReport:
    """Result of a verification.

    Attributes:
        checked: the number of entries that passed.
        last: the last entry that passed, or the beginning of the log.
        problem: the problem of the next entry; None if the log is whole.
    """

    checked: int
    last: Link
    problem: str | None


@dataclass(frozen=True)
class _ChainSlice:
    anchor: Link
    head: Link
    entries: Sequence[tuple[Row, str]]


def verify_chain(expected: Link | None = None) -> ChainReport:
    """Check every entry of the log, inside a store function.

    Args:
        expected: an entry of an earlier verification, which must still be there unchanged.
    """
    _accept_invalid_text()
    last, checked = _BEFORE_ALL, 0
    while True:
        part = _read_slice(last.number)
        if part is None:
            return ChainReport(checked, last, _NO_ENDS)
        # At the beginning, or after retention has overtaken this verification.
        if last.number < part.anchor.number:
            last = part.anchor
        for row, stored_hash in part.entries:
            problem = _find_problem(last, row, stored_hash, part.head, expected)
            if problem is not None:
                return ChainReport(checked, last, problem)
            last = Link(row[0], stored_hash)
            checked += 1
        if len(part.entries) < _SLICE:
            return ChainReport(checked, last, _find_problem_at_end(last, part.head, expected))


def _accept_invalid_text() -> None:
    # Text that is not UTF-8 was never logged. The verification has to report the entry; by
    # default the driver raises an error, which would end the verification.
    connection = LogEntry._meta.database.connection()  # noqa: SLF001  # peewee's way
    connection.text_factory = lambda text: text.decode(errors="surrogateescape")


def _read_slice(after: int) -> _ChainSlice | None:
    rows = execute_sql(_READ, after, _SLICE).fetchall()
    if not rows:
        return None
    anchor_number, anchor_hash, head_number, head_hash, *_ = rows[0]
    entries = [(row[4:-1], row[-1]) for row in rows if row[4] is not None]
    return _ChainSlice(Link(anchor_number, anchor_hash), Link(head_number, head_hash), entries)


def _find_problem(
    last: Link, row: Row, stored_hash: str, head: Link, expected: Link | None
) -> str | None:
    number = row[0]
    if number <= last.number:
        return f"number {number} was inserted before the beginning of the log"
    if number > last.number + 1:
        return f"number {last.number + 1} is missing"
    if number > head.number:
        return f"number {number} was inserted after the end of the log"
    if not _has_hash(last, row, stored_hash):
        return f"number {number} does not match its hash"
    if expected is not None and number == expected.number and stored_hash != expected.hash:
        return f"number {number} is not the expected entry"
    return None


def _has_hash(last: Link, row: Row, stored_hash: str) -> bool:
    try:
        return hash_row(last.hash, row) == stored_hash
    except TypeError:  # SQLite stores any type in any column
        return False


def _find_problem_at_end(last: Link, head: Link, expected: Link | None) -> str | None:
    if last.number < head.number:
        return f"the end is missing, from number {last.number + 1} to {head.number}"
    if last != head:
        return f"number {last.number} is not the entry that was logged last"
    if expected is not None and expected.number > last.number:
        return f"number {expected.number} is expected, and is missing"
    return None

"""Holds the log against its chain, from one end to the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from biont_audit.chain import Link, Row, hash_row
from biont_audit.tables import LogEntry, execute

_SLICE = 1000
"""How many entries are read at once: a read that lasts keeps the database from shrinking."""

_BEFORE_ALL = Link(-(2**63), "")
_NO_ENDS = "the row that says where the log begins and ends is missing"
_READ = """
    SELECT anchor_number, anchor_hash, head_number, head_hash, number, event_id, user_id,
        event_type, payload, created_at, correlation_id, causation_id, hops, hash
    FROM event_log_ends LEFT JOIN event_logs ON number > ?
    ORDER BY number LIMIT ?
"""


@dataclass(frozen=True)
class ChainVerdict:
    """What a check of the log has come to.

    Attributes:
        checked: how many entries are as they were logged.
        last: the last of them, or where the log begins.
        problem: what is wrong with the next one; None when all is well.
    """

    checked: int
    last: Link
    problem: str | None


@dataclass(frozen=True)
class _Part:
    anchor: Link
    head: Link
    entries: Sequence[tuple[Row, str]]


def verify(expected: Link | None = None) -> ChainVerdict:
    """Check every entry; for use where tables may be read.

    Args:
        expected: an entry that was there at an earlier check, as it was then.
    """
    _let_any_text_be_read()
    last, checked = _BEFORE_ALL, 0
    while True:
        part = _read(last.number)
        if part is None:
            return ChainVerdict(checked, last, _NO_ENDS)
        if last.number < part.anchor.number:  # the beginning, or retention has gone on meanwhile
            last = part.anchor
        for row, stored_hash in part.entries:
            problem = _judge(last, row, stored_hash, part.head, expected)
            if problem is not None:
                return ChainVerdict(checked, last, problem)
            last = Link(row[0], stored_hash)
            checked += 1
        if len(part.entries) < _SLICE:
            return ChainVerdict(checked, last, _judge_end(last, part.head, expected))


def _let_any_text_be_read() -> None:
    # What is no UTF-8 was never logged; it has to be found, and not to end the check.
    connection = LogEntry._meta.database.connection()  # noqa: SLF001  # peewee's way
    connection.text_factory = lambda text: text.decode(errors="surrogateescape")


def _read(after: int) -> _Part | None:
    rows = execute(_READ, [after, _SLICE]).fetchall()
    if not rows:
        return None
    anchor_number, anchor_hash, head_number, head_hash, *_ = rows[0]
    entries = [(row[4:-1], row[-1]) for row in rows if row[4] is not None]
    return _Part(Link(anchor_number, anchor_hash), Link(head_number, head_hash), entries)


def _judge(
    last: Link, row: Row, stored_hash: str, head: Link, expected: Link | None
) -> str | None:
    number = row[0]
    if number <= last.number:
        return f"number {number} was put in before the beginning of the log"
    if number > last.number + 1:
        return f"number {last.number + 1} is missing"
    if number > head.number:
        return f"number {number} was put in behind the end of the log"
    if not _fits(last, row, stored_hash):
        return f"number {number} is not what was logged"
    if expected is not None and number == expected.number and stored_hash != expected.hash:
        return f"number {number} is not what it was before"
    return None


def _fits(last: Link, row: Row, stored_hash: str) -> bool:
    try:
        return hash_row(last.hash, row) == stored_hash
    except TypeError:
        return False


def _judge_end(last: Link, head: Link, expected: Link | None) -> str | None:
    if last.number < head.number:
        return f"the end is missing, from number {last.number + 1} to {head.number}"
    if last != head:
        return f"number {last.number} is not what was logged last"
    if expected is not None and expected.number > last.number:
        return f"number {expected.number} was there before, and is missing"
    return None

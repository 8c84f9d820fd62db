"""Bytes of the notes of each user, with their earlier versions."""

from __future__ import annotations

from dataclasses import dataclass

from biont.store import execute_sql

_SUM_NOTES = """
    SELECT COALESCE(SUM(LENGTH(CAST(title || content || tags AS BLOB))), 0),
        COALESCE(MAX(id), 0)
    FROM notes WHERE user_id = ? AND id > ?
"""
# A changed note has a version with the content from before the change; the first of several
# versions has the content that was read last.
_SUM_CHANGES = """
    SELECT COALESCE(SUM(
        LENGTH(CAST(notes.title || notes.content || notes.tags AS BLOB))
        - LENGTH(CAST(first.title || first.content || first.tags AS BLOB))
    ), 0)
    FROM (
        SELECT note_id, MIN(id) AS id FROM note_versions WHERE id > ? GROUP BY note_id
    ) AS changed
    CROSS JOIN notes ON notes.id = changed.note_id
    CROSS JOIN note_versions AS first ON first.id = changed.id
    WHERE notes.user_id = ? AND notes.id <= ?
"""
# CROSS JOIN, so that SQLite begins with the versions, of which only the new ones are read.
_SUM_VERSIONS = """
    SELECT COALESCE(SUM(LENGTH(CAST(past.title || past.content || past.tags AS BLOB))), 0),
        COALESCE(MAX(past.id), 0)
    FROM note_versions AS past CROSS JOIN notes ON past.note_id = notes.id
    WHERE past.id > ? AND notes.user_id = ?
"""
_COUNT_NOTES = "SELECT COUNT(*) FROM notes WHERE user_id = ?"


@dataclass(slots=True)
class _Reading:
    """Bytes that were read.

    Attributes:
        size: the bytes.
        note_id: the last note that counts.
        version_id: the last version that counts.
        notes: the number of notes at the last reading of all notes.
    """

    size: int = 0
    note_id: int = 0
    version_id: int = 0
    notes: int | None = None


class NoteStorage:
    """Bytes of the notes of each user.

    Reading all notes at each new one would be slow. So only notes and versions that are newer than
    the last reading are added, and the changes that the versions show. If the limit seems to be
    reached, and notes were deleted since, all are read again.

    Args:
        limit: the bytes at which deleted notes matter; None for never.
    """

    def __init__(self, limit: int | None) -> None:
        self._limit = limit
        self._readings: dict[int, _Reading] = {}

    def count(self, user_id: int) -> int:
        """Return the bytes of a user's notes; called on a thread of the store."""
        reading = self._readings.setdefault(user_id, _Reading())
        _add_new(user_id, reading)
        if self._limit is not None and reading.size >= self._limit:
            (notes,) = execute_sql(_COUNT_NOTES, user_id).fetchone()
            if notes != reading.notes:
                reading = self._readings[user_id] = _Reading(notes=notes)
                _add_new(user_id, reading)
        return reading.size


def _add_new(user_id: int, reading: _Reading) -> None:
    notes, note_id = execute_sql(_SUM_NOTES, user_id, reading.note_id).fetchone()
    versions, version_id = execute_sql(_SUM_VERSIONS, reading.version_id, user_id).fetchone()
    (changes,) = execute_sql(_SUM_CHANGES, reading.version_id, user_id, reading.note_id).fetchone()
    reading.size += notes + versions + changes
    reading.note_id = max(reading.note_id, note_id)
    reading.version_id = max(reading.version_id, version_id)

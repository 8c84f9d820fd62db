"""Patterns of event types: an exact name, a prefix (``task_*``), or ``*`` for all types."""

from __future__ import annotations

from collections.abc import Iterable

PATTERN = r"^(\*|[a-z][a-z0-9_]*\*?)$"
"""Regular expression of the patterns that clients may send."""


def is_pattern(text: str) -> bool:
    """Return whether `text` is a pattern: not empty, with ``*`` only at the end."""
    return bool(text) and "*" not in text[:-1]


def get_prefix(pattern: str) -> str | None:
    """Return the prefix that `pattern` asks for, ``""`` for ``*``, None for an exact name."""
    return pattern[:-1] if pattern.endswith("*") else None


def find_pattern(patterns: Iterable[str], event_type: str) -> str | None:
    """Return the first of `patterns` that matches `event_type`, None when none matches."""
    for pattern in patterns:
        prefix = get_prefix(pattern)
        if pattern == event_type if prefix is None else event_type.startswith(prefix):
            return pattern
    return None


def covers(patterns: Iterable[str], pattern: str) -> bool:
    """Return whether one of `patterns` matches all event types that `pattern` matches."""
    # The star is compared like a letter: `task_*` matches the text `task_created_*`.
    return find_pattern(patterns, pattern) is not None


def intersect(patterns: Iterable[str], pattern: str) -> list[str]:
    """Return patterns for the event types that `pattern` and one of `patterns` match."""
    narrower = list(patterns)
    if covers(narrower, pattern):
        return [pattern]
    return [each for each in narrower if covers([pattern], each)]

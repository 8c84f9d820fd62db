"""Warnings about event patterns that match no declared event type.

Such a pattern is permitted, because the plugin that declares the type may come later. More often
the pattern is a typing mistake, and the webhook would never receive an event.
"""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

from biont.events import get_prefix

_CUSTOM = "custom_"
"""The beginning of event types that need no declaration."""


def list_warnings(patterns: Sequence[str], known: Sequence[str]) -> list[str]:
    """Return a warning for each pattern that matches no event type.

    Args:
        patterns: the event patterns of a webhook.
        known: the names of the declared event types.
    """
    return [
        warning
        for pattern in dict.fromkeys(patterns)
        if (warning := _find_warning(pattern, known)) is not None
    ]


def _find_warning(pattern: str, known: Sequence[str]) -> str | None:
    prefix = get_prefix(pattern)
    if prefix is None:
        is_known = pattern in known
        problem = f"no plugin declares the event type {pattern!r}"
    else:
        is_known = any(name.startswith(prefix) for name in (*known, _CUSTOM))
        problem = f"no declared event type begins with {prefix!r}"
    if is_known or pattern.startswith(_CUSTOM):
        return None
    nearest = get_close_matches(prefix or pattern, known, n=1, cutoff=0)
    return f"{problem}; did you mean {nearest[0]!r}?" if nearest else problem

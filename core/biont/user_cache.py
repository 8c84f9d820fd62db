"""Cache folder of the user, for files that can be recreated at any time."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path


def find_user_cache(environ: Mapping[str, str]) -> Path | None:
    """Return the folder ``biont`` in the user's cache folder; None for a user without a home.

    Args:
        environ: the environment; ``XDG_CACHE_HOME`` has precedence over ``~/.cache``.
    """
    named = Path(environ.get("XDG_CACHE_HOME", ""))
    if named.is_absolute():  # The XDG specification says to ignore relative paths.
        return named / "biont"
    try:
        return Path.home() / ".cache" / "biont"
    except RuntimeError:
        return None

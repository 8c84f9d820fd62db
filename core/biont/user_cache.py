"""Folder for files of this user that can be made again at any time."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path


def find_user_cache(environ: Mapping[str, str]) -> Path | None:
    """Return ``biont`` below the user's cache folder; None where the user has no home.

    Args:
        environ: the environment; ``XDG_CACHE_HOME`` stands over ``~/.cache``.
    """
    named = Path(environ.get("XDG_CACHE_HOME", ""))
    if named.is_absolute():  # The XDG specification wants other values to be ignored.
        return named / "biont"
    try:
        return Path.home() / ".cache" / "biont"
    except RuntimeError:
        return None

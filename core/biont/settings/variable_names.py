"""Names of the environment variables that set settings."""

from __future__ import annotations

from collections.abc import Sequence

PREFIX = "BIONT_"
DELIMITER = "__"


def name_variable(path: Sequence[str | int]) -> str:
    """Return the name of the environment variable for the setting at `path`."""
    return PREFIX + DELIMITER.join(map(str, path)).upper().replace("-", "_")

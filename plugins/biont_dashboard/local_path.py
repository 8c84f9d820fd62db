"""Paths within the dashboard, so that no form or link leads to another site."""

from __future__ import annotations

import re

HOME = "/dashboard"

_LOCAL = re.compile(r"/dashboard(?:[/?#][^\s\\]*)?")


def check_local_path(path: str | None) -> str:
    """Return a path if it leads to a page of the dashboard, otherwise the home page."""
    if path is not None and _LOCAL.fullmatch(path) and "//" not in path.partition("?")[0]:
        return path
    return HOME

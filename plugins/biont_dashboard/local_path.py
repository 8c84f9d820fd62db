"""Paths within the dashboard, so that no form or link leads to another site."""

from __future__ import annotations

import re

HOME = "/dashboard"

# Printable ASCII without a backslash: the path goes into a header.
_LOCAL = re.compile(r"/dashboard(?:[/?#][!-\[\]-~]*)?")


def check_local_path(path: str | None) -> str:
    """Return a path if it leads to a page of the dashboard, otherwise the home page."""
    if path is None or not _LOCAL.fullmatch(path):
        return HOME
    segments = re.split(r"[?#]", path, maxsplit=1)[0].lower().replace("%2e", ".").split("/")
    return HOME if {"..", "."} & {*segments} or "" in segments[1:-1] else path

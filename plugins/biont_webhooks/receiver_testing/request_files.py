"""Requests in files: the headers in one, the exact body in another."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from biont.exceptions import BiontError

_FIRST_LINE = re.compile(r"HTTP/[0-9.]+ [0-9]{3}.*|[A-Z]+ \S+ HTTP/[0-9.]+")


def parse_headers(text: str) -> dict[str, str]:
    """Return the headers that lines of ``Name: value`` hold, as curl or a proxy writes them.

    A status or request line begins anew, so that of several answers the last counts.

    Raises:
        BiontError: a line is none of these; it is named by its number.
    """
    headers: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        name, colon, value = line.partition(":")
        if _FIRST_LINE.fullmatch(line):
            headers.clear()
        elif name.strip() and colon:
            headers[name.strip()] = value.strip()
        elif line.strip() and not line.startswith(":"):
            raise BiontError(f"line {number} of the headers is not of the form Name: value")
    return headers


def keep_request(folder: Path, headers: Mapping[str, str], body: bytes) -> Path:
    """Write a request into ``<number>.headers`` and ``<number>.body``; return the latter.

    Nothing that is there is written over.

    Raises:
        BiontError: the folder cannot be written to.
    """
    lines = "".join(f"{name}: {value}\n" for name, value in headers.items())
    try:
        folder.mkdir(parents=True, exist_ok=True)
        number = 1
        while (folder / f"{number:04}.body").exists():
            number += 1
        (folder / f"{number:04}.headers").write_text(lines, errors="replace")
        (folder / f"{number:04}.body").write_bytes(body)
    except OSError as error:
        raise BiontError(f"{folder}: the request cannot be kept: {error}") from error
    return folder / f"{number:04}.body"

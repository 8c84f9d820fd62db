"""Request files: a file with the headers and a file with the exact body."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from biont.exceptions import BiontError

_FIRST_LINE = re.compile(r"HTTP/[0-9.]+ [0-9]{3}.*|[A-Z]+ \S+ HTTP/[0-9.]+")


def parse_headers(text: str) -> dict[str, str]:
    """Return the headers of lines ``Name: value``, as curl or a proxy writes headers.

    A status or request line drops the headers before: with several answers the last counts.

    Raises:
        BiontError: a line has another form; the message contains the line number.
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


def save_request(folder: Path, headers: Mapping[str, str], body: bytes) -> Path:
    """Write a request into ``<number>.headers`` and ``<number>.body``; return the body's path.

    Existing files stay as they are.

    Raises:
        BiontError: the files cannot be written.
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
        raise BiontError(f"{folder}: the request cannot be saved: {error}") from error
    return folder / f"{number:04}.body"

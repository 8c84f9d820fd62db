"""The documentation, to be held against what it says."""

from __future__ import annotations

import re
from itertools import takewhile
from pathlib import Path

ROOT = Path(__file__).parents[2]


def read_examples(page: str, name: str) -> list[str]:
    """Return the blocks of a page that are marked as the example `name`."""
    pattern = rf"<!-- example: {re.escape(name)} -->\n```\w+\n(.*?)```"
    found = re.findall(pattern, (ROOT / page).read_text(), re.DOTALL)
    assert found, f"{page} has no example {name}"
    return found


def read_table(page: str, header: str) -> list[list[str]]:
    """Return the cells of the rows below the table head that begins with `header`."""
    lines = iter((ROOT / page).read_text().splitlines())
    assert any(line.startswith(f"| {header} |") for line in lines), f"{page}: no table {header}"
    next(lines)
    rows = list(takewhile(lambda line: line.startswith("|"), lines))
    assert rows, f"the table {header} of {page} is empty"
    # In a cell, a bar is written with a backslash.
    return [
        [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", row)[1:-1]]
        for row in rows
    ]

"""The documentation, to be held against what it says."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def read_examples(page: str, name: str) -> list[str]:
    """Return the blocks of a page that are marked as the example `name`."""
    pattern = rf"<!-- example: {re.escape(name)} -->\n```\w+\n(.*?)```"
    found = re.findall(pattern, (ROOT / page).read_text(), re.DOTALL)
    assert found, f"{page} has no example {name}"
    return found

"""Names of generated code."""

from __future__ import annotations

import keyword
import re


def name_class(tag: str) -> str:
    """Return the name of the class for a tag: ``Notes``."""
    return "".join(part.capitalize() for part in re.split(r"[-_ ]", tag))


def name_argument(name: str) -> str:
    """Return the argument for a parameter or header: ``from_``, ``if_match``."""
    plain = name.lower().replace("-", "_")
    return f"{plain}_" if keyword.iskeyword(plain) else plain

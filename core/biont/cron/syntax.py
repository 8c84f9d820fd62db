"""Syntax of cron expressions beyond croniter's: refuses what croniter would misread.

croniter refuses some expressions with an obscure message, and accepts others in a sense that
the author did not mean. This module finds both before croniter sees the text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from biont.exceptions import InvalidExpression

MAX_LENGTH = 200
"""The largest number of characters of an expression."""

_FIELDS = (
    ("minute", "0-59"),
    ("hour", "0-23"),
    ("day of the month", "1-31 or L for the last"),
    ("month", "1-12 or JAN-DEC"),
    ("weekday", "0-7 or SUN-SAT (0 and 7 are Sunday), all with '#' or none"),
)
_SECOND = ("second", "0-59")
_ALIASES = ("@hourly", "@daily", "@midnight", "@weekly", "@monthly", "@yearly", "@annually")
_ALPHABET = re.compile(r"[\w*/,#?@() -]+", re.ASCII)
_MISREAD = (
    (
        # croniter replaces both by random numbers: a schedule would be due at other times after
        # each restart.
        re.compile(r"\b[hr]\b", re.ASCII | re.IGNORECASE),
        "H and R are not supported; write the numbers",
    ),
    (
        # croniter reads 9-9 as the whole circle of values.
        re.compile(r"\b(\w+)-\1\b", re.ASCII | re.IGNORECASE),
        "instead of a range from a value to itself, write the value alone",
    ),
)
_ONE_OF_A_MONTH = re.compile(r"#|\bL\d|\dW|W\d", re.ASCII | re.IGNORECASE)
_ANY = ("*", "?")


def name_fields(seconds: bool) -> Sequence[tuple[str, str]]:
    """Return the name and the allowed values of each field, in order."""
    return (_SECOND, *_FIELDS) if seconds else _FIELDS


def normalize_expression(expression: str, *, seconds: bool) -> str:
    """Return an expression with single spaces between the fields.

    Raises:
        InvalidExpression: the expression has a syntax that croniter would misread.
    """
    text = expression.strip()
    if len(text) > MAX_LENGTH:
        raise InvalidExpression(
            f"'{text[:40]}...': has {len(text)} characters; at most {MAX_LENGTH} are allowed"
        )
    text = " ".join(text.split())
    if problem := _find_problem(text, seconds):
        raise InvalidExpression(f"{text!r}: {problem}")
    return text


def _find_problem(text: str, seconds: bool) -> str | None:
    fields = text.split()
    if not _ALPHABET.fullmatch(text):
        return "has characters that no cron expression has"
    if text.startswith("@"):
        return None if text.lower() in _ALIASES else f"is not one of {', '.join(_ALIASES)}"
    if len(fields) != len(_FIELDS) + seconds:
        return _explain_field_count(len(fields), seconds)
    day, weekday = fields[-3], fields[-1]
    misread = [remedy for pattern, remedy in _MISREAD if pattern.search(text)]
    if _ONE_OF_A_MONTH.search(text) and day not in _ANY and weekday not in _ANY:
        misread.append("beside #, W or L5, give only the day of the month or only the weekday")
    return "; ".join(misread) or None


def _explain_field_count(count: int, seconds: bool) -> str:
    names = ", ".join(name for name, _ in name_fields(seconds))
    needed = "six" if seconds else "five"
    if count < len(_FIELDS) + seconds:
        return f"has {count} of {needed} fields; {needed} are needed: {names}"
    unsupported = "years are" if seconds else "seconds and years are"
    return f"has {count} fields; {unsupported} not supported, {needed} are needed: {names}"

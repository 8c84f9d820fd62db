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
    ("day of the month", "1-31, L for the last, L-3, LW for the last weekday, or 15W"),
    ("month", "1-12 or JAN-DEC"),
    (
        "weekday",
        "0-7 or SUN-SAT (0 and 7 are Sunday), 5L for the last Friday, all with '#' or none",
    ),
)
_SECOND = ("second", "0-59")
_ALIASES = ("@hourly", "@daily", "@midnight", "@weekly", "@monthly", "@yearly", "@annually")
_STRANGE = re.compile(r"[^\w*/,#?@() -]", re.ASCII)
_ZONE = re.compile(r"(CRON_)?TZ=", re.IGNORECASE)
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
_ONE_OF_A_MONTH = re.compile(r"#|\bL\d|\dL|[DEINTU]L\b|W\d|\dW|LW|WL|L-", re.ASCII | re.IGNORECASE)
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
    if not fields:
        return "is empty; write five fields, such as 0 9 * * *, or an alias, such as @daily"
    if _ZONE.match(text):
        return "names a time zone; set time_zone instead, and write only the fields here"
    if text.startswith("@"):
        return _explain_alias(text)
    if strange := _STRANGE.search(text):
        return f"has the character {strange[0]!r}, which no cron expression has"
    if len(fields) != len(_FIELDS) + seconds:
        return _explain_field_count(len(fields), seconds)
    day, weekday = fields[-3], fields[-1]
    misread = [remedy for pattern, remedy in _MISREAD if pattern.search(text)]
    if _ONE_OF_A_MONTH.search(text) and day not in _ANY and weekday not in _ANY:
        misread.append(
            "beside #, W, LW, L-3 or 5L, give only the day of the month or only the weekday"
        )
    return "; ".join(misread) or None


def _explain_alias(text: str) -> str | None:
    if text.lower() in _ALIASES:
        return None
    if text.lower().startswith("@every"):
        return "is no alias; for a constant interval set every instead, such as every: 5m"
    return f"is not one of {', '.join(_ALIASES)}"


def _explain_field_count(count: int, seconds: bool) -> str:
    names = ", ".join(name for name, _ in name_fields(seconds))
    needed = "six" if seconds else "five"
    if seconds and count == len(_FIELDS):
        return f"has {count} fields; set seconds: false, or put the second first: {names}"
    if count < len(_FIELDS) + seconds:
        return f"has {count} of {needed} fields; {needed} are needed: {names}"
    if not seconds and count == len(_FIELDS) + 1:
        return (
            f"has {count} fields; if the first is the second, set seconds: true; a field for the "
            f"year is not supported; without seconds {needed} are needed: {names}"
        )
    return f"has {count} fields; years are not supported, {needed} are needed: {names}"

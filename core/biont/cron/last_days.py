"""Days counted from the end of a month, which croniter does not know.

``LW`` is the last weekday (Monday to Friday), ``L-3`` the third day before the last. Both are
Quartz's. A month that is too short has no such day.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass

_TOKEN = re.compile(r"LW|WL|L-(\d{1,2})", re.IGNORECASE)
_LAST_OF_WEEKDAY = re.compile(r"\b([0-7]|SUN|MON|TUE|WED|THU|FRI|SAT)L\b", re.IGNORECASE)
_WEEKDAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_SATURDAY = 5


@dataclass(frozen=True, slots=True)
class LastDays:
    """Days at the end of each month.

    Attributes:
        before_last: the numbers of days before the last day.
        has_last_weekday: whether the last weekday of the month is one of the days.
        is_alone: whether the field of the day has no other members.
    """

    before_last: tuple[int, ...] = ()
    has_last_weekday: bool = False
    is_alone: bool = True

    def list_days(self, year: int, month: int) -> Iterator[int]:
        """Yield the days of a month."""
        length = monthrange(year, month)[1]
        yield from (length - number for number in self.before_last if number < length)
        if self.has_last_weekday:
            beyond = (monthrange(year, month)[0] + length - 1) % 7 - _SATURDAY + 1
            yield length - max(beyond, 0)


def split_day_field(field: str) -> tuple[str, LastDays | None]:
    """Return the field of the day without ``LW`` and ``L-3``, and these days.

    The days are None for a field without such members. A plain ``L`` beside such a member
    belongs to the days. The remaining field is empty if no other member is left.
    """
    members = field.split(",")
    tokens = [_TOKEN.fullmatch(member) for member in members]
    if not any(tokens):
        return field, None
    before = {int(token[1]) for token in tokens if token is not None and token[1]}
    has_last = any(member.upper() == "L" for member in members)
    rest = [
        member
        for member, token in zip(members, tokens, strict=True)
        if token is None and member.upper() != "L"
    ]
    if has_last:
        before.add(0)
    has_weekday = any(token is not None and not token[1] for token in tokens)
    return ",".join(rest), LastDays(tuple(sorted(before)), has_weekday, not rest)


def translate_weekday_field(field: str) -> str:
    """Return the field of the weekday with ``5L`` and ``FRIL`` as croniter writes them, ``L5``."""
    return _LAST_OF_WEEKDAY.sub(lambda found: f"L{_read_weekday(found[1])}", field)


def _read_weekday(text: str) -> int:
    return int(text) % 7 if text.isdigit() else _WEEKDAYS.index(text.upper())

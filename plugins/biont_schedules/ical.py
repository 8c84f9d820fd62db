"""Writer of iCalendar (RFC 5545): an event for each upcoming occurrence."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from biont.scheduling import Timing
from biont_schedules.upcoming import Occurrence

_MOST_OCTETS = 75
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_HEAD = (
    "BEGIN:VCALENDAR",
    "VERSION:2.0",
    "PRODID:-//Biont//Biont Workbench//EN",
    "CALSCALE:GREGORIAN",
    "X-WR-CALNAME:Biont schedules",
    "REFRESH-INTERVAL;VALUE=DURATION:PT1H",
    "X-PUBLISHED-TTL:PT1H",
)


def write_calendar(occurrences: Sequence[Occurrence], now: datetime) -> bytes:
    """Return a calendar with an event for each occurrence.

    Args:
        occurrences: the occurrences.
        now: the instant at which the calendar is made.
    """
    lines = [*_HEAD]
    for occurrence in occurrences:
        lines += _list_event_lines(occurrence, now)
    lines.append("END:VCALENDAR")
    return b"".join(part for line in lines for part in _fold(line))


def _list_event_lines(occurrence: Occurrence, now: datetime) -> list[str]:
    schedule, problem = occurrence.schedule, occurrence.problem
    words = f"not valid: {problem}" if problem is not None else Timing.of(schedule).describe()
    # The same for an occurrence each time, so that programs recognise the event.
    made_at, instant = _format(schedule.created_at), _format(occurrence.scheduled_for)
    return [
        "BEGIN:VEVENT",
        f"UID:schedule-{schedule.id}-{made_at}-{instant}@biont",
        f"DTSTAMP:{_format(now)}",
        f"DTSTART:{_format(occurrence.due_at)}",
        f"SUMMARY:{_escape(schedule.name)}",
        f"DESCRIPTION:{_escape(f'{words} ({schedule.time_zone})')}",
        "TRANSP:TRANSPARENT",
        "END:VEVENT",
    ]


def _format(instant: datetime) -> str:
    return instant.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def _escape(text: str) -> str:
    """Return `text` as a value of the type TEXT (section 3.3.11)."""
    text = text.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\\n")
    return _CONTROLS.sub("", text)


def _fold(line: str) -> Iterator[bytes]:
    """Yield a line in parts of at most 75 octets (section 3.1); no character is split."""
    part, size = bytearray(), 0
    for character in line:
        octets = character.encode(errors="replace")
        if size + len(octets) > _MOST_OCTETS:
            yield bytes(part) + b"\r\n"
            # The space that continues the line counts.
            part, size = bytearray(b" "), 1
        part += octets
        size += len(octets)
    yield bytes(part) + b"\r\n"

"""Tail of the log: the last lines of each level, in memory, for administrators to read.

Each level has a ring of its own, so that a flood of lines at a low level leaves the errors alone.
"""

from __future__ import annotations

import json
import logging
from collections import deque
from dataclasses import dataclass
from itertools import count

LEVELS = ("debug", "info", "warning", "error", "critical")
"""The levels of the log, the lowest first."""

KEPT_LINES = 200
"""The lines that are kept of each level."""

# Of an exception the last lines name the error; of any other text the beginning says the most.
_LONGEST = 4000
_NAMED = ("timestamp", "level", "logger", "event", "request_id", "exception")


@dataclass(frozen=True, slots=True)
class LogLine:
    """Line of the log.

    Attributes:
        number: the place of the line in the log, since the start.
        level: the level.
        values: the values of the line, without secrets.
    """

    number: int
    level: str
    values: dict[str, object]


class LogTail(logging.Handler):
    """Handler of the log that keeps the last lines.

    Args:
        formatter: writes a record as a JSON object without secrets; None for a tail that stays
            empty, because nothing is logged through it.
    """

    def __init__(self, formatter: logging.Formatter | None = None) -> None:
        super().__init__()
        self.setFormatter(formatter)
        self._numbers = count(1)
        self._rings = {level: deque[tuple[int, str]](maxlen=KEPT_LINES) for level in LEVELS}

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a record; logging calls this method with the lock of the handler."""
        try:
            text = self.format(record)
        except Exception:  # noqa: BLE001  # as handlers of logging do
            self.handleError(record)
            return
        level = LEVELS[min(max(record.levelno // 10, 1), len(LEVELS)) - 1]
        self._rings[level].append((next(self._numbers), _shorten(text)))

    def read(self, lowest: str, limit: int) -> list[LogLine]:
        """Return the last lines at or above a level, the newest first."""
        chosen = LEVELS[LEVELS.index(lowest) :]
        self.acquire()
        try:
            found = [(*line, level) for level in chosen for line in self._rings[level]]
        finally:
            self.release()
        found.sort(reverse=True)
        return [LogLine(number, level, json.loads(text)) for number, text, level in found[:limit]]


def _shorten(text: str) -> str:
    """Return a line of the log; a long line without most of its values."""
    if len(text) <= 2 * _LONGEST:
        return text
    values = json.loads(text)
    short = {name: values[name] for name in _NAMED if name in values}
    short["event"] = str(short.get("event", ""))[:_LONGEST]
    if "exception" in short:
        short["exception"] = str(short["exception"])[-_LONGEST:]
    return json.dumps({**short, "shortened": True})

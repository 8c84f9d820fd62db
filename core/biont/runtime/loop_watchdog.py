"""Notices that something keeps the event loop to itself, and says what it is."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from types import CodeType, FrameType

import structlog

from biont.clock import Clock

_KEPT = 10
_LOOKS = 4
"""How often the watchdog looks within the time that it allows."""

_log = structlog.get_logger("biont")


@dataclass(frozen=True, slots=True)
class Stall:
    """A time during which nothing but one piece of code ran.

    Attributes:
        at: when it was noticed.
        seconds: how long it has lasted so far, or did in all.
        culprit: the handler or route that was running; None for other code.
        place: the file and line that was running when it was noticed.
    """

    at: datetime
    seconds: float
    culprit: str | None
    place: str


class LoopWatchdog:
    """Looks, from a thread of its own, whether the event loop still turns.

    Args:
        clock: stamps stalls.
        limit: how long the loop may stand still, in seconds.

    Attributes:
        names: what to call the functions that it may find at work.
    """

    def __init__(self, clock: Clock, limit: float) -> None:
        self.names: Mapping[CodeType, str] = {}
        self._clock = clock
        self._limit = limit
        self._stalls: deque[Stall] = deque(maxlen=_KEPT)
        self._beat = 0
        self._loop_thread = 0
        self._end = threading.Event()

    @property
    def stalls(self) -> list[Stall]:
        """The last stalls, the newest first."""
        return list(reversed(self._stalls))

    @asynccontextmanager
    async def run(self) -> AsyncIterator[None]:
        """Watch the event loop that runs this, while it is open."""
        self._loop_thread = threading.get_ident()
        beating = asyncio.create_task(self._keep_beating())
        thread = threading.Thread(target=self._watch, name="biont-watchdog", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._end.set()
            beating.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await beating
            await asyncio.to_thread(thread.join)

    async def _keep_beating(self) -> None:
        while True:
            self._beat += 1
            await asyncio.sleep(self._limit / _LOOKS)

    def _watch(self) -> None:
        beat, looks = self._beat, 0
        while not self._end.wait(self._limit / _LOOKS):
            if beat != self._beat:
                if looks > _LOOKS:
                    _log.warning("the event loop goes on", seconds=self._stalls[-1].seconds)
                beat, looks = self._beat, 0
                continue
            looks += 1
            # One look more than the limit has: this thread may itself have been kept waiting.
            if looks == _LOOKS + 1:
                self._report()
            elif looks > _LOOKS:
                seconds = self._limit * looks / _LOOKS
                self._stalls[-1] = replace(self._stalls[-1], seconds=seconds)

    def _report(self) -> None:
        frame = sys._current_frames().get(self._loop_thread)  # noqa: SLF001  # the documented name
        stall = Stall(self._clock.now(), self._limit, self._find_culprit(frame), _locate(frame))
        self._stalls.append(stall)
        _log.error(
            "the event loop is blocked: nothing else runs; move what blocks it off the loop",
            culprit=stall.culprit,
            place=stall.place,
        )

    def _find_culprit(self, frame: FrameType | None) -> str | None:
        while frame is not None:
            name = self.names.get(frame.f_code)
            if name is not None:
                return name
            frame = frame.f_back
        return None


def name_function(function: Callable[..., object], name: str) -> dict[CodeType, str]:
    """Return the entry of `LoopWatchdog.names` for `function`; empty where it has no code."""
    code = getattr(function, "__code__", None)
    return {code: name} if isinstance(code, CodeType) else {}


def _locate(frame: FrameType | None) -> str:
    return "unknown" if frame is None else f"{frame.f_code.co_filename}:{frame.f_lineno}"

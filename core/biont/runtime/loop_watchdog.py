"""Watchdog of the event loop: reports code that blocks the loop, by handler or route.

The event loop increments a counter four times within the limit. A thread of its own compares
the counter with the value of its last look; after five looks without a change it logs the stack of
the loop's thread. A thread is necessary because a blocked loop can run no code of its own.
"""

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
"""Number of looks of the watchdog within the limit."""

_log = structlog.get_logger("biont")


@dataclass(frozen=True, slots=True)
class Stall:
    """A time during which the event loop was blocked.

    Attributes:
        at: the instant at which the watchdog noticed the stall.
        seconds: the duration so far, or in all after the stall has ended.
        culprit: the handler or route that was running; None for other code.
        place: the file and line that was running when the watchdog noticed the stall.
    """

    at: datetime
    seconds: float
    culprit: str | None
    place: str


class LoopWatchdog:
    """Thread that watches the event loop for stalls.

    Args:
        clock: stamps stalls.
        limit: the seconds that the event loop may be blocked without a report.

    Attributes:
        names: the names of handlers and routes, by the code of their functions.
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
        """The latest stalls, newest first."""
        return list(reversed(self._stalls))

    @asynccontextmanager
    async def run(self) -> AsyncIterator[None]:
        """Watch the running event loop while the context is open."""
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
            # In a thread: the watchdog may be in the middle of a look, and the loop must not wait.
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
                    _log.warning("the event loop runs again", seconds=self._stalls[-1].seconds)
                beat, looks = self._beat, 0
                continue
            looks += 1
            # A look more than fits into the limit: this thread itself may have waited for the
            # interpreter's lock.
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
            "the event loop is blocked and nothing else runs; move the blocking code to a thread",
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
    """Return the entry for `LoopWatchdog.names`; empty for a callable without Python code."""
    code = getattr(function, "__code__", None)
    return {code: name} if isinstance(code, CodeType) else {}


def _locate(frame: FrameType | None) -> str:
    return "unknown" if frame is None else f"{frame.f_code.co_filename}:{frame.f_lineno}"

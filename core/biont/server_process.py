"""Process of the server: signals, and an event loop that no plugin can end.

The first SIGTERM or SIGINT ends a start at once, and a running server in order. Code that blocks
the event loop also blocks the signal's callback. So the first signal starts a timer on a thread of
its own, which ends the process when the stop takes too long. At-least-once delivery holds then as
after a crash.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from collections.abc import Callable, Coroutine
from types import FrameType

import structlog

from biont.plugins.lifespans import describe_block

_START_GRACE = 3.0
"""Seconds that a start gets to end after a signal."""

_STOP_GRACE = 10.0
"""Seconds beyond the shutdown timeout that a stop gets."""

_log = structlog.get_logger("biont")


class StopSignal:
    """Signal that asks the server to stop.

    Args:
        shutdown_timeout: the seconds that the stop of a running server may take.

    Attributes:
        requested: set by the first signal.
        has_started: whether the server accepts connections.
    """

    def __init__(self, shutdown_timeout: float) -> None:
        self.requested = asyncio.Event()
        self.has_started = False
        self._shutdown_timeout = shutdown_timeout
        self._is_timed = False

    def install(self, loop: asyncio.AbstractEventLoop, task: asyncio.Task[None]) -> None:
        """Handle signals: cancel `task` during the start, and set `requested` later."""

        def stop() -> None:
            self.requested.set()
            if not self.has_started:
                task.cancel()

        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop)
            # The loop calls `stop` when it is not blocked. Python calls this handler also while a
            # plugin blocks the loop.
            signal.signal(number, self._start_timer)

    def _start_timer(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002
        if self._is_timed:
            return
        self._is_timed = True
        seconds = self._shutdown_timeout + _STOP_GRACE if self.has_started else _START_GRACE
        timer = threading.Timer(seconds, self._end)
        timer.daemon = True
        timer.start()

    def _end(self) -> None:
        state = "stop" if self.has_started else "start"
        _end_process(f"ended by the signal; a plugin has blocked the {state}")


def end_blocked_process(plugin: str) -> None:
    """End the process, whose event loop a plugin blocks during the start."""
    _end_process(describe_block(plugin))


def _end_process(reason: str) -> None:
    sys.stderr.write(f"biont: {reason}\n")
    sys.stderr.flush()
    os._exit(1)


def run_process(
    main: Callable[[StopSignal], Coroutine[None, None, None]],
    shutdown_timeout: float,
    loop_factory: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    """Run `main` to its end; an exit that a task or callback asks for is logged and ignored."""
    with asyncio.Runner(loop_factory=loop_factory) as runner:
        loop = runner.get_loop()
        stop_signal = StopSignal(shutdown_timeout)
        task = loop.create_task(main(stop_signal))
        stop_signal.install(loop, task)
        while not task.done():
            try:
                loop.run_until_complete(task)
            except asyncio.CancelledError:
                if not stop_signal.requested.is_set():
                    raise
            except (SystemExit, KeyboardInterrupt) as error:
                # asyncio lets these two leave the loop from any task or callback. The loop is in
                # order, and runs on with what is left.
                if task.done():
                    raise
                _log.exception("code of a plugin tried to end the process", exc_info=error)

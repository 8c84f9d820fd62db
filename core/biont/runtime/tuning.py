"""Settings of the interpreter that suit a process which serves."""

from __future__ import annotations

import gc
import sys

_GARBAGE_THRESHOLD = 10_000

# The thread that writes asks for the interpreter's lock after each statement, and the event
# loop, when it is busy, gives it away only this often (in seconds; five times as long by default).
_SWITCH_INTERVAL = 0.001


def tune_interpreter() -> None:
    """Set the whole process up to serve, once all that stays to its end is loaded.

    The garbage collector leaves alone what is there by now, and looks at the rest less
    often: nearly all of that stays, and what a request makes is freed without it. By its
    own measure it would look at everything again and again: a tenth of the time of a
    server under load. And threads take turns sooner.
    """
    gc.freeze()
    gc.set_threshold(_GARBAGE_THRESHOLD)
    sys.setswitchinterval(_SWITCH_INTERVAL)

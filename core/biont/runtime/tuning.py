"""Tuning of the Python interpreter for a server process."""

from __future__ import annotations

import gc
import sys

_GARBAGE_THRESHOLD = 10_000

# The writer thread needs the interpreter's lock after each SQL statement. A busy event loop
# releases the lock only this often, in seconds; Python's default is five times as long.
_SWITCH_INTERVAL = 0.001


def tune_interpreter() -> None:
    """Tune this process; call this function after all modules and plugins are loaded."""
    # Loaded modules never become garbage, and a request's objects are freed by reference
    # counting. The default thresholds cost a server under load a tenth of its time.
    gc.freeze()
    gc.set_threshold(_GARBAGE_THRESHOLD)
    sys.setswitchinterval(_SWITCH_INTERVAL)

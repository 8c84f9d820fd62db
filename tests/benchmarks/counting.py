"""What the handlers of the bus's benchmark count into."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from biont import Service


@dataclass
class Tally:
    """Counts calls of handlers.

    Attributes:
        expected: how many calls there will be.
        reached: set when there were as many.
    """

    expected: int
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    _count: int = 0

    def add(self) -> None:
        """Count one call."""
        self._count += 1
        if self._count == self.expected:
            self.reached.set()


TALLY = Service[Tally]("tally", provider="counting")

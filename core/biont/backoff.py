"""Backoff: the wait before each retry of an action that failed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf


@dataclass(frozen=True, slots=True)
class Backoff:
    """Waits between retries, from a list or growing exponentially.

    Attributes:
        waits: the seconds before the first retry, the second, and so on. There are as many
            retries as waits.
        jitter: the part of a wait by which chance may lengthen the wait, so that actions
            that failed together are not retried together.
        longest: the upper bound of a wait in seconds, jitter included.
    """

    waits: Sequence[float]
    jitter: float = 0.0
    longest: float = inf

    @classmethod
    def exponential(
        cls, first: float, retries: int, *, jitter: float = 0.0, longest: float = inf
    ) -> Backoff:
        """Return a backoff whose waits double from `first` seconds on.

        Args:
            first: the seconds before the first retry.
            retries: the number of retries.
            jitter: see `Backoff.jitter`.
            longest: see `Backoff.longest`.
        """
        return cls([first * 2**number for number in range(retries)], jitter, longest)

    def find_wait(self, retry: int, chance: float = 0.0) -> float | None:
        """Return the seconds to wait before a retry; None when no retry is left.

        Args:
            retry: 1 for the first retry.
            chance: a random number from 0 to 1, drawn for each wait by the caller.
        """
        if retry > len(self.waits):
            return None
        return min(self.waits[retry - 1] * (1 + self.jitter * chance), self.longest)

"""What a measurement is: ours and its bare twin in turn, and the ratio of each pair."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import TypeVar

PAIRS = 5
"""How often ours and its twin are measured, in turn."""

T = TypeVar("T")


class MeasurementFailed(Exception):
    """A run did not do what it was to do, so that its number would mean nothing."""


@dataclass(frozen=True)
class Result:
    """What the runs of one row came to.

    Attributes:
        unit: of `ours` and `bare`.
        ours: what each run of ours came to.
        bare: what the twin came to right after; empty where a row has none, and
            then the value is ours itself.
        note: what else there is to know.
        is_valid: False when a condition that the row sets beside its ratio is not met.
    """

    unit: str
    ours: Sequence[float]
    bare: Sequence[float] = ()
    note: str = ""
    is_valid: bool = True

    @property
    def runs(self) -> list[float]:
        """The ratio of each pair."""
        if not self.bare:
            return list(self.ours)
        return [ours / bare for ours, bare in zip(self.ours, self.bare, strict=True)]

    @property
    def value(self) -> float:
        """The median of all ratios."""
        return median(self.runs)


async def alternate(
    ours: Callable[[], Awaitable[T]], bare: Callable[[], Awaitable[T]]
) -> tuple[list[T], list[T]]:
    """Measure ours and its twin in turn; return what each has come to."""
    of_ours: list[T] = []
    of_bare: list[T] = []
    for _ in range(PAIRS):
        of_ours.append(await ours())
        of_bare.append(await bare())
    return of_ours, of_bare


async def repeat(measure: Callable[[], Awaitable[T]]) -> list[T]:
    """Measure as often as there are pairs, where there is no twin."""
    return [await measure() for _ in range(PAIRS)]


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the smallest value that `percent` of all do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -int(-len(ordered) * percent // 100) - 1)]

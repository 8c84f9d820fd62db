"""Health: one place where all parts of a workbench report their problems."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class HealthProblem:
    """A reason why a part does not work as it should, for everybody to read.

    Attributes:
        part: the name of the part: ``database``.
        reason: the problem in one line, without secrets and without paths of the machine.
        is_fatal: whether the workbench as a whole is of no use until the problem ends.
    """

    part: str
    reason: str
    is_fatal: bool = False


HealthCheck = Callable[[], Iterable[HealthProblem]]
"""A function that returns the present problems of a part; quick, called on the event loop."""


class Health:
    """The health of one workbench: the problems of all parts."""

    def __init__(self) -> None:
        self._checks: list[HealthCheck] = []

    def add_check(self, check: HealthCheck) -> None:
        """Ask `check` for problems whenever the health is read."""
        self._checks.append(check)

    def find_problems(self) -> list[HealthProblem]:
        """Return the present problems of all parts."""
        return [problem for check in self._checks for problem in check()]

"""Task problem: a background task that has failed, as the health reports the task."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

_LIMIT = 1000
"""The longest message of an error, in characters."""


@dataclass(frozen=True, slots=True)
class TaskProblem:
    """Failure of a background task.

    Attributes:
        plugin: the plugin that has started the task, or ``core``.
        task: the name of the task.
        error: the class and the message of the last error, not redacted.
        since: the instant at which the task died, or failed for the first time since its last
            success.
    """

    plugin: str
    task: str
    error: str
    since: datetime

    @classmethod
    def of(
        cls, plugin: str | None, task: str, error: BaseException, since: datetime
    ) -> TaskProblem:
        """Return the problem of a task that has raised `error`."""
        try:
            message = str(error)[:_LIMIT]
        except BaseException:  # noqa: BLE001  # a broken `__str__`
            message = ""
        return cls(plugin or "core", task, f"{type(error).__name__}: {message}", since)

"""Plugin states: the state of each plugin, and the file in which a running workbench keeps them.

The file lies beside the database. A command that is allowed to read the database may read it too,
without a key and also while the start hangs. The lock on the database tells whether the workbench
that has written the file still runs.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from biont.plugins.manager import PluginManager
from biont.runtime.task_problem import TaskProblem
from biont.store.lock import is_held

_REMEDY = "update or repair the plugin, or add it to plugins.disable"


@dataclass(frozen=True)
class PluginState:
    """State of one plugin.

    Attributes:
        name: the name of the plugin.
        state: ``running``, ``starting``, ``disabled``, ``quarantined`` or ``failing``.
        summary: the first line of the plugin's docstring.
        reason: the reason of a quarantine or failure.
    """

    name: str
    state: str
    summary: str = ""
    reason: str = ""

    @property
    def is_problem(self) -> bool:
        """True if the plugin should run and does not, or a task of the plugin fails."""
        return self.state in {"quarantined", "failing"}

    def describe(self) -> str:
        """Return the summary, or the reason and the remedy."""
        if not self.is_problem:
            return self.summary
        reason = " ".join(self.reason.split())
        return reason if "plugins.disable" in reason else f"{reason}; {_REMEDY}"


def list_states(
    plugins: PluginManager, problems: Sequence[TaskProblem] = (), *, is_open: bool = True
) -> list[PluginState]:
    """Return the states of all plugins, running plugins first.

    Args:
        plugins: the plugins.
        problems: background tasks that have failed.
        is_open: whether the start has ended.
    """
    failing = {problem.plugin: _describe_task(problem) for problem in problems}
    states = []
    for name, module in plugins.running.items():
        summary = (module.__doc__ or "").strip().partition("\n")[0]
        state = "failing" if name in failing else "running" if is_open else "starting"
        states.append(PluginState(name, state, summary, failing.get(name, "")))
    states += [PluginState(name, "disabled") for name in plugins.disabled]
    states += [
        PluginState(name, "quarantined", reason=reason)
        for name, reason in plugins.quarantined.items()
    ]
    return states


def _describe_task(problem: TaskProblem) -> str:
    return f"{problem.task}: {problem.error} (since {problem.since:%Y-%m-%d %H:%M} UTC)"


def read_states(database: Path) -> list[PluginState] | None:
    """Return the states that the running workbench has written; None if no workbench runs."""
    if not is_held(database):
        return None
    try:
        found = json.loads(_find_file(database).read_text("utf-8"))
        return [PluginState(**state) for state in found]
    except (OSError, ValueError, TypeError):
        return None


class StateFile:
    """File with the states of the plugins of a running workbench.

    Args:
        database: the path of the database.
    """

    def __init__(self, database: Path) -> None:
        self._path = _find_file(database)
        self._written: list[PluginState] | None = None

    @contextmanager
    def keep(self) -> Iterator[None]:
        """Remove the file when the context closes."""
        try:
            yield
        finally:
            self._path.unlink(missing_ok=True)

    def write(self, states: list[PluginState]) -> None:
        """Write the states, if they have changed; a full disk changes nothing."""
        if states == self._written:
            return
        part = self._path.with_suffix(".plugins-part")
        with contextlib.suppress(OSError):
            # Reasons may quote settings: for the owner of the database only.
            handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump([asdict(state) for state in states], file)
            part.replace(self._path)
            self._written = states


def _find_file(database: Path) -> Path:
    return database.with_name(f"{database.name}.plugins")

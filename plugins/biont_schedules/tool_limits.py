"""Limits of the schedules that a language model makes.

A tool that acts outside, such as `send_message`, needs the approval of its user. A schedule acts
later, when nobody looks: without limits a model that has read a hostile note could arrange what it
may not do now. So a schedule of a model reports to no integration, is not due too often, and ends.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice, pairwise

from biont import Workbench
from biont.exceptions import InputProblem, InvalidInput
from biont.scheduling import Schedule, Timing, TimingKind
from biont_schedules.settings import SchedulesSettings
from biont_schedules.timing import name_field

_LOOKED_AT = 100


def limit_timing(workbench: Workbench, columns: Mapping[str, object]) -> dict[str, object]:
    """Return the timing of a schedule that a model makes, with a limit of runs.

    Args:
        workbench: has the settings `plugins.schedules.tool_interval` and `tool_runs`.
        columns: the complete timing, as `list_all_columns` returns it.

    Raises:
        InvalidInput: two occurrences are closer than `tool_interval`.
    """
    settings = workbench.plugin_settings("schedules", SchedulesSettings)
    now = workbench.clock.now()
    schedule = Schedule(**columns, created_at=now)
    occurrences = islice(Timing.of(schedule).instants(now), _LOOKED_AT)
    for earlier, later in pairwise(occurrences):
        if (later - earlier).total_seconds() < settings.tool_interval:
            raise InvalidInput(
                InputProblem(
                    f"a model may schedule something at most every {settings.tool_interval} "
                    "seconds; plugins.schedules.tool_interval sets the limit",
                    f"#/{name_field(schedule.kind)}",
                )
            )
    once = schedule.kind == TimingKind.AT
    return dict(columns) if once else {**columns, "max_runs": settings.tool_runs}

"""Simulation of a change: the next days of a schedule as it is, and as it would be.

Both are simulated by the scheduler itself on a virtual clock (`biont.scheduling.simulate`), so the
outcomes follow the run policy: skipped, coalesced, missed or late. Nothing is stored.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from biont import Workbench
from biont.scheduling import (
    Downtime,
    RunStatus,
    Schedule,
    ScheduleRun,
    SimulatedRun,
    Timing,
    simulate,
)
from biont_schedules.schedules import merge_change
from biont_schedules.timing import describe_timing, find_timing_problem

MAX_OCCURRENCES = 500
"""Number of occurrences after which a simulation ends early: about half a second of work."""

_MEASURED_RUNS = 10
_MOMENT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """Conditions of a simulation.

    Attributes:
        start: the first instant.
        until: the last instant.
        duration: the time that each run takes; None for the mean of the last runs.
        downtime: a time without a scheduler; None for none.
    """

    start: datetime
    until: datetime
    duration: timedelta | None
    downtime: Downtime | None


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Simulated outcomes of a schedule.

    Attributes:
        words: the timing in words.
        time_zone: the zone of the timing.
        runs: the outcome of each occurrence, in order.
    """

    words: str
    time_zone: str
    runs: Sequence[SimulatedRun]

    def count_statuses(self) -> Mapping[RunStatus, int]:
        """Return the number of occurrences with each status."""
        return Counter(run.status for run in self.runs)


@dataclass(frozen=True, slots=True)
class Situation:
    """Schedule before a simulation, as read from the store.

    Attributes:
        present: a copy of the schedule as it is.
        changed: a copy with the change.
        active_runs: the runs that have not ended, the oldest first.
        mean_duration: the mean duration of the last successful runs; zero for none.
    """

    present: Schedule
    changed: Schedule
    active_runs: Sequence[ScheduleRun]
    mean_duration: timedelta


def read_situation(schedule: Schedule, columns: Mapping[str, object], now: datetime) -> Situation:
    """Return the situation of a schedule, inside a store function.

    Raises:
        InvalidInput: the changed schedule would not be valid.
    """
    # Simulated as if resumed, because of a paused schedule nothing is due.
    present = Schedule(**schedule.__data__ | {"paused": False})
    changed = Schedule(**schedule.__data__ | {"paused": False})
    if columns:
        merge_change(changed, columns, now)
    own = ScheduleRun.select().where(ScheduleRun.schedule == schedule)
    active = own.where(ScheduleRun.ended_at.is_null()).order_by(ScheduleRun.id)
    done = own.where(
        ScheduleRun.status == RunStatus.SUCCEEDED, ScheduleRun.started_at.is_null(False)
    )
    latest = done.order_by(ScheduleRun.id.desc()).limit(_MEASURED_RUNS)
    lengths = [run.ended_at - run.started_at for run in latest if run.ended_at and run.started_at]
    mean = sum(lengths, timedelta(0)) / (len(lengths) or 1)
    return Situation(present, changed, list(active.limit(_MEASURED_RUNS)), mean)


def run_trial(
    workbench: Workbench, situation: Situation, trial: Trial
) -> tuple[datetime, Outcomes, Outcomes]:
    """Simulate a schedule as it is and with the change; return the end and both outcomes.

    The simulation ends early after `MAX_OCCURRENCES` of either schedule, at one instant for both.
    """
    until = min(_limit_end(schedule, trial) for schedule in (situation.present, situation.changed))
    present, changed = (
        _simulate(workbench, schedule, trial, until, situation.mean_duration)
        for schedule in (situation.present, situation.changed)
    )
    return until, present, changed


def _limit_end(schedule: Schedule, trial: Trial) -> datetime:
    if find_timing_problem(schedule) is not None:
        return trial.until
    due = Timing.of(schedule).instants(trial.start - _MOMENT)
    beyond = next(islice(due, MAX_OCCURRENCES, None), None)
    return trial.until if beyond is None else min(trial.until, beyond - _MOMENT)


def _simulate(
    workbench: Workbench,
    schedule: Schedule,
    trial: Trial,
    until: datetime,
    mean_duration: timedelta,
) -> Outcomes:
    runs: Sequence[SimulatedRun] = ()
    # A timing that an older version has stored may be invalid; the change may mend it.
    if find_timing_problem(schedule) is None:
        duration = mean_duration if trial.duration is None else trial.duration
        runs = simulate(
            [schedule],
            trial.start,
            until,
            workbench.settings.scheduler,
            duration=duration,
            downtime=trial.downtime,
        )
    return Outcomes(describe_timing(schedule), schedule.time_zone, runs)

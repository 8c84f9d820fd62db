"""Explanation: reports from the table of runs why a schedule did, or did not, run."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from biont.exceptions import InvalidExpression, UnknownTimeZone
from biont.scheduling import RunStatus, Schedule, ScheduleRun, Timing, parse_time_zone

_PHRASES = {
    RunStatus.QUEUED: "waits for its turn",
    RunStatus.RUNNING: "is running",
    RunStatus.SUCCEEDED: "succeeded",
    RunStatus.FAILED: "failed",
    RunStatus.LATE: "was not started in time, and not run any more",
    RunStatus.MISSED: "was missed",
    RunStatus.COALESCED: "was left to a later run",
    RunStatus.SKIPPED_OVERLAP: "was skipped, because another run was active",
    RunStatus.SKIPPED_BUDGET: "was skipped, because the day's budget was exhausted",
    RunStatus.CANCELLED: "was cancelled",
}
_MOMENT = timedelta(microseconds=1)
_RECENT = 5
"""The number of runs that are reported when no instant is asked about."""


def explain_schedule(schedule: Schedule, at: datetime | None, now: datetime) -> list[str]:
    """Return sentences about the state and the runs of a schedule.

    Args:
        schedule: the schedule.
        at: the instant in question; None for the latest runs.
        now: the present instant.
    """
    return _Explainer(schedule, now).explain(at)


class _Explainer:
    """Writes the sentences; each instant is in UTC and in the zone of the schedule."""

    def __init__(self, schedule: Schedule, now: datetime) -> None:
        self._schedule = schedule
        self._now = now
        self._zone: ZoneInfo | None = None
        self._timing: Timing | None = None
        self._problem: str | None = None
        try:
            self._zone = parse_time_zone(schedule.time_zone)
            self._timing = Timing.of(schedule)
        except (InvalidExpression, UnknownTimeZone) as error:
            # Stored by an older version, or with another database of time zones.
            self._problem = str(error)

    def explain(self, at: datetime | None) -> list[str]:
        """Return the sentences for `at`, or for the latest runs."""
        about = [self._describe_state()]
        if self._problem is not None:
            about.append(f"Its timing is not valid: {self._problem}; change the timing.")
        if at is not None:
            return [*about, *self._explain_instant(at.astimezone(UTC))]
        runs = ScheduleRun.select().where(ScheduleRun.schedule == self._schedule)
        recent = list(runs.order_by(ScheduleRun.id.desc()).limit(_RECENT))
        if not recent:
            created_at = self._format(self._schedule.created_at)
            nothing = f"There was no occurrence since the schedule was created at {created_at}."
            return [*about, nothing]
        return [*about, *map(self._describe_run, recent)]

    def _describe_state(self) -> str:
        schedule = self._schedule
        if schedule.paused:
            since = self._format(schedule.updated_at)
            return f"The schedule is paused, since {since} at the latest: nothing is due."
        if schedule.next_fire_at is None:
            return (
                "The schedule is finished: it has had its runs, or its end has passed; "
                "nothing is due."
            )
        return f"The schedule is active and due next at {self._format(schedule.next_fire_at)}."

    def _explain_instant(self, at: datetime) -> list[str]:
        schedule, timing = self._schedule, self._timing
        run = ScheduleRun.get_or_none(
            ScheduleRun.schedule == schedule,
            (ScheduleRun.scheduled_for == at) | (ScheduleRun.due_at == at),
        )
        if run is not None:
            return [self._describe_run(run)]
        asked = self._format(at, "auto")
        if at < schedule.created_at:
            created_at = self._format(schedule.created_at)
            return [f"The schedule was created at {created_at}, after {asked}."]
        if timing is None:
            return [f"There is no record of {asked}."]
        if timing.next_after(at - _MOMENT) != at:
            following = timing.next_after(at)
            later = "never again" if following is None else f"at {self._format(following)}"
            return [f"The schedule is not due at {asked}; after that it is due {later}."]
        if at > self._now:
            return [f"{asked} is still to come."]
        # The schedule is due then by its present timing, but there is no row: the timing was
        # another, or the schedule was paused. The table keeps no history of changes.
        return [
            f"There is no record of {asked}: the schedule was paused then, or due at other times.",
            f"The schedule was changed last at {self._format(schedule.updated_at)}.",
        ]

    def _describe_run(self, run: ScheduleRun) -> str:
        phrase = _PHRASES[RunStatus(run.status)]
        sentence = f"The run {run.id} of {self._format(run.scheduled_for)} {phrase}"
        if run.started_at is not None:
            sentence += f"; it was started at {self._format(run.started_at)}"
            if run.ended_at is not None:
                sentence += f" and ended at {self._format(run.ended_at)}"
        reason = run.reason or (run.error if run.status == RunStatus.FAILED else None)
        return f"{sentence}: {reason}" if reason else f"{sentence}."

    def _format(self, instant: datetime, precision: str = "seconds") -> str:
        """Return an instant in UTC and, if the zone is another, in local time."""
        utc = instant.astimezone(UTC).replace(tzinfo=None).isoformat(timespec=precision) + "Z"
        if self._zone is None or self._zone.key == "UTC":
            return utc
        local = instant.astimezone(self._zone).isoformat(timespec=precision)
        return f"{utc} ({local} in {self._zone.key})"

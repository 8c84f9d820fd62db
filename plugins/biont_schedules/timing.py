"""Timing of a schedule in requests: `cron`, `every` or `at`, and the time zone."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from pydantic import (
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
)

from biont import Schema, Workbench
from biont.exceptions import InputProblem, InvalidExpression, InvalidInput, UnknownTimeZone
from biont.http import MergePatch
from biont.scheduling import (
    CalendarInterval,
    CronExpression,
    Schedule,
    TimeZone,
    Timing,
    TimingKind,
    parse_time_zone,
)
from biont_schedules.fields import EARLIEST, EVERY_WORDS, ChangedEvery, DueInstant, Every

_DAY = timedelta(days=1)
CHOICES = ("cron", "every", "at")
"""Fields of which a timing has exactly one."""


def _parse_cron(text: str, *, seconds: bool) -> CronExpression:
    try:
        return CronExpression.parse(text, seconds=seconds)
    except InvalidExpression as error:
        raise ValueError(str(error)) from error


def _judge_start(starts_at: datetime, at: datetime | None) -> None:
    if at is not None and at < starts_at:
        raise ValueError("is after the only occurrence in 'at'; give an earlier instant")


def _judge_end(ends_at: datetime, given: Mapping[str, object]) -> None:
    starts_at, at, cron = given.get("starts_at"), given.get("at"), given.get("cron")
    if isinstance(at, datetime) and at > ends_at:
        raise ValueError("is before the only occurrence in 'at'; give a later instant")
    if not isinstance(starts_at, datetime):
        return
    if ends_at <= starts_at:
        raise ValueError("is not after 'starts_at'; give a later instant")
    if isinstance(cron, str):
        expression = _parse_cron(cron, seconds=bool(given.get("seconds")))
        # The zone may still be unknown; wall times of all zones lie within this day.
        start, end = max(starts_at - _DAY, EARLIEST), ends_at + _DAY
        if not expression.between(start, end, parse_time_zone("UTC"), 1):
            raise ValueError("nothing is due between 'starts_at' and 'ends_at'")


class When(Schema):
    """Timing of a schedule: one of `cron`, `every` and `at`."""

    model_config = ConfigDict(extra="forbid")

    seconds: bool = Field(False, description="True if `cron` has six fields, seconds first.")
    cron: str | None = Field(None, description="Minute, hour, day, month, weekday: `0 9 * * 1-5`.")
    every: Every = Field(None, description=EVERY_WORDS)
    at: DueInstant | None = Field(None, description="The only occurrence.")
    time_zone: TimeZone | None = Field(
        None,
        description="IANA name: `Europe/Berlin`. By default your zone, or else the workbench's.",
    )
    starts_at: DueInstant | None = Field(None, description="Nothing is due before this instant.")
    ends_at: DueInstant | None = Field(None, description="Nothing is due after this instant.")

    @field_validator("cron", "starts_at", "ends_at")
    @classmethod
    def _judge(cls, value: object, info: ValidationInfo) -> object:
        """Check a field beside the fields before it.

        At the field and not for the whole timing, so that a problem has a place.
        """
        given = info.data
        if isinstance(value, str):
            return _parse_cron(value, seconds=bool(given.get("seconds"))).text
        if isinstance(value, datetime) and info.field_name == "starts_at":
            _judge_start(value, given.get("at"))
        if isinstance(value, datetime) and info.field_name == "ends_at":
            _judge_end(value, given)
        return value

    def list_columns(self) -> dict[str, object]:
        """Return the given fields as columns of a schedule.

        Raises:
            InvalidInput: more than one of `cron`, `every` and `at` is given, or `seconds`
                without `cron`.
        """
        names = [name for name in When.model_fields if name in self.model_fields_set]
        given: dict[str, object] = {name: getattr(self, name) for name in names}
        chosen = [name for name in CHOICES if given.get(name) is not None]
        if len(chosen) > 1:
            raise InvalidInput(InputProblem("give one of cron, every and at", f"#/{chosen[1]}"))
        if self.seconds and chosen and self.cron is None:
            raise InvalidInput(
                InputProblem("seconds is for cron only; leave it out, or give a cron", "#/seconds")
            )
        columns = {name: value for name, value in given.items() if name != "cron"}
        if self.time_zone is None:
            columns.pop("time_zone", None)
        if isinstance(self.every, CalendarInterval):
            interval = self.every.model_dump_json()
            columns |= {"kind": TimingKind.CALENDAR, "expression": interval, "every": None}
        elif chosen:
            columns |= {"kind": TimingKind(chosen[0]), "expression": self.cron or ""}
        return columns

    def make_schedule(self, default_zone: str, now: datetime) -> Schedule:
        """Return an unsaved schedule with this timing and no job.

        Raises:
            InvalidInput: none or more than one of `cron`, `every` and `at` is given.
        """
        columns = {"time_zone": default_zone, **self.list_columns(), "created_at": now}
        require_kind(columns)
        return Schedule(**columns)


class TimingChange(MergePatch, When):
    """Timing in a merge patch: judged after the merge into the present timing."""

    every: ChangedEvery = Field(None, description=EVERY_WORDS)

    @field_validator("cron", "starts_at", "ends_at")
    @classmethod
    def _judge(cls, value: object, _: ValidationInfo) -> object:
        return value


def read_cron(schedule: Schedule) -> str | None:
    """Return the cron expression of a schedule, if any."""
    return schedule.expression if schedule.kind == TimingKind.CRON else None


def read_every(schedule: Schedule) -> int | CalendarInterval | None:
    """Return the interval of a schedule, if any."""
    if schedule.kind != TimingKind.CALENDAR:
        return schedule.every
    return CalendarInterval.parse(schedule.expression)


def name_field(kind: str) -> str:
    """Return the field of a request that has a kind of timing."""
    return "every" if kind == TimingKind.CALENDAR else kind


async def list_all_columns(when: When, workbench: Workbench, user_id: int) -> dict[str, object]:
    """Return a new timing, complete with a time zone, as columns of a schedule.

    Args:
        when: the timing; the default time zone is the user's, or else the workbench's.
        workbench: finds the default time zone.
        user_id: the owner of the schedule.

    Raises:
        InvalidInput: none or more than one of `cron`, `every` and `at` is given.
    """
    columns = {"time_zone": await workbench.find_time_zone(user_id), **when.list_columns()}
    require_kind(columns)
    return columns


def require_kind(columns: dict[str, object], cleared: str = "cron") -> None:
    """Check that `columns` have one of `cron`, `every` and `at`.

    Args:
        columns: the columns of a timing.
        cleared: the field that the problem names.

    Raises:
        InvalidInput: none is given.
    """
    if "kind" not in columns:
        raise InvalidInput(InputProblem("give one of cron, every and at", f"#/{cleared}"))


def find_timing_problem(schedule: Schedule) -> str | None:
    """Return the reason why a stored timing is not valid any more; None for a valid timing.

    Older versions stored the timing of paused schedules without a check, and a zone may be
    missing from a later database of time zones.
    """
    try:
        Timing.of(schedule)
    except (InvalidExpression, UnknownTimeZone) as error:
        return str(error)
    return None


def describe_timing(schedule: Schedule) -> str:
    """Return a stored timing in words, or the reason why the timing is not valid any more."""
    problem = find_timing_problem(schedule)
    return Timing.of(schedule).describe() if problem is None else f"not valid: {problem}"


def read_timing(schedule: Schedule) -> Timing:
    """Return the timing of a schedule; report errors as errors of the request.

    Raises:
        InvalidInput: the timing is not valid.
    """
    try:
        return Timing.of(schedule)
    except UnknownTimeZone as error:
        raise InvalidInput(InputProblem(str(error), "#/time_zone")) from error
    except InvalidExpression as error:
        place = "#/ends_at" if schedule.ends_at is not None else f"#/{name_field(schedule.kind)}"
        raise InvalidInput(InputProblem(str(error), place)) from error

"""Timing of a schedule in requests: `cron`, `every` or `at`, and the time zone."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
)

from biont import Schema, Workbench
from biont.exceptions import InputProblem, InvalidExpression, InvalidInput
from biont.http import Instant
from biont.scheduling import CronExpression, Schedule, TimeZone, Timing, TimingKind

_DURATION = re.compile(r"(\d{1,9})(s|m|h|d)")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}

_KINDS = {TimingKind.CRON: "cron", TimingKind.EVERY: "every", TimingKind.AT: "at"}


def _parse_duration(value: object) -> object:
    """Return a duration like ``5m`` in seconds; return other values unchanged."""
    if not isinstance(value, str):
        return value
    found = _DURATION.fullmatch(value)
    if found is None:
        raise ValueError("must be a number of seconds, or a number with a unit: 90s, 5m, 2h, 1d")
    return int(found[1]) * _SECONDS[found[2]]


Duration = Annotated[
    int,
    BeforeValidator(_parse_duration),
    Field(ge=0, le=10 * 366 * 86400, json_schema_extra={"examples": [300, "5m"]}),
]
"""A number of seconds, or a number with a unit: ``5m``."""


def _check_year(at: datetime) -> datetime:
    if not 2 <= at.year < 9900:  # the years of `CronExpression`
        raise ValueError("must lie in the years 2 to 9899")
    return at


DueInstant = Annotated[Instant, AfterValidator(_check_year)]
"""An instant that `datetime` can represent in every time zone."""


class When(Schema):
    """Timing of a schedule: one of `cron`, `every` and `at`."""

    model_config = ConfigDict(extra="forbid")

    seconds: bool = Field(False, description="True if `cron` has six fields, seconds first.")
    cron: str | None = Field(None, description="Minute, hour, day, month, weekday: `0 9 * * 1-5`.")
    every: Annotated[int, BeforeValidator(_parse_duration), Field(ge=1)] | None = Field(
        None, description="Seconds between two occurrences, or `15m`, `2h`."
    )
    at: DueInstant | None = Field(None, description="The only occurrence.")
    time_zone: TimeZone | None = Field(
        None,
        description="IANA name: `Europe/Berlin`. By default your zone, or else the workbench's.",
    )
    starts_at: DueInstant | None = Field(None, description="Nothing is due before this instant.")
    ends_at: Instant | None = Field(None, description="Nothing is due after this instant.")

    @field_validator("cron")
    @classmethod
    def _check_cron(cls, text: str | None, info: ValidationInfo) -> str | None:
        if text is None:
            return None
        try:
            return CronExpression.parse(text, seconds=bool(info.data.get("seconds"))).text
        except InvalidExpression as error:
            raise ValueError(str(error)) from error

    def list_columns(self) -> dict[str, object]:
        """Return the given fields as columns of a schedule.

        Raises:
            InvalidInput: more than one of `cron`, `every` and `at` is given.
        """
        given = self.model_dump(include=set(When.model_fields), exclude_unset=True)
        chosen = [kind for kind, name in _KINDS.items() if given.get(name) is not None]
        if len(chosen) > 1:
            raise InvalidInput(
                InputProblem("give one of cron, every and at", f"#/{_KINDS[chosen[1]]}")
            )
        columns = {name: value for name, value in given.items() if name != "cron"}
        if self.time_zone is None:
            columns.pop("time_zone", None)
        if chosen:
            columns |= {"kind": chosen[0], "expression": self.cron or ""}
        return columns

    def make_schedule(self, default_zone: str, now: datetime) -> Schedule:
        """Return an unsaved schedule with this timing and no job.

        Raises:
            InvalidInput: none or more than one of `cron`, `every` and `at` is given.
        """
        columns = {"time_zone": default_zone, **self.list_columns(), "created_at": now}
        require_kind(columns)
        return Schedule(**columns)


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


def require_kind(columns: dict[str, object]) -> None:
    """Check that `columns` have one of `cron`, `every` and `at`.

    Raises:
        InvalidInput: none is given.
    """
    if "kind" not in columns:
        raise InvalidInput(InputProblem("give one of cron, every and at", "#/cron"))


def read_timing(schedule: Schedule) -> Timing:
    """Return the timing of a schedule; report errors as errors of the request.

    Raises:
        InvalidInput: the timing is not valid.
    """
    try:
        return Timing.of(schedule)
    except InvalidExpression as error:
        place = "#/ends_at" if schedule.ends_at is not None else "#/cron"
        raise InvalidInput(InputProblem(str(error), place)) from error

"""Changes of schedules: a JSON merge patch (RFC 7396) becomes columns.

The patch is merged into the present fields, and the result is judged like a new schedule: so a
change can make no schedule that could not be created, and resets no field that it does not name.
"""

from __future__ import annotations

from collections.abc import Mapping

import orjson
from pydantic import ValidationError

from biont import JobKind
from biont.exceptions import InvalidInput, point_to
from biont.http import apply_merge_patch
from biont.scheduling import Schedule, TimingKind
from biont_schedules.parameters import check_parameters
from biont_schedules.timing import CHOICES, When, read_cron, require_kind
from biont_schedules.views import Options, ScheduleChange


def list_changes(schedule: Schedule, change: When, default_zone: str) -> dict[str, object]:
    """Return the columns of timing and run policy that a change sets to another value.

    Args:
        schedule: the schedule.
        change: the patch; its fields that belong to no schedule are ignored.
        default_zone: the zone when the patch clears `time_zone`.

    Raises:
        InvalidInput: the changed schedule would not be valid.
    """
    names = change.model_fields_set & Options.model_fields.keys()
    if not names:
        return {}
    given: dict[str, object] = {name: getattr(change, name) for name in names}
    present = _read_options(schedule)
    if isinstance(interval := given.get("every"), dict):
        given["every"] = apply_merge_patch(present["every"], interval)
    merged = present | _clear_other_kinds(given) | given
    if merged["time_zone"] is None:
        merged["time_zone"] = default_zone
    try:
        columns = Options.model_validate(merged).list_columns()
    except ValidationError as error:
        raise InvalidInput.from_validation(error, point_to) from error
    require_kind(columns, next((name for name in CHOICES if name in given), "cron"))
    return {name: value for name, value in columns.items() if getattr(schedule, name) != value}


def list_job_changes(
    schedule: Schedule, change: ScheduleChange, kinds: Mapping[str, JobKind]
) -> dict[str, object]:
    """Return the columns of the name and the parameters that a change sets.

    Raises:
        InvalidInput: the changed parameters would not fit the job kind.
    """
    given = change.model_dump(include={"name", "prompt", "parameters"}, exclude_unset=True)
    columns = {"name": given["name"]} if "name" in given else {}
    if "parameters" in given or "prompt" in given:
        present = orjson.loads(schedule.parameters)
        merged = apply_merge_patch(present, given.get("parameters", {}))
        parameters = merged if isinstance(merged, dict) else {}
        columns["parameters"] = check_parameters(
            kinds, schedule.job_kind, parameters, given.get("prompt")
        )
    return columns


def _read_options(schedule: Schedule) -> dict[str, object]:
    """Return the present fields as a client would send them."""
    window = schedule.catch_up_window
    is_calendar = schedule.kind == TimingKind.CALENDAR
    read: dict[str, object] = {
        "cron": read_cron(schedule),
        "every": orjson.loads(schedule.expression) if is_calendar else schedule.every,
        "catch_up_window": None if window is None else int(window),
        "retry": orjson.loads(schedule.retry),
    }
    names = Options.model_fields.keys() - read.keys()
    return read | {name: getattr(schedule, name) for name in names}


def _clear_other_kinds(given: Mapping[str, object]) -> dict[str, object]:
    """Return the fields of the former timing that a new timing clears."""
    if all(given.get(name) is None for name in CHOICES):
        return {}
    cleared: dict[str, object] = dict.fromkeys(CHOICES)
    return cleared if given.get("cron") is not None else cleared | {"seconds": False}

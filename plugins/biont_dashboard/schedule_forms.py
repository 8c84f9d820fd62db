"""Forms of schedules: the fields of one kind of timing, with a preview of the occurrences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import orjson
from pydantic import JsonValue

from biont.exceptions import InvalidInput
from biont.http import read_form
from biont_dashboard.form_fields import read_fields
from biont_dashboard.model_choice import list_model_choices
from biont_dashboard.query_texts import to_field
from biont_dashboard.sessions import check_csrf_token
from biont_dashboard.visit import Object, Visit, list_objects

KINDS: Sequence[tuple[str, str]] = (
    ("cron", "Cron"),
    ("every", "Every so often"),
    ("calendar", "Calendar interval"),
    ("at", "Once"),
)
"""Kinds of timing, with the titles of their forms."""

_TIMING = ("cron", "seconds", "every", "at", "time_zone", "starts_at", "ends_at", "jitter")
_FIRST_CRON = "0 9 * * 1-5"
_FIRST_INTERVAL = '{"weeks": 2, "at": "09:00", "weekdays": ["MON"]}'
_ZONES = (
    "UTC",
    "Europe/Berlin",
    "Europe/London",
    "Europe/Madrid",
    "America/New_York",
    "America/Los_Angeles",
    "America/Sao_Paulo",
    "Asia/Kolkata",
    "Asia/Shanghai",
    "Asia/Tokyo",
    "Australia/Sydney",
)


@dataclass(frozen=True)
class ScheduleForm:
    """State of a form.

    Attributes:
        kind: the kind of timing.
        values: the texts of the fields by name: ``cron``, ``parameters.model``.
        timing: the timing to preview, as JSON; None for an incomplete timing.
        body: the whole body of the call that the form makes; empty for fields that cannot be read.
        problems: the reasons why the fields cannot be read.
    """

    kind: str
    values: Mapping[str, str]
    timing: Object | None = None
    problems: Sequence[str] = field(default_factory=tuple)
    body: Object = field(default_factory=dict)


def open_new_form(kind: str, prompt: str) -> ScheduleForm:
    """Return the form of a new schedule."""
    firsts = {"cron": _FIRST_CRON, "every": "1h", "calendar": _FIRST_INTERVAL}
    first = firsts.get(kind, "")
    name = "every" if kind == "calendar" else kind
    timing = _read_first(kind, first)
    return ScheduleForm(_check_kind(kind), {name: first, "prompt": prompt}, timing)


def open_present_form(schedule: Object, kind: str) -> ScheduleForm:
    """Return the form of a schedule; `kind` is another kind of timing, or empty."""
    present = str(schedule["kind"])
    chosen = _check_kind(kind or present)
    values = {
        name: _write(schedule[name])
        for name in (*_TIMING, "name", "max_runs", "catch_up", "overlap", "timeout", "retry")
    }
    values |= {"daily_budget": _write(schedule["daily_budget"])}
    if schedule["kind"] == "every":
        values["every"] = f"{schedule['every']}s"
    parameters = schedule["parameters"]
    if isinstance(parameters, dict):
        values["prompt"] = _write(parameters.get("prompt"))
        values["parameters"] = orjson.dumps(parameters, option=orjson.OPT_INDENT_2).decode()
        values |= {
            f"parameters.{name}": _write(parameters.get(name)) for name in ("model", "title")
        }
        tags = parameters.get("tags")
        values["parameters.tags"] = " ".join(map(str, tags)) if isinstance(tags, list) else ""
    if chosen != present:
        return ScheduleForm(chosen, {**values, "cron": "", "every": "", "at": ""})
    timing = {name: schedule[name] for name in _TIMING if schedule[name] is not None}
    return ScheduleForm(chosen, values, timing)


async def read_schedule_form(visit: Visit, kind: str) -> ScheduleForm:
    """Return the form that a browser has sent for a preview.

    Raises:
        Forbidden: the form does not come from a page of the session.
    """
    fields = await read_form(visit.http)
    check_csrf_token(visit.request, dict(fields).get("csrf"))
    values = {
        name.partition(":")[0].removeprefix("body."): text
        for name, text in fields
        if name.startswith(("body.", "simulation."))
    }
    try:
        body, _ = read_fields(fields)
    except InvalidInput as error:
        problems = [f"{problem.place.strip('#/')}: {problem.detail}" for problem in error.problems]
        return ScheduleForm(_check_kind(kind), values, None, problems)
    timing = {name: body[name] for name in _TIMING if body.get(name) is not None}
    return ScheduleForm(_check_kind(kind), values, timing, body=body)


@dataclass(frozen=True)
class FormView:
    """Form as the template shows it.

    Attributes:
        zone: the default time zone.
        zones: time zones to suggest.
        tabs: the kinds of timing, as links.
        models: the models to choose from.
        preview: the answer to a preview; None for none.
        problems: the reasons why there is no preview.
    """

    zone: str
    zones: Sequence[str]
    tabs: Sequence[tuple[str, str, bool]]
    models: Sequence[tuple[str, str]]
    preview: JsonValue
    problems: Sequence[str]


async def view_form(visit: Visit, form: ScheduleForm, schedule: Object | None) -> FormView:
    """Return a form with a preview and with what the fields offer.

    Args:
        visit: the visit.
        form: the form.
        schedule: the schedule that the form changes; None for a new one.
    """
    preview, problems = await _preview(visit, form, schedule)
    path = "/dashboard/schedules/" + ("new" if schedule is None else f"{schedule['id']}/edit")
    zone = await visit.request.workbench.find_time_zone(visit.request.user_id)
    return FormView(
        zone,
        [zone, *(name for name in _ZONES if name != zone)],
        [(title, f"{path}?kind={name}", name == form.kind) for name, title in KINDS],
        await list_model_choices(visit, form.values.get("parameters.model", "")),
        preview,
        problems,
    )


async def _preview(
    visit: Visit, form: ScheduleForm, schedule: Object | None
) -> tuple[JsonValue, Sequence[str]]:
    if not form.timing or visit.is_read_only:
        return None, form.problems
    body = form.timing if schedule is None else {**form.timing, "schedule_id": schedule["id"]}
    answer = await visit.call("POST", "/api/v1/schedule/preview", body=body)
    found = answer.read_json()
    if answer.is_ok:
        return found, ()
    return None, list_problems(found) if isinstance(found, dict) else ()


def _check_kind(kind: str) -> str:
    return kind if kind in dict(KINDS) else "cron"


def _read_first(kind: str, first: str) -> Object | None:
    if not first:
        return None
    return {"every": orjson.loads(first)} if kind == "calendar" else {kind: first}


def _write(value: JsonValue) -> str:
    """Return a value of the API as the text of a field."""
    if value is None:
        return ""
    if isinstance(value, str):
        return to_field(value) if value.endswith("Z") and value[10:11] == "T" else value
    return orjson.dumps(value).decode()


def list_problems(found: Object) -> Sequence[str]:
    """Return the problems of a refused timing as sentences."""
    return [
        f"{str(each.get('pointer', '')).strip('#/') or each.get('parameter') or 'timing'}: "
        f"{each.get('detail')}"
        for each in list_objects(found, "errors")
    ] or [str(found.get("detail"))]

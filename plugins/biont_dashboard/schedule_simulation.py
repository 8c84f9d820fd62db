"""Simulation on the form of a schedule: the present beside the changed occurrences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from biont.http import QueryValue
from biont_dashboard.form_fields import read_instant
from biont_dashboard.schedule_forms import ScheduleForm, list_problems
from biont_dashboard.visit import Object, Visit, list_objects

_SHOWN = 12


@dataclass(frozen=True, slots=True)
class ShownSimulation:
    """Simulation as the template shows it.

    Attributes:
        answer: the answer of the API; None for none.
        rows: the occurrences side by side: as the schedule is, and with the change.
        problems: the reasons why there is no answer.
    """

    answer: Object | None
    rows: Sequence[tuple[Object | None, Object | None]] = ()
    problems: Sequence[str] = ()


async def simulate_form(visit: Visit, form: ScheduleForm, schedule: Object) -> ShownSimulation:
    """Simulate the change that a form makes."""
    if form.problems:
        return ShownSimulation(None, problems=form.problems)
    answer = await visit.call(
        "POST",
        f"/api/v1/schedule/{schedule['id']}/simulate",
        query=_read_conditions(form.values),
        body=form.body,
    )
    found = answer.read_json()
    if not isinstance(found, dict) or not answer.is_ok:
        return ShownSimulation(
            None, problems=list_problems(found) if isinstance(found, dict) else ()
        )
    present, changed = (_list_occurrences(found, name) for name in ("present", "changed"))
    return ShownSimulation(found, list(zip_longest(present, changed)))


def _read_conditions(values: Mapping[str, str]) -> dict[str, QueryValue]:
    """Return the query of the simulation from the fields `simulation.NAME`."""
    given = {
        name: text.strip()
        for name in ("days", "duration", "down_from", "down_until")
        if (text := values.get(f"simulation.{name}", "")).strip()
    }
    for name in ("down_from", "down_until"):
        if name in given:
            given[name] = read_instant(given[name])
    return {**given, "limit": _SHOWN}


def _list_occurrences(found: Object, name: str) -> Sequence[Object]:
    simulated = found[name]
    return list_objects(simulated, "occurrences") if isinstance(simulated, dict) else []

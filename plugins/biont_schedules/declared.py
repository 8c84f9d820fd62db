"""Declared schedules: each start makes the database follow the operator's files.

A schedule is identified by user and slug. New declarations are inserted, changed columns
are updated, and rows of origin ``file`` without a declaration are deleted, all in one transaction:
if a declaration is wrong, nothing is changed and the start fails.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import structlog

from biont import JobKind, Workbench
from biont.accounts import User
from biont.cli import read_settings
from biont.exceptions import InputProblem, InvalidInput, SettingsError
from biont.http import QUOTAS, Quota
from biont.scheduling import JOB_KINDS, Schedule
from biont.settings import Settings
from biont_schedules.parameters import check_parameters
from biont_schedules.schedules import FILE, apply_change, count_schedules, insert_schedule
from biont_schedules.settings import Declaration, SchedulesSettings

_log = structlog.get_logger("biont.schedules")


@asynccontextmanager
async def keep_declared(workbench: Workbench) -> AsyncIterator[None]:
    """Make the database follow the declared schedules.

    Raises:
        SettingsError: a declaration is wrong; each problem is named with file, line and column.
    """
    settings = workbench.plugin_settings("schedules", SchedulesSettings)
    workbench.get(QUOTAS).add(
        Quota("schedules", settings.quota, "plugins.schedules.quota", count_schedules)
    )
    reconciler = _Reconciler(workbench.settings, workbench.get(JOB_KINDS), workbench.clock.now())
    done = await workbench.store.write(reconciler.reconcile, settings.declared)
    if any(done.values()):
        _log.info("database follows the declared schedules", **done)
    yield


def read_declared(config: Path | None) -> dict[str, Declaration]:
    """Return the declarations in files by slug; the database is not read.

    Args:
        config: a folder of YAML files, or one file; None for the default of `biont serve`.

    Raises:
        SettingsError: a setting is wrong; each problem is named with file, line and column.
    """
    return read_settings(config).read_section("schedules", SchedulesSettings).declared


@dataclass(frozen=True)
class _Reconciler:
    settings: Settings
    kinds: Mapping[str, JobKind]
    now: datetime

    def reconcile(self, declared: Mapping[str, Declaration]) -> dict[str, list[str]]:
        """Create, change and remove schedules; return the slugs by action."""
        present = {
            (schedule.user_id, str(schedule.slug)): schedule
            for schedule in Schedule.select().where(Schedule.origin == FILE)
        }
        done: dict[str, list[str]] = {"created": [], "changed": [], "removed": []}
        problems: list[str] = []
        for slug, declaration in declared.items():
            try:
                action = self._reconcile_one(slug, declaration, present)
            except InvalidInput as error:
                problems += [self._locate_problem(slug, problem) for problem in error.problems]
            else:
                if action:
                    done[action].append(slug)
        # All problems are collected before the transaction is given up, so that an operator
        # mends the file once and not problem by problem.
        if problems:
            raise SettingsError(problems)
        for (_, slug), schedule in present.items():
            schedule.delete_instance()
            done["removed"].append(slug)
        return done

    def _reconcile_one(
        self,
        slug: str,
        declaration: Declaration,
        present: dict[tuple[int, str], Schedule],
    ) -> str | None:
        user = User.get_or_none(User.name == declaration.user)
        if user is None:
            name = declaration.user
            raise InvalidInput(
                InputProblem(
                    f"there is no user {name!r}; create one with `biont users create {name}`",
                    "#/user",
                )
            )
        columns = self._make_declared_columns(slug, declaration, user)
        schedule = present.pop((user.id, slug), None)
        if schedule is None:
            insert_schedule(user.id, columns, self.now)
            return "created"
        changed = {
            name: value for name, value in columns.items() if getattr(schedule, name) != value
        }
        if changed:
            apply_change(schedule, changed, self.now)
        return "changed" if changed else None

    def _make_declared_columns(
        self, slug: str, declaration: Declaration, user: User
    ) -> dict[str, object]:
        """Return all columns; an option that was removed from the file gets the default."""
        fields = Schedule._meta.fields  # noqa: SLF001  # peewee's way
        defaults = {name: fields[name].default for name in _DECLARED}
        return (
            defaults
            | declaration.list_columns()
            | {
                "time_zone": declaration.time_zone
                or user.time_zone
                or self.settings.scheduler.time_zone,
                "name": declaration.name or slug,
                "job_kind": declaration.job,
                "parameters": check_parameters(
                    self.kinds, declaration.job, declaration.parameters, declaration.prompt
                ),
                "origin": FILE,
                "slug": slug,
            }
        )

    def _locate_problem(self, slug: str, problem: InputProblem) -> str:
        path = ("plugins", "schedules", "declared", slug, *problem.place.split("/")[1:])
        return f"{self.settings.locate(path)}: {problem.detail}"


_DECLARED = (
    *("expression", "seconds", "every", "at", "starts_at", "ends_at", "max_runs", "jitter"),
    *("catch_up", "catch_up_window", "catch_up_limit", "overlap", "timeout", "retry"),
    *("daily_budget", "on_crash"),
)

"""Simulated outcomes agree with the scheduler."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from core.test_scheduler import NOON, Plan

from biont.accounts import User
from biont.scheduling import Downtime, Schedule, SimulatedRun, plan_schedule, simulate
from biont.settings import Settings

SETTINGS = Settings().scheduler
YEAR = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC)


def make_schedule(expression: object = "", zone: object = "UTC", **columns: object) -> Schedule:
    made: dict[str, object] = {
        "name": expression,
        "expression": expression,
        "time_zone": zone,
        "job_kind": "test",
        "parameters": "{}",
        "created_at": NOON,
        "updated_at": NOON,
    }
    return Schedule(**(made | columns))


def count_statuses(runs: list[SimulatedRun]) -> dict[str, int]:
    return dict(Counter(run.status.value for run in runs))


@pytest.mark.parametrize(
    ("expression", "zone", "due"),
    [
        ("30 2 * * *", "Europe/Berlin", 365),
        ("0 * * * *", "America/New_York", 8760),
        ("45 1 * * *", "Australia/Lord_Howe", 365),
        ("0 0 * * *", "Africa/Cairo", 365),
        ("0 9 * * 1-5", "Asia/Kathmandu", 261),
        ("0 8 L * *", "America/Sao_Paulo", 12),
        ("0 0 29 2 *", "UTC", 0),
    ],
)
def test_a_simulated_year_has_each_occurrence_once(expression: str, zone: str, due: int) -> None:
    runs = simulate([make_schedule(expression, zone)], *YEAR, SETTINGS)
    assert len({run.scheduled_for for run in runs}) == len(runs) == due
    assert count_statuses(runs) == ({"succeeded": due} if due else {})


def test_occurrences_at_both_ends_are_simulated() -> None:
    runs = simulate([make_schedule("0 * * * *")], NOON, NOON + timedelta(hours=2), SETTINGS)
    assert [run.scheduled_for.hour for run in runs] == [12, 13, 14]


@pytest.mark.parametrize(
    ("columns", "counts"),
    [
        ({}, {"missed": 119, "coalesced": 60, "succeeded": 61}),
        ({"catch_up": "none"}, {"missed": 174, "coalesced": 5, "succeeded": 61}),
        ({"catch_up": "all"}, {"missed": 119, "succeeded": 121}),
        (
            {"catch_up": "all", "catch_up_limit": 10},
            {"missed": 119, "coalesced": 51, "succeeded": 70},
        ),
    ],
)
def test_downtime_is_caught_up_by_policy(
    columns: dict[str, object], counts: dict[str, int]
) -> None:
    down = Downtime(NOON, NOON + timedelta(hours=3))
    end = NOON + timedelta(hours=4)
    (schedule,) = [make_schedule("* * * * *", **columns)]
    runs = simulate([schedule], NOON + timedelta(minutes=1), end, SETTINGS, downtime=down)
    assert count_statuses(runs) == counts
    assert all(run.schedule is schedule for run in runs)


@pytest.mark.parametrize(
    ("columns", "counts"),
    [
        ({}, {"succeeded": 3, "skipped_overlap": 3}),
        ({"overlap": "queue"}, {"succeeded": 6}),
        ({"overlap": "allow"}, {"succeeded": 6}),
        ({"timeout": 30}, {"failed": 6}),
        ({"daily_budget": 2}, {"succeeded": 2, "skipped_overlap": 2, "skipped_budget": 2}),
        ({"max_runs": 2}, {"succeeded": 2, "skipped_overlap": 1}),
    ],
)
def test_long_runs_end_by_the_run_policy(
    columns: dict[str, object], counts: dict[str, int]
) -> None:
    first, last = NOON + timedelta(minutes=1), NOON + timedelta(minutes=6)
    runs = simulate(
        [make_schedule("* * * * *", **columns)],
        first,
        last,
        SETTINGS,
        duration=timedelta(seconds=90),
    )
    assert count_statuses(runs) == counts


def test_a_run_that_a_downtime_interrupts_is_resumed_or_fails_by_on_crash() -> None:
    schedules = [make_schedule("0 13 * * *"), make_schedule("0 13 * * *", on_crash="fail")]
    down = Downtime(NOON + timedelta(minutes=61), NOON + timedelta(minutes=90))
    resumed, failed = simulate(
        schedules,
        NOON,
        NOON + timedelta(hours=3),
        SETTINGS,
        duration=timedelta(seconds=120),
        downtime=down,
    )
    assert (resumed.status, resumed.ended_at) == ("succeeded", down.end + timedelta(seconds=120))
    assert (failed.status, failed.ended_at) == ("failed", down.end)
    assert "interrupted" in str(failed.reason)


def test_runs_that_wait_for_too_long_end_as_late() -> None:
    runs = simulate(
        [make_schedule("* * * * *", overlap="queue", timeout=1000.0)],
        NOON,
        NOON + timedelta(hours=2),
        SETTINGS,
        duration=timedelta(minutes=10),
    )
    counts = count_statuses(runs)
    assert counts["late"] > 0
    assert counts["late"] + counts["succeeded"] == len(runs)


def test_a_bounded_number_of_runs_waits() -> None:
    schedule = make_schedule(
        kind="every", every=1, overlap="queue", catch_up_window=1e6, timeout=2000.0
    )
    runs = simulate(
        [schedule],
        NOON,
        NOON + timedelta(seconds=1500),
        SETTINGS,
        duration=timedelta(seconds=1000),
    )
    counts = count_statuses(runs)
    assert counts["succeeded"] + counts["skipped_overlap"] == len(runs)
    assert 1000 <= counts["succeeded"] <= 1010
    assert "runs of the schedule were waiting" in str(runs[-1].reason)


async def test_the_scheduler_gives_the_same_outcomes_as_the_simulation(tmp_path: Path) -> None:
    schedules = [
        make_schedule("*/20 * * * *", "Europe/Berlin"),
        make_schedule("17 * * * *", jitter=600),
        make_schedule(kind="every", every=2700),
        make_schedule(kind="at", at=NOON + timedelta(minutes=95)),
        make_schedule("*/10 * * * *", max_runs=5),
        make_schedule("*/10 * * * *", daily_budget=7),
        make_schedule("*/30 * * * *", ends_at=NOON + timedelta(hours=2)),
    ]
    end = NOON + timedelta(hours=5)
    down = Downtime(NOON + timedelta(hours=3), NOON + timedelta(hours=4, minutes=25))
    simulated = simulate(schedules, NOON, end, SETTINGS, downtime=down)
    plan = Plan(tmp_path / "plan.sqlite3")

    def insert() -> None:
        user = User.create(name="ada", created_at=NOON)
        for schedule in schedules:
            copied = Schedule.create(**schedule.__data__, user=user)
            plan_schedule(copied, NOON - timedelta(microseconds=1))
            copied.save()

    moments = sorted({run.due_at for run in simulated if not down.start <= run.due_at < down.end})
    async with plan.run(concurrency=SETTINGS.concurrency) as scheduler:
        await plan.store.write(insert)
        for moment in sorted({*moments, down.end}):
            plan.clock.at = moment
            await scheduler.sweep()
            await plan.wait_until_ended()
        real = await plan.read_runs()
    assert sorted(
        (run.schedule_id, run.scheduled_for, run.due_at, run.status) for run in real
    ) == (
        sorted(
            (schedules.index(run.schedule) + 1, run.scheduled_for, run.due_at, run.status)
            for run in simulated
        )
    )
    assert set(count_statuses(simulated)) >= {"succeeded", "coalesced", "missed", "skipped_budget"}

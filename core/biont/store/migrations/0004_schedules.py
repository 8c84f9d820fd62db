"""When schedules are due beside by cron, their policies, and why a run ended as it did."""

_SCHEDULES = (
    "kind TEXT NOT NULL DEFAULT 'cron'",
    "seconds INTEGER NOT NULL DEFAULT 0",
    "every INTEGER",
    "at TIMESTAMPTZ",
    "starts_at TIMESTAMPTZ",
    "ends_at TIMESTAMPTZ",
    "max_runs INTEGER",
    "run_count INTEGER NOT NULL DEFAULT 0",
    "jitter INTEGER NOT NULL DEFAULT 0",
    "catch_up TEXT NOT NULL DEFAULT 'latest'",
    "catch_up_window REAL",
    "catch_up_limit INTEGER NOT NULL DEFAULT 100",
    "overlap TEXT NOT NULL DEFAULT 'skip'",
    "timeout REAL",
    "retry TEXT NOT NULL DEFAULT '[]'",
    "daily_budget INTEGER",
    "on_crash TEXT NOT NULL DEFAULT 'resume'",
    "origin TEXT",
    "slug TEXT",
)
_RUNS = (
    "due_at TIMESTAMPTZ",
    "\"trigger\" TEXT NOT NULL DEFAULT 'schedule'",
    "failures INTEGER NOT NULL DEFAULT 0",
    "waits_until TIMESTAMPTZ",
    "reason TEXT",
)
_STATEMENTS = (
    *(f"ALTER TABLE schedules ADD COLUMN {column}" for column in _SCHEDULES),
    *(f"ALTER TABLE schedule_runs ADD COLUMN {column}" for column in _RUNS),
    "UPDATE schedule_runs SET due_at = scheduled_for",
    "CREATE UNIQUE INDEX schedules_slug ON schedules (user_id, slug) WHERE slug IS NOT NULL",
    # The runs of a schedule that have not ended: whether it is busy.
    "DROP INDEX schedule_runs_unfinished",
    "CREATE INDEX schedule_runs_unfinished ON schedule_runs (schedule_id) WHERE ended_at IS NULL",
    "CREATE INDEX schedule_runs_waiting ON schedule_runs (waits_until) WHERE waits_until NOT NULL",
)


def up(migrator, db):
    for statement in _STATEMENTS:
        db.execute_sql(statement)

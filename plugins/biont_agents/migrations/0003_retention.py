"""Index by which retention finds old agent runs."""


def up(migrator, db):
    db.execute_sql("CREATE INDEX agent_runs_updated ON agent_runs (updated_at)")

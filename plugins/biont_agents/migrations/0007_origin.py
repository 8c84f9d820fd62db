"""Origin of rows to which text from outside has led."""


def up(migrator, db):
    db.execute_sql('ALTER TABLE "agent_runs" ADD COLUMN "origin" TEXT')
    db.execute_sql('ALTER TABLE "tool_calls" ADD COLUMN "origin" TEXT')

"""Origin of rows to which text from outside has led."""


def up(migrator, db):
    db.execute_sql('ALTER TABLE "missions" ADD COLUMN "origin" TEXT')
    db.execute_sql('ALTER TABLE "tasks" ADD COLUMN "origin" TEXT')

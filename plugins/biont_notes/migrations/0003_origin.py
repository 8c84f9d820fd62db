"""Origin of rows to which text from outside has led."""


def up(migrator, db):
    db.execute_sql('ALTER TABLE "notes" ADD COLUMN "origin" TEXT')

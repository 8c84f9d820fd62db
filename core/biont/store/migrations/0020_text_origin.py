"""Origin of schedules to which text from outside has led."""


def up(migrator, db):
    db.execute_sql('ALTER TABLE "schedules" ADD COLUMN "text_origin" TEXT')

"""Missions and tasks."""

from peewee import SQL, AutoField, IntegerField, TextField
from playhouse.postgres_ext import DateTimeTZField


def up(migrator, db):
    class Mission(db.Model):
        id = AutoField()
        # Of the core's table, which has no model in this file.
        user_id = IntegerField(
            index=True, constraints=[SQL("REFERENCES users (id) ON DELETE CASCADE")]
        )
        goal = TextField()
        status = TextField()
        model = TextField(null=True)
        tools = TextField()
        max_tokens = IntegerField()
        tokens = IntegerField()
        max_reviews = IntegerField()
        reviews = IntegerField()
        error = TextField(null=True)
        note_id = IntegerField(null=True)
        created_at = DateTimeTZField()
        updated_at = DateTimeTZField()
        ended_at = DateTimeTZField(null=True)

        class Meta:
            table_name = "missions"

    Mission.add_index(
        Mission.index(Mission.id, name="missions_going", where=SQL("ended_at IS NULL"))
    )

    class Task(db.Model):
        id = AutoField()
        user_id = IntegerField(
            index=True, constraints=[SQL("REFERENCES users (id) ON DELETE CASCADE")]
        )
        mission_id = IntegerField(
            null=True, constraints=[SQL("REFERENCES missions (id) ON DELETE CASCADE")]
        )
        position = IntegerField()
        title = TextField()
        instructions = TextField()
        depends_on = TextField()
        status = TextField()
        result = TextField(null=True)
        error = TextField(null=True)
        tokens = IntegerField()
        agent_run_id = IntegerField(null=True)
        created_at = DateTimeTZField()
        started_at = DateTimeTZField(null=True)
        ended_at = DateTimeTZField(null=True)

        class Meta:
            table_name = "tasks"
            indexes = ((("mission_id", "position"), True),)

    db.create_tables([Mission, Task])

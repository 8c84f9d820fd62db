"""Tables of agent runs and tool calls."""

from peewee import SQL, AutoField, BooleanField, IntegerField, TextField
from playhouse.postgres_ext import DateTimeTZField


def up(migrator, db):
    class AgentRun(db.Model):
        id = AutoField()
        # Of the core's table, which has no model in this file.
        user_id = IntegerField(
            index=True, constraints=[SQL("REFERENCES users (id) ON DELETE CASCADE")]
        )
        source = TextField(index=True)
        source_url = TextField()
        model = TextField(null=True)
        messages = TextField()
        tools = TextField()
        status = TextField()
        rounds = IntegerField()
        max_rounds = IntegerField()
        prompt_tokens = IntegerField()
        completion_tokens = IntegerField()
        tokens_estimated = BooleanField()
        max_tokens = IntegerField()
        answer = TextField(null=True)
        answered_by = TextField(null=True)
        backend = TextField(null=True)
        created_at = DateTimeTZField()
        updated_at = DateTimeTZField()

        class Meta:
            table_name = "agent_runs"

    class ToolCallRecord(db.Model):
        id = AutoField()
        run_id = IntegerField(constraints=[SQL("REFERENCES agent_runs (id) ON DELETE CASCADE")])
        user_id = IntegerField(constraints=[SQL("REFERENCES users (id) ON DELETE CASCADE")])
        round = IntegerField()
        position = IntegerField()
        call_id = TextField()
        tool = TextField()
        arguments = TextField()
        status = TextField()
        result = TextField(null=True)
        created_at = DateTimeTZField()
        ended_at = DateTimeTZField(null=True)

        class Meta:
            table_name = "tool_calls"
            indexes = ((("run_id", "round", "position"), True), (("user_id", "status"), False))

    db.create_tables([AgentRun, ToolCallRecord])

"""Table of recorded LLM calls."""

from __future__ import annotations

from peewee import BooleanField, FloatField, IntegerField, TextField

from biont import InstantField, OwnedTable


class RecordedCall(OwnedTable):
    """A recorded call: its owners, its model, and its usage."""

    key_id = IntegerField(null=True)
    schedule_id = IntegerField(null=True)
    run_id = IntegerField(null=True)
    conversation_id = IntegerField(null=True)
    mission_id = IntegerField(null=True)
    day = TextField()
    backend = TextField()
    model = TextField()
    prompt_tokens = IntegerField()
    completion_tokens = IntegerField()
    estimated = BooleanField()
    cost = FloatField(null=True)
    duration = FloatField()
    error = TextField(null=True)
    prompt = TextField(null=True)
    answer = TextField(null=True)
    created_at = InstantField()

    class Meta:
        table_name = "llm_calls"

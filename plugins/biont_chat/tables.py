"""Tables of conversations, their messages, and questions with a waiting answer."""

from __future__ import annotations

from peewee import AutoField, BooleanField, ForeignKeyField, IntegerField, TextField

from biont import InstantField, OwnedTable, Table
from biont.store import OriginField


class Conversation(OwnedTable):
    """Conversation of a user with models.

    Attributes:
        origin: the event by which text from outside came in that an answer has read, if any.
    """

    title = TextField()
    system = TextField(null=True)
    model = TextField(null=True)
    origin = OriginField()
    created_at = InstantField()
    updated_at = InstantField()

    class Meta:
        table_name = "conversations"


class ChatMessage(Table):
    """One turn of a conversation; a model's turn has its usage."""

    id = AutoField()
    conversation = ForeignKeyField(Conversation, on_delete="CASCADE")
    conversation_id: int
    role = TextField()
    content = TextField()
    model = TextField(null=True)
    backend = TextField(null=True)
    prompt_tokens = IntegerField(null=True)
    completion_tokens = IntegerField(null=True)
    tokens_estimated = BooleanField(default=False)
    interrupted = BooleanField(default=False)
    created_at = InstantField()

    class Meta:
        table_name = "chat_messages"


class WaitingAnswer(Table):
    """Question whose answer waits for the approval of a tool call.

    Attributes:
        question: message of the question.
        agent_run_id: agent run that produces the answer.
        key_id: API key of the request.
    """

    id = AutoField()
    question_id: int
    question = ForeignKeyField(ChatMessage, on_delete="CASCADE")
    agent_run_id = IntegerField(unique=True)
    key_id = IntegerField(null=True)

    class Meta:
        table_name = "chat_waiting_answers"

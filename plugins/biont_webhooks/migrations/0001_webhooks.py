"""Webhooks, what is owed to them, and what was tried."""

from peewee import SQL, AutoField, ForeignKeyField, IntegerField, TextField
from playhouse.postgres_ext import DateTimeTZField


def up(migrator, db):
    class Webhook(db.Model):
        # Of the core's table, which has no model in this file.
        user_id = IntegerField(
            index=True, constraints=[SQL("REFERENCES users (id) ON DELETE CASCADE")]
        )
        url = TextField()
        event_types = TextField()
        secret = TextField()
        created_at = DateTimeTZField()

        class Meta:
            table_name = "webhooks"

    class Message(db.Model):
        event_id = TextField(primary_key=True)
        event_type = TextField()
        body = TextField()
        created_at = DateTimeTZField()

        class Meta:
            table_name = "webhook_messages"

    class Delivery(db.Model):
        id = AutoField()
        webhook = ForeignKeyField(Webhook, on_delete="CASCADE", index=False)
        message = ForeignKeyField(Message, on_delete="CASCADE")
        status = TextField()

        class Meta:
            table_name = "webhook_deliveries"
            indexes = ((("webhook", "message"), True),)

    # What is still owed, a webhook at a time.
    Delivery.add_index(
        Delivery.index(
            Delivery.webhook,
            Delivery.id,
            name="webhook_deliveries_pending",
            where=SQL("status = 'pending'"),
        )
    )

    class Attempt(db.Model):
        delivery = ForeignKeyField(Delivery, on_delete="CASCADE")
        attempted_at = DateTimeTZField()
        duration_ms = IntegerField()
        status_code = IntegerField(null=True)
        error = TextField(null=True)
        answer = TextField()

        class Meta:
            table_name = "webhook_attempts"

    db.create_tables([Webhook, Message, Delivery, Attempt])

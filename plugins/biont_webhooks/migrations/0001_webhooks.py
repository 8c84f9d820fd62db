"""Tables of webhooks, event messages, deliveries and attempts."""

from peewee import SQL, AutoField, ForeignKeyField, IntegerField, TextField
from playhouse.postgres_ext import DateTimeTZField


def up(migrator, db):
    class Webhook(db.Model):
        # A column of SQL: the table of users belongs to the core and has no model here.
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

    # Pending deliveries, by webhook.
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

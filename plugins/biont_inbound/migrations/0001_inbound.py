"""Tables of inbound webhooks, their accepted requests, and their last requests."""

from peewee import SQL, AutoField, BooleanField, FloatField, IntegerField, TextField
from playhouse.postgres_ext import DateTimeTZField


def up(migrator, db):
    class InboundWebhook(db.Model):
        id = AutoField()
        # Of the core's table, which has no model in this file.
        user_id = IntegerField(
            index=True, constraints=[SQL("REFERENCES users (id) ON DELETE CASCADE")]
        )
        name = TextField()
        token_hash = TextField(unique=True)
        preset = TextField()
        template = TextField(null=True)
        secret = TextField(null=True)
        previous_secrets = TextField(null=True)
        action = TextField()
        filter = TextField(null=True)
        addresses = TextField(null=True)
        rate = FloatField(null=True)
        paused = BooleanField()
        last_received_at = DateTimeTZField(null=True)
        created_at = DateTimeTZField()
        updated_at = DateTimeTZField()

        class Meta:
            table_name = "inbound_webhooks"

    class InboundDelivery(db.Model):
        id = AutoField()
        user_id = IntegerField(
            index=True, constraints=[SQL("REFERENCES users (id) ON DELETE CASCADE")]
        )
        webhook_id = IntegerField(
            constraints=[SQL("REFERENCES inbound_webhooks (id) ON DELETE CASCADE")]
        )
        delivery_id = TextField(null=True)
        event_id = TextField(unique=True)
        state = TextField()
        prompt = TextField(null=True)
        result = TextField(null=True)
        received_at = DateTimeTZField(index=True)

        class Meta:
            table_name = "inbound_deliveries"
            indexes = ((("webhook_id", "delivery_id"), True),)

    class InboundRequest(db.Model):
        id = AutoField()
        user_id = IntegerField(
            index=True, constraints=[SQL("REFERENCES users (id) ON DELETE CASCADE")]
        )
        webhook_id = IntegerField(
            index=True, constraints=[SQL("REFERENCES inbound_webhooks (id) ON DELETE CASCADE")]
        )
        verdict = TextField()
        reason = TextField(null=True)
        address = TextField()
        headers = TextField()
        body = TextField()
        event_id = TextField(null=True)
        received_at = DateTimeTZField()

        class Meta:
            table_name = "inbound_requests"

    db.create_tables([InboundWebhook, InboundDelivery, InboundRequest])

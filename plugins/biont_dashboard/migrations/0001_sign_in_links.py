"""The links to sign in."""

from peewee import SQL, AutoField, IntegerField, TextField
from playhouse.postgres_ext import DateTimeTZField


def up(migrator, db):
    class SignInLink(db.Model):
        id = AutoField()
        digest = TextField(unique=True)
        # Of the core's table, which has no model in this file.
        user_id = IntegerField(
            null=True, index=True, constraints=[SQL("REFERENCES users (id) ON DELETE CASCADE")]
        )
        created_at = DateTimeTZField()
        expires_at = DateTimeTZField()
        used_at = DateTimeTZField(null=True)

        class Meta:
            table_name = "sign_in_links"

    db.create_tables([SignInLink])

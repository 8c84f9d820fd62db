"""What tells whether the operator's keys belong to this database."""

from peewee import TextField


def up(migrator, db):
    class VaultSeal(db.Model):
        token = TextField()

        class Meta:
            table_name = "vault_seals"

    db.create_tables([VaultSeal])

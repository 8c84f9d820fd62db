"""Table of listeners."""

from __future__ import annotations

from collections.abc import Mapping

from peewee import IntegerField, TextField

from biont import InstantField, OwnedTable
from biont.security import Vault


class Listener(OwnedTable):
    """Named consumer of the events of a user.

    `event_types` is JSON, and `secret` is encrypted by the vault. `position` is the number of the
    last event in the event log that the consumer has acknowledged.
    """

    name = TextField()
    event_types = TextField()
    secret = TextField()
    position = IntegerField()
    created_at = InstantField()

    class Meta:
        table_name = "webhook_listeners"


def find_stale_listener_secrets(vault: Vault) -> dict[int, str]:
    """Return the secrets to encrypt with the present key of the vault, by listener."""
    tokens = {
        listener.id: (listener.secret, vault.refresh(listener.secret)) for listener in Listener
    }
    return {number: new for number, (old, new) in tokens.items() if new != old}


def replace_listener_secrets(tokens: Mapping[int, str]) -> None:
    """Store the result of `find_stale_listener_secrets`."""
    for number, token in tokens.items():
        Listener.update(secret=token).where(Listener.id == number).execute()

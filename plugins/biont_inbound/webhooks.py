"""Store functions for inbound webhooks: create, change, rotate and delete."""

from __future__ import annotations

import secrets as random
from collections.abc import Mapping
from datetime import datetime

from biont.exceptions import Conflict
from biont.security import Vault
from biont.store import dump_json
from biont_inbound.actions import ACTION
from biont_inbound.active_webhooks import (
    MOST_SECRETS,
    dump_previous_secrets,
    hash_token,
    load_previous_secrets,
)
from biont_inbound.presets import PRESETS
from biont_inbound.schemas import InboundWebhookChange, NewInboundWebhook
from biont_inbound.signatures import SignatureTemplate, check_secret
from biont_inbound.tables import InboundWebhook
from biont_webhooks import dump_filter, generate_secret

_TOKEN_BYTES = 32


def make_token() -> str:
    """Return a new token for a URL."""
    return random.token_urlsafe(_TOKEN_BYTES)


def choose_secret(new: NewInboundWebhook) -> str | None:
    """Return the secret of a new webhook; None if the sender makes the secret, or signs nothing.

    Raises:
        InvalidInput: the secret cannot be used with the signature.
    """
    template = new.signature or PRESETS[new.preset].template
    if new.secret is not None:
        check_secret(template, new.secret)
        return new.secret
    if template is None or PRESETS[new.preset].makes_secret:
        return None
    return generate_secret()


def insert_webhook(
    user_id: int,
    new: NewInboundWebhook,
    token: str,
    encrypted_secret: str | None,
    now: datetime,
) -> InboundWebhook:
    """Insert a webhook; the token itself is not stored."""
    template = new.signature or PRESETS[new.preset].template
    return InboundWebhook.create(
        user=user_id,
        name=new.name,
        token_hash=hash_token(token),
        preset=new.preset,
        template=_dump_template(template),
        secret=encrypted_secret,
        action=ACTION.dump_json(new.action).decode(),
        payload_filter=None if new.filter is None else dump_filter(new.filter),
        addresses=None if new.addresses is None else dump_json(new.addresses),
        rate=new.rate,
        created_at=now,
        updated_at=now,
    )


def change_webhook(
    user_id: int, webhook_id: int, change: InboundWebhookChange, vault: Vault, now: datetime
) -> InboundWebhook:
    """Change the given fields of a webhook.

    Raises:
        NotFound: the user has no webhook of this number.
        InvalidInput: the secret cannot be used with the signature.
    """
    row = InboundWebhook.get_owned(user_id, webhook_id)
    columns = _list_columns(row, change, vault)
    if not columns:
        return row
    for name, value in columns.items():
        setattr(row, name, value)
    if row.secret is not None:
        # Also for a new signature, which may need another form of secret.
        check_secret(load_template(row), vault.decrypt(row.secret))
    row.updated_at = now
    row.save(only=[*columns, "updated_at"])
    return row


def _list_columns(
    row: InboundWebhook, change: InboundWebhookChange, vault: Vault
) -> Mapping[str, object]:
    given = change.list_given()
    columns: dict[str, object] = {
        name: value for name, value in given.items() if name in ("name", "rate", "paused")
    }
    if "signature" in given:
        template = change.signature or PRESETS[row.preset].template
        # Replaced secrets belong to the former signature.
        columns |= {"template": _dump_template(template), "previous_secrets": None}
    if "secret" in given:
        columns |= {"secret": vault.encrypt(change.secret), "previous_secrets": None}
    if "action" in given:
        columns["action"] = ACTION.dump_json(change.action).decode()
    if "filter" in given:
        columns["payload_filter"] = None if change.filter is None else dump_filter(change.filter)
    if "addresses" in given:
        columns["addresses"] = None if change.addresses is None else dump_json(change.addresses)
    return columns


def rotate_secret(
    user_id: int, webhook_id: int, secret: str, vault: Vault, now: datetime, until: datetime
) -> InboundWebhook:
    """Accept a new secret, and the present one until an instant.

    Raises:
        NotFound: the user has no webhook of this number.
        Conflict: too many replaced secrets are still accepted, or requests are not signed.
        InvalidInput: the secret cannot be used with the signature.
    """
    row = InboundWebhook.get_owned(user_id, webhook_id)
    template = load_template(row)
    if template is None:
        raise Conflict(f"the inbound webhook {webhook_id} has no signature, so it has no secret")
    check_secret(template, secret)
    previous = [each for each in load_previous_secrets(row) if now < each[1]]
    if row.secret is not None and now < until:
        previous.insert(0, (row.secret, until))
    if len(previous) > MOST_SECRETS:
        raise Conflict(
            f"{MOST_SECRETS} replaced secrets of the inbound webhook {webhook_id} are still "
            "accepted; rotate again later"
        )
    row.secret = vault.encrypt(secret)
    row.previous_secrets = dump_previous_secrets(previous)
    row.updated_at = now
    row.save(only=["secret", "previous_secrets", "updated_at"])
    return row


def rotate_token(user_id: int, webhook_id: int, token: str, now: datetime) -> None:
    """Give a webhook another URL; the former URL ends at once.

    Raises:
        NotFound: the user has no webhook of this number.
    """
    row = InboundWebhook.get_owned(user_id, webhook_id)
    row.token_hash = hash_token(token)
    row.updated_at = now
    row.save(only=["token_hash", "updated_at"])


def delete_webhook(user_id: int, webhook_id: int) -> None:
    """Delete a webhook with its requests; what its actions made stays.

    Raises:
        NotFound: the user has no webhook of this number.
    """
    InboundWebhook.get_owned(user_id, webhook_id).delete_instance()


def count_webhooks(user_id: int) -> int:
    """Return the number of a user's webhooks."""
    return int(InboundWebhook.of_user(user_id).count())


def load_template(row: InboundWebhook) -> SignatureTemplate | None:
    """Return the signature template of a row."""
    return None if row.template is None else SignatureTemplate.model_validate_json(row.template)


def find_last_end(row: InboundWebhook, now: datetime) -> datetime | None:
    """Return the instant up to which replaced secrets are accepted; None if none is."""
    return max((until for _, until in load_previous_secrets(row) if now < until), default=None)


def _dump_template(template: SignatureTemplate | None) -> str | None:
    return None if template is None else template.model_dump_json(exclude_defaults=True)

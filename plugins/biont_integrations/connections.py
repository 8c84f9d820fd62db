"""Store functions for integrations: create, change, delete, find, and record their health."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import orjson
from peewee import IntegrityError
from pydantic import JsonValue

from biont.exceptions import Conflict, Forbidden, NotFound
from biont.http import apply_merge_patch
from biont.security import Vault
from biont_integrations.tables import Integration


@dataclass(frozen=True)
class Columns:
    """Values of a new integration; `settings` is JSON, not yet encrypted."""

    name: str
    kind: str
    settings: str
    reports: bool
    shared: bool


@dataclass(frozen=True)
class Caller:
    """User who reads or changes an integration."""

    user_id: int
    is_admin: bool


def insert_integration(
    caller: Caller, new: Columns, taken: Sequence[str], vault: Vault, now: datetime
) -> Integration:
    """Insert an integration.

    Args:
        caller: the user.
        new: the columns.
        taken: the names of the operator's connections.
        vault: encrypts the settings.
        now: the present time.

    Raises:
        Forbidden: a user who is no administrator shares the integration.
        Conflict: the name is taken.
    """
    check_sharing(caller, shared=new.shared)
    _check_name(new.name, taken, shared=new.shared, row_id=None)
    try:
        return Integration.create(
            user=caller.user_id,
            name=new.name,
            kind=new.kind,
            settings=vault.encrypt(new.settings),
            reports=new.reports,
            shared=new.shared,
            created_at=now,
            updated_at=now,
        )
    except IntegrityError:
        raise _make_name_conflict(new.name) from None


def change_integration(
    row: Integration, columns: Mapping[str, object], taken: Sequence[str], now: datetime
) -> Integration:
    """Set some columns of an integration; `settings` is encrypted already.

    Raises:
        Conflict: the name is taken.
    """
    if not columns:
        return row
    values = dict(columns)
    if "settings" in values:
        # The former failures say nothing about the new settings.
        values |= {"failing": False, "last_error": None}
    for name, value in values.items():
        setattr(row, name, value)
    if "name" in values or "shared" in values:
        _check_name(row.name, taken, shared=row.shared, row_id=row.id)
    row.updated_at = now
    try:
        row.save(only=[*values, "updated_at"])
    except IntegrityError:
        raise _make_name_conflict(row.name) from None
    return row


def find_visible(caller: Caller, integration_id: int) -> Integration:
    """Return an integration of the user, or one that all users share.

    Raises:
        NotFound: the integration does not exist, or belongs to another user.
    """
    row = Integration.get_or_none(Integration.id == integration_id)
    if row is None or not (row.shared or row.user_id == caller.user_id):
        raise NotFound(f"there is no integration {integration_id}")
    return row


def find_changeable(caller: Caller, integration_id: int) -> Integration:
    """Return an integration that the user may change.

    Raises:
        NotFound: the integration does not exist, or belongs to another user.
        Forbidden: only administrators may change the integration.
    """
    row = find_visible(caller, integration_id)
    if not may_change(caller, row):
        raise Forbidden(
            f"the integration {row.name!r} is shared by all users: only an administrator may "
            "change or test it"
        )
    return row


def may_change(caller: Caller, row: Integration) -> bool:
    """Return whether a user may see and change the settings of an integration."""
    return caller.is_admin if row.shared else row.user_id == caller.user_id


def list_visible(user_id: int) -> list[Integration]:
    """Return the integrations that a user may send through, with the user's own first."""
    is_mine = Integration.user == user_id
    rows = [*Integration.select().where(is_mine | Integration.shared).order_by(Integration.name)]
    return sorted(rows, key=lambda row: row.user_id != user_id)


def find_by_name(user_id: int, name: str) -> Integration | None:
    """Return the integration that a user calls `name`; a shared one comes after the user's own."""
    return next((row for row in list_visible(user_id) if row.name == name), None)


def count_integrations(user_id: int) -> int:
    """Return the number of a user's integrations."""
    return int(Integration.of_user(user_id).count())


def decrypt_settings(row: Integration, vault: Vault) -> dict[str, JsonValue]:
    """Return the settings of an integration, secrets included."""
    settings: dict[str, JsonValue] = orjson.loads(vault.decrypt(row.settings))
    return settings


def merge_settings(row: Integration, patch: JsonValue, vault: Vault) -> JsonValue:
    """Return the settings of an integration, changed by a merge patch."""
    return apply_merge_patch(decrypt_settings(row, vault), patch)


def find_stale_settings(vault: Vault) -> dict[int, str]:
    """Return new settings for the rows that the vault's present key did not encrypt.

    Raises:
        VaultError: the settings of a row cannot be read.
    """
    return {
        row.id: token
        for row in Integration.select(Integration.id, Integration.settings)
        if (token := vault.refresh(row.settings)) != row.settings
    }


def replace_settings(tokens: Mapping[int, str]) -> None:
    """Store the result of `find_stale_settings`."""
    for row_id, token in tokens.items():
        Integration.update(settings=token).where(Integration.id == row_id).execute()


def check_sharing(caller: Caller, *, shared: bool) -> None:
    """Check that a user may share an integration.

    Raises:
        Forbidden: the user is no administrator.
    """
    if shared and not caller.is_admin:
        raise Forbidden("only an administrator may share an integration with all users")


def _check_name(name: str, taken: Sequence[str], *, shared: bool, row_id: int | None) -> None:
    if name in taken:
        raise Conflict(
            f"the operator's configuration has a connection {name!r} under "
            "plugins.integrations.connections, which only the operator can change; choose "
            "another name"
        )
    if shared:
        same = Integration.shared & (Integration.name == name) & (Integration.id != (row_id or 0))
        if Integration.select().where(same).exists():
            raise Conflict(f"all users share an integration {name!r}; choose another name")


def _make_name_conflict(name: str) -> Conflict:
    return Conflict(f"you have an integration {name!r} already; choose another name")

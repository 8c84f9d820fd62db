"""Users and API keys for tests, made without events: the event log has those of the test only."""

from __future__ import annotations

from biont.accounts.api_keys import make_secret
from biont.accounts.key_records import ApiKey
from biont.accounts.principal import Scope
from biont.accounts.user_records import Role, User
from biont.workbench import Workbench


async def make_user(workbench: Workbench, name: str) -> int:
    """Return the number of a user, who is created where missing."""
    now = workbench.clock.now()

    def insert() -> int:
        known = User.get_or_none(User.name == name)
        role = Role.MEMBER if User.select().exists() else Role.ADMIN
        user = known or User.create(name=name, created_at=now, role=role)
        return int(user.id)

    return await workbench.store.write(insert)


async def make_key(workbench: Workbench, user: str, scope: Scope) -> str:
    """Return a new key of a user, who is created where missing."""
    user_id, now = await make_user(workbench, user), workbench.clock.now()
    plain, secret = make_secret()

    def insert() -> None:
        ApiKey.create(
            user=user_id,
            name="test",
            digest=secret.digest,
            prefix=secret.prefix,
            scope=scope,
            created_at=now,
        )

    await workbench.store.write(insert)
    return plain

"""API keys for tests."""

from __future__ import annotations

from biont.accounts.principal import Scope
from biont.workbench import Workbench


async def make_key(workbench: Workbench, user: str, scope: Scope) -> str:
    """Return a new key of a user, who is created where missing."""
    known = {found.name: found for found in await workbench.users.list_all()}
    owner = known.get(user) or await workbench.users.create(user)
    plain, _ = await workbench.keys.create(owner.id, "test", scope)
    return plain

"""Quotas: the most objects of a kind that a user may have."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import structlog

from biont.exceptions import PluginError, QuotaExceeded
from biont.runtime.containment import contain_exit
from biont.services import Service
from biont.store.companion import Companion, accompanied_by
from biont.store.transaction import Transaction

_log = structlog.get_logger("biont.quotas")


@dataclass(frozen=True, slots=True)
class Quota:
    """Most objects of a kind that a user may have.

    Attributes:
        name: the name of the quota: ``webhooks``.
        limit: the number of objects; None for any number.
        setting: the setting of the limit, for messages.
        count: counts the objects of a user; called with the user's number on a thread of the
            store.
    """

    name: str
    limit: int | None
    setting: str
    count: Callable[[int], int]


@dataclass(frozen=True, slots=True)
class QuotaUse:
    """Use of a quota by a user."""

    name: str
    limit: int
    used: int


class _Check(Companion):
    """Companion that checks a quota before the first write of a request."""

    def __init__(self, check: Callable[[], None]) -> None:
        self._check = check
        self._is_checked = False

    def precede(self, _: Transaction) -> None:
        if not self._is_checked:
            self._check()
            self._is_checked = True


class Quotas:
    """Quotas of a workbench."""

    def __init__(self) -> None:
        self._quotas: dict[str, Quota] = {}

    def add(self, quota: Quota) -> None:
        """Add a quota; a plugin does so when it starts.

        Raises:
            PluginError: there is a quota of this name.
        """
        if quota.name in self._quotas:
            raise PluginError(f"the quota {quota.name!r} is added twice")
        self._quotas[quota.name] = quota

    def check(self, name: str, user_id: int) -> None:
        """Check in a transaction that a user may have another object.

        Raises:
            QuotaExceeded: the user has as many objects as permitted.
        """
        quota = self._quotas.get(name)
        if quota is None or quota.limit is None:
            return
        if quota.count(user_id) >= quota.limit:
            raise QuotaExceeded(name, quota.limit, quota.setting)

    @contextmanager
    def guard(self, name: str, user_id: int) -> Iterator[None]:
        """Check a quota in the transaction of the first write of the block."""
        with accompanied_by(_Check(lambda: self.check(name, user_id))):
            yield

    def list_use(self, user_id: int) -> list[QuotaUse]:
        """Return the use of each quota by a user; called on a thread of the store.

        A quota whose plugin fails to count is left out.
        """
        found = []
        for quota in self._quotas.values():
            if quota.limit is None:
                continue
            try:
                with contain_exit(is_async=False):
                    used = quota.count(user_id)
            except Exception as error:  # noqa: BLE001  # a plugin may raise anything
                _log.warning("use of a quota not counted", quota=quota.name, reason=repr(error))
            else:
                found.append(QuotaUse(quota.name, quota.limit, used))
        return found


QUOTAS = Service[Quotas]("quotas", provider="core")
"""The quotas of the workbench, to which plugins add theirs."""

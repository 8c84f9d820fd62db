"""Runs the transactional handlers inside the transaction of their events."""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING, cast

import structlog
from peewee import OperationalError

from biont.events.handlers import Handler, TransactionFunction
from biont.exceptions import PluginError, StoreUnavailable
from biont.store import Entry, Transaction
from biont.store.database import active_savepoint, judge_error
from biont.store.journal import Recording

if TYPE_CHECKING:
    from biont.workbench import Workbench

_log = structlog.get_logger("biont.events")


class TransactionalHandlers:
    """Takes part in each commit of events, on the writer's thread.

    Args:
        handlers: those that are transactional.
        workbench: handed to each call.
        is_awaited: says whether an event type has to be kept in the journal, for
            handlers that see it later.
    """

    def __init__(
        self,
        handlers: Sequence[Handler],
        workbench: Workbench,
        is_awaited: Callable[[str], bool],
    ) -> None:
        self._handlers = [
            (handler, functools.lru_cache(maxsize=1024)(handler.subscription.matches))
            for handler in handlers
        ]
        self._workbench = workbench
        self._is_awaited = is_awaited

    def record(self, transaction: Transaction, entries: Sequence[Entry]) -> Recording:
        """Show the events to each handler; say what the journal has to keep.

        One that raises has written nothing, and gets the events from the journal.

        Raises:
            OperationalError: the database is of no use to anybody for now.
        """
        event_types = {entry.event.event_type for entry in entries}
        again: dict[str, Sequence[Entry]] = {}
        for handler, matches in self._handlers:
            meant = _choose(entries, event_types, matches)
            if meant and (left := self._call(handler, transaction, meant)):
                again[handler.name] = left
        kept = _choose(entries, event_types, self._is_awaited)
        if again and kept is not entries:
            sequences = {entry.sequence for some in (kept, *again.values()) for entry in some}
            kept = [entry for entry in entries if entry.sequence in sequences]
        return Recording(kept, again)

    def _call(
        self, handler: Handler, transaction: Transaction, entries: Sequence[Entry]
    ) -> Sequence[Entry]:
        """Call a handler; return what it has to see again."""
        called_back = len(transaction.callbacks)
        transaction.deferred = []
        try:
            with active_savepoint():
                cast("TransactionFunction", handler.function)(
                    transaction, [entry.event for entry in entries], self._workbench
                )
                _refuse_events(handler, transaction)
        except Exception as error:
            if isinstance(error, OperationalError) and isinstance(
                judge_error(error), StoreUnavailable
            ):
                raise
            del transaction.callbacks[called_back:]
            transaction.events.clear()
            _log.warning("handler failed", handler=handler.name, error=repr(error))
            return entries
        deferred = {event.id for event in transaction.deferred}
        return [entry for entry in entries if entry.event.id in deferred] if deferred else []


def _choose(
    entries: Sequence[Entry], event_types: Collection[str], is_meant: Callable[[str], bool]
) -> Sequence[Entry]:
    """Return the entries of the types that are meant: as a rule all, or none."""
    meant = {event_type for event_type in event_types if is_meant(event_type)}
    if len(meant) == len(event_types):
        return entries
    return [entry for entry in entries if entry.event.event_type in meant] if meant else []


def _refuse_events(handler: Handler, transaction: Transaction) -> None:
    if transaction.events:
        raise PluginError(
            f"the transactional handler {handler.name} emits; only other handlers may"
        )

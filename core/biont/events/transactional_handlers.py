"""Transactional handlers: called inside the transaction that makes their events durable.

The writer calls all of them with the new events of a commit. There are two ways:

    together: all handlers in one savepoint. This is faster, and enough while none fails.
    apart:    each handler in a savepoint, after one has failed. The failing handler wrote
              nothing; the events go to its queue, which retries as for any other handler.

After a failure the next commit goes apart at once, and together again when none failed. So a
handler may be called twice with the same events; the changes of the first call are undone.

An event enters the journal only if another handler wants the event, or a transactional
handler has failed or deferred the event. A database error that concerns everybody (locked,
full) fails the whole commit instead of a single handler: nothing was acknowledged.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import structlog

from biont.events.handlers import HandleInTransaction, Handler
from biont.exceptions import PluginError
from biont.runtime.containment import contain_exit
from biont.security.error_texts import describe_exception
from biont.store.database import TransactionUndone, active_savepoint
from biont.store.failures import find_failure
from biont.store.journal import JournalEntry, TransactionalResult
from biont.store.transaction import Transaction

_log = structlog.get_logger("biont.events")


@dataclass(frozen=True, slots=True)
class _Call:
    """A handler with the events of one call."""

    name: str
    handle: HandleInTransaction
    entries: Sequence[JournalEntry]


class TransactionalHandlers:
    """Calls the transactional handlers on the writer's thread, in each commit of events.

    Args:
        handlers: the transactional handlers.
        is_awaited: returns whether events of a type go into the journal, for handlers that
            see the events later.
    """

    def __init__(
        self,
        handlers: Sequence[Handler],
        is_awaited: Callable[[str], bool],
    ) -> None:
        self._handlers = [
            (
                handler.name,
                handler.handle_in_transaction,
                functools.lru_cache(1024)(handler.subscription.matches),
            )
            for handler in handlers
            if handler.handle_in_transaction is not None
        ]
        self._is_awaited = is_awaited
        self._has_failed = False

    def call(
        self, transaction: Transaction, entries: Sequence[JournalEntry]
    ) -> TransactionalResult:
        """Call each handler with the events that the handler wants.

        A handler that raises has written nothing and gets the events from the journal.

        Raises:
            PeeweeException: the database is locked, full, damaged or out of reach.
            TransactionUndone: a handler, or a full disk, has ended the transaction.
        """
        event_types = {entry.event.event_type for entry in entries}
        calls = [
            _Call(name, handle, wanted)
            for name, handle, matches in self._handlers
            if (wanted := _select_wanted(entries, event_types, matches))
        ]
        redelivered = self._call_together(transaction, calls)
        redelivered = redelivered or self._call_apart(transaction, calls)
        redelivered = {name: events for name, events in redelivered.items() if events}
        journaled = _select_wanted(entries, event_types, self._is_awaited)
        if redelivered and journaled is not entries:
            # In the order of the numbers, which the journal relies on.
            parts = (journaled, *redelivered.values())
            sequences = {entry.sequence for part in parts for entry in part}
            journaled = [entry for entry in entries if entry.sequence in sequences]
        return TransactionalResult(journaled, redelivered)

    def _call_together(
        self, transaction: Transaction, calls: Sequence[_Call]
    ) -> dict[str, Sequence[JournalEntry]]:
        """Call all handlers in one savepoint; return an empty dictionary when a handler fails."""
        if self._has_failed:
            return {}
        try:
            with active_savepoint():
                return {call.name: _call_handler(transaction, call) for call in calls}
        except Exception as error:
            if _concerns_everybody(error):
                raise
            # Not logged here: the handler fails again when called apart.
            _discard_requests(transaction, 0)
            return {}

    def _call_apart(
        self, transaction: Transaction, calls: Sequence[_Call]
    ) -> dict[str, Sequence[JournalEntry]]:
        """Call each handler in a savepoint; return the events to redeliver, by handler."""
        self._has_failed = False
        redelivered: dict[str, Sequence[JournalEntry]] = {}
        for call in calls:
            callbacks_before = len(transaction.callbacks)
            try:
                with active_savepoint():
                    redelivered[call.name] = _call_handler(transaction, call)
            except Exception as error:
                if _concerns_everybody(error):
                    raise
                self._has_failed = True
                _discard_requests(transaction, callbacks_before)
                _log.warning("handler failed", handler=call.name, error=describe_exception(error))
                redelivered[call.name] = call.entries
        return redelivered


def _call_handler(transaction: Transaction, call: _Call) -> Sequence[JournalEntry]:
    """Call a handler; return the events that the handler has deferred."""
    transaction.deferred = []
    with contain_exit(is_async=False):
        call.handle(transaction, [entry.event for entry in call.entries])
    if transaction.events:
        raise PluginError(
            f"the transactional handler {call.name} emits an event; only a handler without "
            "transactional=True may emit"
        )
    if not transaction.deferred:
        return []
    deferred = {event.id for event in transaction.deferred}
    return [entry for entry in call.entries if entry.event.id in deferred]


def _concerns_everybody(error: Exception) -> bool:
    """Return whether an error concerns the whole commit, not only the handler that raised."""
    return isinstance(error, TransactionUndone) or find_failure(error) is not None


def _discard_requests(transaction: Transaction, callbacks_before: int) -> None:
    """Discard the callbacks and events that a failed handler has added to the transaction."""
    del transaction.callbacks[callbacks_before:]
    transaction.events.clear()


def _select_wanted(
    entries: Sequence[JournalEntry], event_types: Collection[str], is_wanted: Callable[[str], bool]
) -> Sequence[JournalEntry]:
    """Return the entries of the wanted types."""
    wanted = {event_type for event_type in event_types if is_wanted(event_type)}
    # Usually all types are wanted, or none: then no entry is looked at.
    if len(wanted) == len(event_types):
        return entries
    return [entry for entry in entries if entry.event.event_type in wanted] if wanted else []

"""Observation of handlers: how far each handler is behind, and how far it is with one event."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from biont.event import Event
from biont.events.handler_queue import HandlerQueue
from biont.events.handlers import Subscription
from biont.store.dead_letters import DeadLetter, find_letters_of_event
from biont.store.journal import (
    HandlerPosition,
    find_sequence,
    read_entries,
    read_last_sequence,
)
from biont.store.store import Store

Place = tuple[str, str]
"""The plugin and the name of a handler."""


@dataclass(frozen=True, slots=True)
class HandlerLag:
    """Distance of a handler from the newest event.

    Attributes:
        plugin: the plugin.
        handler: the name of the handler.
        behind: the number of events after the last event with which the handler is done.
        waiting_since: the instant of the oldest of these events; None if none waits.
    """

    plugin: str
    handler: str
    behind: int
    waiting_since: datetime | None


class HandlerProgress(StrEnum):
    """Progress of a handler with an event."""

    NOT_MATCHED = "not_matched"
    WAITING = "waiting"
    DEAD_LETTER = "dead_letter"
    PAST = "past"
    STOPPED = "stopped"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class HandlerExplanation:
    """Progress of a handler with an event, and the reason.

    Attributes:
        plugin: the plugin.
        handler: the name of the handler.
        progress: the progress.
        reason: the reason, as a sentence.
        letter_id: the dead letter; None for any other progress.
    """

    plugin: str
    handler: str
    progress: HandlerProgress
    reason: str
    letter_id: int | None = None


async def measure_lags(store: Store, queues: Mapping[Place, HandlerQueue]) -> list[HandlerLag]:
    """Return the lag of each handler."""
    positions = {place: queue.position for place, queue in queues.items()}
    return await store.read(_measure_lags, positions)


def _measure_lags(positions: Mapping[Place, int]) -> list[HandlerLag]:
    last = read_last_sequence()
    # Most handlers are at the end; those that are not are often at one position.
    oldest = {
        position: read_entries(position + 1, last, 1)
        for position in set(positions.values())
        if position < last
    }
    lags = []
    for (plugin, handler), position in positions.items():
        entries = oldest.get(position)
        since = entries[0].event.created_at if entries else None
        lags.append(HandlerLag(plugin, handler, max(last - position, 0), since))
    return lags


async def explain_handlers(
    store: Store,
    queues: Mapping[Place, HandlerQueue],
    subscriptions: Mapping[Place, Subscription],
    event: Event,
) -> list[HandlerExplanation]:
    """Return the progress of each handler with an event, also of the handlers that stand still."""
    matching = {place: queue for place, queue in queues.items() if queue.wants([event.event_type])}
    # Before the letters: an event that fails meanwhile is shown as waiting, and not as past.
    waiting = {place: queue.find(event.id) for place, queue in matching.items()}
    gaps = [gap for queue in matching.values() for gap in queue.gaps]
    letters, stopped = await store.read(_read_letters, event.id, [name for _, name in queues])
    sequence: int | None = 0
    if gaps:
        first, last = min(gap[0] for gap in gaps), max(gap[1] for gap in gaps)
        sequence = await store.read(find_sequence, event.id, first, last)
    found = []
    for place, subscription in subscriptions.items():
        plugin, handler = place
        letter, item = letters.get(handler), waiting.get(place)
        letter_id = None
        if place not in matching:
            progress = HandlerProgress.NOT_MATCHED
            reason = f"the handler is for {', '.join(subscription.patterns)}"
        elif letter is not None:
            progress, reason, letter_id = HandlerProgress.DEAD_LETTER, _describe(letter), letter.id
        elif item is not None:
            progress = HandlerProgress.WAITING
            reason = "the event is in the queue of the handler"
            if item.failures:
                reason = f"the handler has failed {item.failures} times and tries again"
        else:
            progress, reason = _find_in_gaps(matching[place].gaps, sequence)
        found.append(HandlerExplanation(plugin, handler, progress, reason, letter_id))
    for handler, plugin in stopped.items():
        reason = f"the plugin {plugin} does not run; the events after its position wait"
        found.append(HandlerExplanation(plugin, handler, HandlerProgress.STOPPED, reason))
    return found


def _find_in_gaps(
    gaps: Sequence[tuple[int, int]], sequence: int | None
) -> tuple[HandlerProgress, str]:
    """Return the progress with an event that is neither in memory nor a dead letter.

    Args:
        gaps: the ranges of numbers that the handler has yet to read.
        sequence: the number of the event; 0 for an event that is not in the journal, and None if
            the journal is too long to look for the event.
    """
    if gaps and sequence is None:
        return HandlerProgress.UNKNOWN, "the handler is too far behind to look for the event"
    if any(first <= (sequence or 0) <= last for first, last in gaps):
        return HandlerProgress.WAITING, "the handler is behind, and has yet to read the event"
    return HandlerProgress.PAST, "the position of the handler is past the event"


def _read_letters(
    event_id: str, running: Sequence[str]
) -> tuple[Mapping[str, DeadLetter], Mapping[str, str]]:
    """Return the dead letters of an event by handler, and the handlers that stand still."""
    letters = {letter.handler: letter for letter in find_letters_of_event(event_id)}
    stopped = {
        row.handler: row.plugin
        for row in HandlerPosition.select().where(HandlerPosition.handler.not_in(list(running)))
    }
    return letters, stopped


def _describe(letter: DeadLetter) -> str:
    if letter.replaying:
        return "the event is a dead letter that is being replayed"
    lines = letter.error.strip().splitlines() or ["no reason"]
    return f"the handler has failed {letter.attempts} times: {lines[-1][:200]}"

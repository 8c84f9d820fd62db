"""Keyed queue: first in, first out for each key, at most one item of a key at a time.

An item is in one of three states:

    held back --earlier item leaves--> admitted --leave--> (gone)

The caller owns the admitted items, in a queue or under way. So this class serves
an asyncio queue (`OrderedQueue`) and the scheduler's plain one (`RunQueue`) alike.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")


@dataclass(slots=True)
class _KeyState(Generic[T]):
    admitted: int = 0
    held_back: deque[T] = field(default_factory=deque)


class KeyedQueue(Generic[K, T]):
    """Admits the items of each key one after the other."""

    def __init__(self) -> None:
        self._states: dict[K, _KeyState[T]] = {}

    def enter(self, key: K, item: T, *, exclusive: bool = True) -> bool:
        """Return whether `item` is admitted at once; `leave` returns the item otherwise.

        Args:
            key: the key of the item.
            item: the item.
            exclusive: whether the item waits until no item of the key is admitted; otherwise
                the item is admitted at once, beside others of its key.
        """
        state = self._states.get(key)
        if state is None:
            state = self._states[key] = _KeyState()
        elif exclusive:
            state.held_back.append(item)
            return False
        state.admitted += 1
        return True

    def leave(self, key: K) -> T | None:
        """Remove an admitted item of `key`; return the item that is admitted next, or None."""
        state = self._states[key]
        state.admitted -= 1
        if state.admitted:
            return None
        if not state.held_back:
            # Keys come and go (users, schedules); a key without items costs no memory.
            del self._states[key]
            return None
        state.admitted = 1
        return state.held_back.popleft()

"""Requirements: the plugins that a plugin needs, and the order that follows from them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

Requirements = Mapping[str, Sequence[str]]
"""The names that each plugin requires, by the plugin's name."""


def find_cycle(start: str, requirements: Requirements) -> list[str] | None:
    """Return the path from a plugin to itself: ``[a, b, a]``; None without such a path."""
    paths = [[start]]
    seen: set[str] = set()
    while paths:
        path = paths.pop()
        for name in requirements.get(path[-1], ()):
            if name == start:
                return [*path, name]
            if name not in seen:
                seen.add(name)
                paths.append([*path, name])
    return None


def sort_by_requirements(names: Iterable[str], requirements: Requirements) -> list[str]:
    """Return `names` with each plugin after those that it requires, otherwise in order.

    Args:
        names: all plugins; the first come first.
        requirements: the requirements, without cycles.
    """
    order: dict[str, None] = {}

    def add(name: str) -> None:
        if name not in order:
            for required in requirements.get(name, ()):
                add(required)
            order[name] = None

    for name in names:
        add(name)
    return list(order)


def find_dependants(name: str, requirements: Requirements) -> list[str]:
    """Return the plugins that require `name` directly."""
    return [plugin for plugin, required in requirements.items() if name in required]

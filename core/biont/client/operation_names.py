"""Short names of operations inside of their group: ``create`` for ``create_note`` of ``notes``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

_PAIR = 2


def shorten_names(operations: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return the name of each operation in its group, by `operationId`.

    The noun of the group is left out of the name, because the group says the noun. Where two
    operations of a group would get the same name, both keep their whole names.

    Args:
        operations: the tag and the `operationId` of each operation.
    """
    pairs = list(operations)
    short = {name: _shorten(tag, name) for tag, name in pairs}
    uses = Counter((tag, short[name]) for tag, name in pairs)
    return {name: short[name] if uses[tag, short[name]] == 1 else name for tag, name in pairs}


def group_names(operations: Iterable[tuple[str, str]]) -> Mapping[str, dict[str, str]]:
    """Return the operations of each group: their `operationId` by their short names."""
    pairs = list(operations)
    short = shorten_names(pairs)
    groups: dict[str, dict[str, str]] = {}
    for tag, name in pairs:
        groups.setdefault(tag, {})[short[name]] = name
    return groups


def _shorten(tag: str, name: str) -> str:
    verb, _, noun = name.partition("_")
    for own in (tag, tag.removesuffix("s")):
        if noun in (own, f"{own}s"):
            return verb
    for own in (tag, tag.removesuffix("s")):
        if noun.startswith(f"{own}_"):
            return f"{verb}_{noun.removeprefix(f'{own}_')}"
    return name

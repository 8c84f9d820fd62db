"""Comparison of the limits of values that clients send."""

from __future__ import annotations

from biont.api_diff.changes import ChangeList
from biont.api_diff.references import Schema

LOWER = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
UPPER = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")


def compare_limits(changes: ChangeList, place: str, name: str, old: Schema, new: Schema) -> None:
    """Add the changes of the limits of the value `name`, which clients of `place` send."""
    for word, sign in [*((each, 1) for each in LOWER), *((each, -1) for each in UPPER)]:
        before, after = old.get(word), new.get(word)
        if before == after:
            continue
        narrower = after is not None and (before is None or (after - before) * sign > 0)
        text = f"the {word} of `{name}` is {after}, not {before}"
        changes.add(place, text, breaks=narrower)
    for word in ("pattern", "format", "not", "multipleOf"):
        before, after = old.get(word), new.get(word)
        if before != after:
            text = f"the {word} of `{name}` is {after}, not {before}"
            # What was a multiple of 6 is a multiple of 3.
            is_coarser = word == "multipleOf" and before and after and before % after == 0
            changes.add(place, text, breaks=after is not None and not is_coarser)
    if new.get("uniqueItems") and not old.get("uniqueItems"):
        changes.add(place, f"the items of `{name}` must differ now", breaks=True)
    was_needed, is_needed = old.get("dependentRequired", {}), new.get("dependentRequired", {})
    for field, needed in is_needed.items():
        for other in sorted({*needed} - {*was_needed.get(field, [])} - {*old.get("required", [])}):
            text = f"the field `{name}.{field}` needs the field `{name}.{other}` now"
            changes.add(place, text, breaks=True)

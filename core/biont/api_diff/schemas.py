"""Comparison of schemas, in the direction in which their values travel.

A client sends a request: what the old schema accepts, the new one must accept. A client reads an
answer: what the new schema allows, a client of the old one must understand. New fields and new
values of an enumeration in answers are additions, which clients have to ignore (see the policy).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from biont.api_diff.changes import ChangeList
from biont.api_diff.limits import compare_limits
from biont.api_diff.parts import list_parts, list_types, merge_parts
from biont.api_diff.references import Document, Schema, resolve

# The fields of one operation that are shown for a change of their common schema.
_MOST_VISITS = 10
_SCALARS = {"string", "integer", "number", "boolean", "null"}


class SchemaComparison:
    """Compares schemas of two documents.

    Args:
        old: the old document.
        new: the new document.
        changes: gets the changes.
    """

    def __init__(self, old: Document, new: Document, changes: ChangeList) -> None:
        self._old = old
        self._new = new
        self._changes = changes
        # Schemas may contain themselves.
        self._open: set[tuple[str, str, bool]] = set()
        # Schemas that all contain each other have more paths than can be followed.
        self._visits: Counter[tuple[str, str, str, bool]] = Counter()

    def compare(self, place: str, name: str, old: Schema, new: Schema, *, sent: bool) -> None:
        """Add the changes from `old` to `new`.

        Args:
            place: the operation.
            name: the value, for the text of a change: ``body.title``.
            old: the old schema.
            new: the new schema.
            sent: whether the client sends the value; otherwise the client reads the value.
        """
        key = (_identify(old), _identify(new), sent)
        self._visits[place, *key] += 1
        if key in self._open or self._visits[place, *key] > _MOST_VISITS:
            return
        self._open.add(key)
        old_parts, new_parts = list_parts(old, self._old), list_parts(new, self._new)
        self._compare_types(place, name, old_parts, new_parts, sent=sent)
        for kind in {part.get("type", "any") for part in old_parts}:
            self._compare_kind(
                place,
                name,
                [part for part in old_parts if part.get("type", "any") == kind],
                [part for part in new_parts if part.get("type", "any") == kind],
                sent=sent,
            )
        self._open.discard(key)

    def _compare_types(
        self, place: str, name: str, old: list[Schema], new: list[Schema], *, sent: bool
    ) -> None:
        before, after = list_types(old), list_types(new)
        # Each integer is a number.
        gone = {kind for kind in before - after if not (kind == "integer" and "number" in after)}
        come = {kind for kind in after - before if not (kind == "integer" and "number" in before)}
        if gone and "any" not in after:
            kinds = " or ".join(sorted(gone))
            self._changes.add(
                place, f"`{name}` is no longer {kinds}" if not sent
                else f"`{name}` no longer accepts {kinds}", breaks=sent
            )  # fmt: skip
        if come and "any" not in before:
            kinds = " or ".join(sorted(come))
            self._changes.add(
                place, f"`{name}` accepts {kinds} too" if sent
                else f"`{name}` may be {kinds} now", breaks=not sent
            )  # fmt: skip

    def _compare_kind(
        self, place: str, name: str, old: list[Schema], new: list[Schema], *, sent: bool
    ) -> None:
        if not new:
            return
        if old[0].get("type") in _SCALARS or len(old) == len(new) == 1:
            self._compare_parts(place, name, merge_parts(old), merge_parts(new), sent=sent)
            return
        by_title = {part.get("title"): part for part in new if part.get("title")}
        for number, part in enumerate(old):
            match = by_title.get(part.get("title"))
            if match is None and len(old) == len(new) and not part.get("title"):
                match = new[number]
            if match is not None:
                self._compare_parts(place, name, part, match, sent=sent)
            elif sent:
                title = part.get("title", "an alternative")
                self._changes.add(
                    place, f"`{name}` no longer accepts the form {title}", breaks=True
                )

    def _compare_parts(
        self, place: str, name: str, old: Schema, new: Schema, *, sent: bool
    ) -> None:
        self._compare_values(place, name, old, new, sent=sent)
        if sent:
            compare_limits(self._changes, place, name, old, new)
        elif "format" in old and old["format"] != new.get("format"):
            text = f"the format of `{name}` is {new.get('format')}, not {old['format']}"
            self._changes.add(place, text, breaks=True)
        if "properties" in old or "properties" in new:
            self._compare_fields(place, name, old, new, sent=sent)
        if isinstance(old.get("items"), dict) and isinstance(new.get("items"), dict):
            self.compare(place, f"{name}[]", old["items"], new["items"], sent=sent)
        before, after = old.get("additionalProperties"), new.get("additionalProperties")
        if isinstance(before, dict) and isinstance(after, dict):
            self.compare(place, f"{name}.*", before, after, sent=sent)
        elif sent and before is not False and after is False and old.get("type") == "object":
            self._changes.add(place, f"`{name}` no longer accepts further fields", breaks=True)

    def _compare_values(
        self, place: str, name: str, old: Schema, new: Schema, *, sent: bool
    ) -> None:
        before, after = old.get("enum"), new.get("enum")
        if before is None and after is None:
            return
        if before is None or after is None:
            text = "is limited to some values" if before is None else "is no longer limited"
            self._changes.add(place, f"`{name}` {text}", breaks=sent == (before is None))
            return
        for value in before:
            if value not in after:
                self._changes.add(
                    place, f"`{name}` no longer has the value {value!r}", breaks=sent
                )
        for value in after:
            if value not in before:
                self._changes.add(place, f"`{name}` has the new value {value!r}", breaks=False)

    def _compare_fields(
        self, place: str, name: str, old: Schema, new: Schema, *, sent: bool
    ) -> None:
        before: Mapping[str, Schema] = old.get("properties", {})
        after: Mapping[str, Schema] = new.get("properties", {})
        was_required, is_required = set(old.get("required", [])), set(new.get("required", []))
        for field in before:
            path = f"{name}.{field}"
            if field not in after:
                self._changes.add(place, f"the field `{path}` is removed", breaks=True)
                continue
            if sent and field in is_required - was_required:
                self._changes.add(place, f"the field `{path}` is required now", breaks=True)
            elif field in was_required - is_required:
                text = f"the field `{path}` may be left out now"
                self._changes.add(place, text, breaks=not sent)
            elif field in is_required - was_required:
                self._changes.add(place, f"the field `{path}` is always there now", breaks=False)
            if sent:
                self._compare_sent_field(place, path, before[field], after[field])
            self.compare(place, path, before[field], after[field], sent=sent)
        for field in after:
            if field not in before:
                needed = sent and field in is_required
                text = "new required field" if needed else "new field"
                self._changes.add(place, f"{text} `{name}.{field}`", breaks=needed)

    def _compare_sent_field(self, place: str, path: str, old: Schema, new: Schema) -> None:
        before, after = resolve(old, self._old), resolve(new, self._new)
        if before.get("default") != after.get("default"):
            values = f"{after.get('default')!r}, not {before.get('default')!r}"
            self._changes.add(place, f"the default of `{path}` is {values}", breaks=True)
        if after.get("readOnly") and not before.get("readOnly"):
            text = f"the field `{path}` can only be read now"
            self._changes.add(place, text, breaks=True)


def _identify(schema: Schema) -> str:
    # Joined schemas are made anew each time.
    return repr(schema) if "allOf" in schema else str(schema.get("$ref", id(schema)))

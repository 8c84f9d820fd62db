"""JSON merge patch (RFC 7396): the bodies of all PATCH routes."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import ConfigDict, JsonValue

from biont.schema import Schema

MERGE_PATCH = "application/merge-patch+json"
"""The media type of a merge patch; PATCH routes take ``application/json`` too."""

NOT_EMPTY = "cannot be cleared; leave it out to keep the present value"
"""The problem of a null for a field that cannot be empty."""


def _omit_defaults(schema: dict[str, JsonValue]) -> None:
    """Remove the defaults from a schema: a field that a client leaves out stays as it is."""
    match schema:
        case {"properties": dict(properties)}:
            for field in properties.values():
                if isinstance(field, dict):
                    field.pop("default", None)


class MergePatch(Schema):
    """Base class of the body of a PATCH route.

    A field that is left out stays as it is. Null clears a field whose type includes None, and is
    refused for any other field. Each field needs a default, which is never used.
    """

    model_config = ConfigDict(extra="forbid", json_schema_extra=_omit_defaults)

    def list_given(self) -> dict[str, object]:
        """Return the fields that the client has sent, null for a field to clear."""
        return {
            name: getattr(self, name)
            for name in type(self).model_fields
            if name in self.model_fields_set
        }


def apply_merge_patch(present: object, patch: JsonValue) -> JsonValue:
    """Return `present` changed by `patch`: null removes, an object merges, a list replaces."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(present) if isinstance(present, Mapping) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = apply_merge_patch(merged.get(name), value)
    return merged

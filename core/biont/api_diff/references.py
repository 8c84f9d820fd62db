"""References within an API document."""

from __future__ import annotations

from typing import Any

Document = dict[str, Any]
Schema = dict[str, Any]


class BrokenReference(Exception):
    """A `$ref` that leads to nothing, or only back to its own place."""


def resolve(value: Schema, document: Document) -> Schema:
    """Return the object to which a reference of a document points, or `value` itself.

    Raises:
        BrokenReference: the reference leads to no object.
    """
    seen: list[str] = []
    while "$ref" in value:
        reference = str(value["$ref"])
        if reference in seen:
            raise BrokenReference(f"the reference `{reference}` leads back to itself")
        seen.append(reference)
        value = _follow(reference, document)
    return value


def _follow(reference: str, document: Document) -> Schema:
    if not reference.startswith("#/"):
        raise BrokenReference(
            f"the reference `{reference}` does not point into the document; "
            "put all parts into one file"
        )
    found: Any = document
    for key in reference.removeprefix("#/").split("/"):
        name = key.replace("~1", "/").replace("~0", "~")
        if isinstance(found, list) and name.isdecimal() and int(name) < len(found):
            found = found[int(name)]
        elif isinstance(found, dict) and name in found:
            found = found[name]
        else:
            raise BrokenReference(f"the reference `{reference}` points to nothing")
    if not isinstance(found, dict):
        raise BrokenReference(f"the reference `{reference}` points to no object")
    return found

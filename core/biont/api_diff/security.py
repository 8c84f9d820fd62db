"""Comparison of the keys and rights that an operation demands."""

from __future__ import annotations

from biont.api_diff.changes import ChangeList
from biont.api_diff.references import Document, Schema, resolve

# The parts of a security scheme that decide how a client sends the key.
_PARTS = ("type", "name", "in", "scheme", "openIdConnectUrl", "flows")

# The scopes that each scheme of an alternative demands.
_Alternative = dict[str, list[str]]


class SecurityComparison:
    """Compares the security of operations of two documents.

    Args:
        old: the old document.
        new: the new document.
        changes: gets the changes.
    """

    def __init__(self, old: Document, new: Document, changes: ChangeList) -> None:
        self._old = old
        self._new = new
        self._changes = changes

    def compare(self, place: str, old: Schema, new: Schema) -> None:
        """Add the changes of the operation `place` from `old` to `new`."""
        before = _list_alternatives(old, self._old)
        after = _list_alternatives(new, self._new)
        was_open, is_open = {} in before, {} in after
        if was_open and not is_open:
            self._changes.add(place, "an API key is needed now", breaks=True)
        elif is_open and not was_open:
            self._changes.add(place, "no API key is needed any more", breaks=False)
        else:
            self._compare_alternatives(place, before, after)
        if not is_open:
            self._compare_scopes(place, old, new, was_open=was_open)

    def _compare_alternatives(
        self, place: str, before: list[_Alternative], after: list[_Alternative]
    ) -> None:
        for alternative in before:
            if not any(self._is_enough(alternative, each) for each in after):
                text = self._describe_loss(alternative, after)
                self._changes.add(place, text, breaks=True)
        for each in after:
            if not any(self._is_enough(alternative, each) for alternative in before):
                text = f"{_describe(each)} is enough now"
                self._changes.add(place, text, breaks=False)

    def _is_enough(self, old: _Alternative, new: _Alternative) -> bool:
        """Return whether a client that meets `old` meets `new`."""
        return all(
            any(
                self._is_same_scheme(known, name) and {*scopes} <= {*known_scopes}
                for known, known_scopes in old.items()
            )
            for name, scopes in new.items()
        )

    def _is_same_scheme(self, old: str, new: str) -> bool:
        before, after = _find_scheme(old, self._old), _find_scheme(new, self._new)
        if before is None or after is None:
            return old == new and before is after
        return not _list_differences(before, after)

    def _describe_loss(self, alternative: _Alternative, after: list[_Alternative]) -> str:
        for name in alternative:
            before, scheme = _find_scheme(name, self._old), _find_scheme(name, self._new)
            if before is not None and scheme is None:
                return f"the security scheme `{name}` is removed"
            if before is not None and scheme is not None:
                for part in _list_differences(before, scheme):
                    values = f"{scheme.get(part)!r}, not {before.get(part)!r}"
                    return f"the `{part}` of the security scheme `{name}` is {values}"
        left = " or ".join(_describe(each) for each in after)
        return f"{_describe(alternative)} is not enough any more, only {left}"

    def _compare_scopes(self, place: str, old: Schema, new: Schema, *, was_open: bool) -> None:
        before, after = old.get("x-scopes"), new.get("x-scopes")
        if before is not None and after is None:
            text = "the scopes that may use the operation (`x-scopes`) are removed"
            self._changes.add(place, text, breaks=True)
        elif before is None and after is not None and not was_open:
            text = f"only keys of the scopes {', '.join(after)} may use the operation"
            self._changes.add(place, text, breaks=True)
        elif before is not None and after is not None:
            for scope in sorted({*before} - {*after}):
                text = f"keys of scope `{scope}` may no longer use the operation"
                self._changes.add(place, text, breaks=True)
            for scope in sorted({*after} - {*before}):
                text = f"keys of scope `{scope}` may use the operation too"
                self._changes.add(place, text, breaks=False)


def _list_alternatives(operation: Schema, document: Document) -> list[_Alternative]:
    """Return the alternatives of an operation; an empty alternative demands nothing."""
    holder = operation if "security" in operation else document
    found: list[_Alternative] = holder.get("security", [])
    return found or [{}]


def _find_scheme(name: str, document: Document) -> Schema | None:
    found = document.get("components", {}).get("securitySchemes", {}).get(name)
    return None if found is None else resolve(found, document)


def _list_differences(old: Schema, new: Schema) -> list[str]:
    return [part for part in _PARTS if _normalize(old, part) != _normalize(new, part)]


def _normalize(scheme: Schema, part: str) -> object:
    value = scheme.get(part)
    # Names of headers and of schemes of HTTP have no case.
    if part == "scheme" or (part == "name" and scheme.get("in") == "header"):
        return str(value).lower()
    if part == "flows" and isinstance(value, dict):
        return {
            flow: {key: each for key, each in words.items() if key.endswith("Url")}
            for flow, words in value.items()
        }
    return value


def _describe(alternative: _Alternative) -> str:
    schemes = [
        f"`{name}` with {', '.join(scopes)}" if scopes else f"`{name}`"
        for name, scopes in sorted(alternative.items())
    ]
    return " and ".join(schemes) or "no key"

"""Comparison of two OpenAPI documents, operation by operation."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from biont.api_diff.changes import ApiChange, ChangeList
from biont.api_diff.references import Document, Schema, resolve
from biont.api_diff.schemas import SchemaComparison
from biont.api_diff.security import SecurityComparison

_METHODS = ("get", "post", "put", "patch", "delete", "head", "options")


def compare_documents(old: Document, new: Document) -> list[ApiChange]:
    """Return the changes from the document `old` to the document `new`.

    Raises:
        BrokenReference: a reference of a document points to nothing, or only to itself.
    """
    return _Comparison(old, new).run()


class _Comparison:
    """Comparison of two documents."""

    def __init__(self, old: Document, new: Document) -> None:
        self._old = old
        self._new = new
        self._changes = ChangeList()
        self._schemas = SchemaComparison(old, new, self._changes)
        self._security = SecurityComparison(old, new, self._changes)

    def run(self) -> list[ApiChange]:
        before, after = dict(_list_operations(self._old)), dict(_list_operations(self._new))
        for place, operation in before.items():
            if place not in after:
                self._changes.add(place, "the operation is removed", breaks=True)
            else:
                self._compare_operation(place, operation, after[place])
        for place in after.keys() - before.keys():
            self._changes.add(place, "new operation", breaks=False)
        servers = [
            (document.get("servers") or [{}])[0].get("url", "/")
            for document in (self._old, self._new)
        ]
        if servers[0] != servers[1]:
            text = f"the URL of the first server is {servers[1]}, not {servers[0]}"
            self._changes.add("servers", text, breaks=True)
        self._compare_deliveries()
        return self._changes.found

    def _compare_operation(self, place: str, old: Schema, new: Schema) -> None:
        add = self._changes.add
        if old.get("operationId") != new.get("operationId"):
            text = f"the operationId is {new.get('operationId')}, not {old.get('operationId')}"
            add(place, text, breaks=True)
        if old.get("tags", [])[:1] != new.get("tags", [])[:1]:
            text = f"the tag is {new.get('tags', [])[:1]}, not {old.get('tags', [])[:1]}"
            add(place, text, breaks=True)
        if new.get("deprecated") and not old.get("deprecated"):
            add(place, "the operation is deprecated", breaks=False)
        self._security.compare(place, old, new)
        self._compare_parameters(place, old, new)
        self._compare_body(place, old, new)
        self._compare_responses(place, old, new)

    def _compare_parameters(self, place: str, old: Schema, new: Schema) -> None:
        before = _list_parameters(old, self._old)
        after = _list_parameters(new, self._new)
        for key, parameter in before.items():
            name = f"{key[0]} {key[1]}"
            if key not in after:
                self._changes.add(place, f"the parameter `{name}` is removed", breaks=True)
                continue
            is_required = after[key].get("required", False)
            if is_required and not parameter.get("required", False):
                self._changes.add(place, f"the parameter `{name}` is required now", breaks=True)
            for word, was, now in zip(
                ("style", "explode"), _find_form(parameter), _find_form(after[key]), strict=True
            ):
                if was != now:
                    text = f"the {word} of the parameter `{name}` is {now}, not {was}"
                    self._changes.add(place, text, breaks=True)
            schemas = parameter.get("schema", {}), after[key].get("schema", {})
            self._schemas.compare(place, name, *schemas, sent=True)
            defaults = [schema.get("default") for schema in schemas]
            if defaults[0] != defaults[1]:
                text = f"the default of `{name}` is {defaults[1]!r}, not {defaults[0]!r}"
                self._changes.add(place, text, breaks=True)
        for key in after.keys() - before.keys():
            needed = after[key].get("required", False)
            text = "new required parameter" if needed else "new parameter"
            self._changes.add(place, f"{text} `{key[0]} {key[1]}`", breaks=needed)

    def _compare_body(self, place: str, old: Schema, new: Schema) -> None:
        before = resolve(old.get("requestBody", {}), self._old)
        after = resolve(new.get("requestBody", {}), self._new)
        if after.get("required") and not before.get("required"):
            self._changes.add(place, "a body is required now", breaks=True)
        if before and not after:
            self._changes.add(place, "the operation takes no body any more", breaks=True)
            return
        self._compare_contents(place, "body", before, after, sent=True)

    def _compare_responses(self, place: str, old: Schema, new: Schema) -> None:
        before, after = old.get("responses", {}), new.get("responses", {})
        for status in sorted(before.keys() - after.keys()):
            self._changes.add(
                place, f"the status {status} is removed", breaks=status.startswith("2")
            )
        for status in sorted(after.keys() - before.keys()):
            self._changes.add(
                place, f"new status {status}", breaks=status.startswith("2") and bool(before)
            )
        for status in sorted(before.keys() & after.keys()):
            answers = resolve(before[status], self._old), resolve(after[status], self._new)
            self._compare_contents(place, f"answer {status}", *answers, sent=False)
            gone = answers[0].get("headers", {}).keys() - answers[1].get("headers", {}).keys()
            for name in sorted(gone):
                text = f"the header `{name}` of the answer {status} is removed"
                self._changes.add(place, text, breaks=True)

    def _compare_contents(
        self, place: str, name: str, old: Schema, new: Schema, *, sent: bool
    ) -> None:
        before, after = old.get("content", {}), new.get("content", {})
        for kind in sorted(before.keys() - after.keys()):
            self._changes.add(place, f"the {name} is no longer {kind}", breaks=True)
        for kind in sorted(after.keys() - before.keys()):
            if before:
                self._changes.add(place, f"the {name} may be {kind} too", breaks=False)
        for kind in sorted(before.keys() & after.keys()):
            schemas = before[kind].get("schema", {}), after[kind].get("schema", {})
            self._schemas.compare(place, name, *schemas, sent=sent)

    def _compare_deliveries(self) -> None:
        """Compare what webhooks receive: a receiver reads the bodies of these requests."""
        before, after = self._old.get("webhooks", {}), self._new.get("webhooks", {})
        for name, methods in before.items():
            place = f"webhook {name}"
            if name not in after:
                self._changes.add(place, "the event type is removed", breaks=True)
                continue
            for method in methods.keys() & {*_METHODS}:
                if method not in after[name]:
                    text = f"the event is no longer sent with {method.upper()}"
                    self._changes.add(place, text, breaks=True)
                else:
                    self._compare_delivery(place, methods[method], after[name][method])
        for name in after.keys() - before.keys():
            self._changes.add(f"webhook {name}", "new event type", breaks=False)

    def _compare_delivery(self, place: str, old: Schema, new: Schema) -> None:
        self._compare_sent_headers(place, old, new)
        bodies = (
            resolve(old.get("requestBody", {}), self._old),
            resolve(new.get("requestBody", {}), self._new),
        )
        self._compare_contents(place, "event", *bodies, sent=False)

    def _compare_sent_headers(self, place: str, old: Schema, new: Schema) -> None:
        before, after = _list_parameters(old, self._old), _list_parameters(new, self._new)
        for key, parameter in before.items():
            name = f"{key[0]} {key[1]}"
            if key not in after:
                self._changes.add(place, f"the parameter `{name}` is removed", breaks=True)
                continue
            if parameter.get("required") and not after[key].get("required"):
                text = f"the parameter `{name}` may be left out now"
                self._changes.add(place, text, breaks=True)
            schemas = parameter.get("schema", {}), after[key].get("schema", {})
            self._schemas.compare(place, name, *schemas, sent=False)


def _find_form(parameter: Schema) -> tuple[str, bool]:
    """Return the style of a parameter, and whether each item is a parameter of its own."""
    usual = "form" if parameter["in"] in {"query", "cookie"} else "simple"
    style = parameter.get("style", usual)
    return style, parameter.get("explode", style == "form")


def _list_operations(document: Document) -> Iterator[tuple[str, Any]]:
    for path, methods in document.get("paths", {}).items():
        for method in _METHODS:
            if method in methods:
                operation = methods[method]
                # Those of the operation come last, and replace those of the path.
                parameters = [*methods.get("parameters", []), *operation.get("parameters", [])]
                yield f"{method.upper()} {path}", {**operation, "parameters": parameters}


def _list_parameters(operation: Schema, document: Document) -> dict[tuple[str, str], Schema]:
    found = [resolve(each, document) for each in operation.get("parameters", [])]
    return {
        # Names of headers have no case.
        (each["in"], each["name"].lower() if each["in"] == "header" else each["name"]): each
        for each in found
    }

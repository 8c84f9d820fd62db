"""Templates: texts and JSON documents with values of an incoming message.

A placeholder, ``{{ body.issue.title }}``, names a value by its path. In a text, a value that is no
text becomes JSON, and a missing value becomes nothing. A JSON template is a document: a text that
is one placeholder alone becomes the value itself, null if the value is missing.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated

import orjson
from pydantic import AfterValidator, JsonValue, TypeAdapter, ValidationError

from biont import JsonObject
from biont_webhooks import MISSING, Path, make_finder

# Without optional spaces around the path, which would take quadratic time.
_PLACEHOLDER = re.compile(r"\{\{([^{}]*)\}\}")
_MOST_PLACEHOLDERS = 100
_ROOTS = ("event", "delivery_id", "headers", "query", "body")
_PATH: TypeAdapter[str] = TypeAdapter(Path)
_DEPTH = 20


def _check_placeholder(path: str) -> None:
    try:
        _PATH.validate_python(path)
    except ValidationError as error:
        raise ValueError(
            f"{{{{ {path} }}}} is no path; write {{{{ body.issue.title }}}}"
        ) from error
    root = path.lstrip("/").partition("/" if path.startswith("/") else ".")[0]
    if root not in _ROOTS:
        raise ValueError(
            f"{{{{ {path} }}}} begins with {root!r}; a path begins with one of {', '.join(_ROOTS)}"
        )


def _check_text(text: str) -> str:
    for path in _PLACEHOLDER.findall(text):
        _check_placeholder(path.strip())
    _check_count(count_placeholders(text))
    return text


def _check_count(count: int) -> None:
    # Each placeholder may stand for the whole body.
    if count > _MOST_PLACEHOLDERS:
        raise ValueError(f"has {count} placeholders; at most {_MOST_PLACEHOLDERS} are allowed")


def _check_document(document: JsonValue, depth: int = _DEPTH) -> JsonValue:
    if depth == 0:
        raise ValueError(f"is nested more than {_DEPTH} levels deep")
    match document:
        case str():
            _check_text(document)
        case list():
            for each in document:
                _check_document(each, depth - 1)
        case dict():
            for each in document.values():
                _check_document(each, depth - 1)
    return document


def _check_object(document: dict[str, JsonValue]) -> dict[str, JsonValue]:
    _check_document(document)
    _check_count(count_placeholders(orjson.dumps(document).decode()))
    return document


TextTemplate = Annotated[str, AfterValidator(_check_text)]
"""Text with placeholders."""

JsonTemplate = Annotated[dict[str, JsonValue], AfterValidator(_check_object)]
"""JSON object whose texts may have placeholders."""


def fill_text(
    template: str, document: JsonObject, wrap: Callable[[str], str] = lambda text: text
) -> str:
    """Return a text with the values of its placeholders.

    Args:
        template: the text.
        document: the document of the message.
        wrap: changes the text of each value, such as by a fence.
    """

    def replace(found: re.Match[str]) -> str:
        return wrap(_format(make_finder(found[1].strip())(document)))

    return _PLACEHOLDER.sub(replace, template)


def count_placeholders(template: str) -> int:
    """Return the number of placeholders in a text."""
    return len(_PLACEHOLDER.findall(template))


def fill_json(template: JsonValue, document: JsonObject) -> JsonValue:
    """Return a JSON template with the values of its placeholders."""
    match template:
        case str():
            whole = _PLACEHOLDER.fullmatch(template)
            if whole is None:
                return fill_text(template, document)
            value = make_finder(whole[1].strip())(document)
            # The document is JSON, so each of its values is.
            return None if value is MISSING else value  # type: ignore[return-value]  # see above
        case list():
            return [fill_json(each, document) for each in template]
        case dict():
            return {name: fill_json(each, document) for name, each in template.items()}
    return template


def _format(value: object) -> str:
    if isinstance(value, str):
        return value
    if value is MISSING or value is None:
        return ""
    return orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()

"""Page of the events that webhooks receive, made from the AsyncAPI document."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape

from pydantic import JsonValue

Schemas = Mapping[str, JsonValue]

_HEAD = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Events of Biont Workbench</title>
<link rel="icon" href="assets/favicon-32x32.png">
<link rel="stylesheet" href="assets/pages.css">
</head>
<body>
<nav><a href="../docs">API</a><a href="../llms.txt">Guides</a>
<a href="../api/v1/asyncapi.json">AsyncAPI</a></nav>
<main>
<h1>Events</h1>
"""


def write_events_page(document: Mapping[str, JsonValue]) -> str:
    """Return the page of an AsyncAPI document."""
    components = _get(document, "components")
    schemas, channels = _get(components, "schemas"), _get(document, "channels")
    headers = _get(_get(_get(components, "messageTraits"), "signed"), "headers")
    parts = [
        _HEAD,
        f"<p>{escape(str(_get(document, 'info').get('description', '')))}</p>",
        "<h2>Headers of each delivery</h2>",
        *_write_fields(headers, schemas),
        "<h2>Event types</h2><ul>",
        *(f'<li><a href="#{escape(name)}">{escape(name)}</a></li>' for name in channels),
        "</ul>",
    ]
    for name in channels:
        message = _get(_get(_get(channels, name), "messages"), name)
        body = _get(_get(message, "payload"), "properties")
        parts += [
            f'<h2 id="{escape(name)}">{escape(name)}</h2>',
            f"<p>{escape(str(message.get('summary', '')))}</p>",
            *_write_fields(_resolve(body.get("payload"), schemas), schemas),
        ]
    return "\n".join([*parts, "</main></body></html>\n"])


def _write_fields(schema: Schemas, schemas: Schemas) -> Iterator[str]:
    """Yield a table of the properties of an object."""
    required = schema.get("required")
    yield "<table><tr><th>Field</th><th>Type</th><th>Meaning</th></tr>"
    for name, field in _get(schema, "properties").items():
        is_required = isinstance(required, list) and name in required
        kind = _name_type(field, schemas) + ("" if is_required else ", optional")
        meaning = field.get("description", "") if isinstance(field, Mapping) else ""
        yield (
            f"<tr><td><code>{escape(name)}</code></td><td>{escape(kind)}</td>"
            f"<td>{escape(str(meaning))}</td></tr>"
        )
    yield "</table>"


def _name_type(field: JsonValue, schemas: Schemas) -> str:
    schema = _resolve(field, schemas)
    choices = schema.get("anyOf", schema.get("oneOf"))
    if isinstance(choices, list):
        return " or ".join(dict.fromkeys(_name_type(choice, schemas) for choice in choices))
    if isinstance(values := schema.get("enum"), list):
        return " or ".join(map(str, values))
    kind = str(schema.get("type", "any value"))
    return f"{kind} of {_name_type(schema['items'], schemas)}" if "items" in schema else kind


def _resolve(schema: JsonValue, schemas: Schemas) -> Schemas:
    """Return a schema, or the schema to which it refers."""
    match schema:
        case {"$ref": str(target)}:
            return _get(schemas, target.rpartition("/")[2])
        case dict():
            return schema
    return {}


def _get(document: Schemas, name: str) -> Schemas:
    """Return a member that is an object; an empty object if there is none."""
    found = document.get(name)
    return found if isinstance(found, dict) else {}

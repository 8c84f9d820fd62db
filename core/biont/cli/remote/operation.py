"""Command of an operation: options for the parameters and fields, and the call."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, cast

import click

from biont.cli.remote.output import print_json, print_line, print_value
from biont.cli.remote.settings import make_server_options, open_client
from biont.cli.remote.values import Schema, SchemaType, get_items, list_alternatives
from biont.client import Client, ClientError, StreamedEvent, UnauthorizedError
from biont.client.call import Call, make_call
from biont.client.event_stream import follow_stream, read_stream
from biont.client.groups import read_page
from biont.client.json_types import JsonValue
from biont.exceptions import BiontError

_HEADERS = ("Idempotency-Key", "If-Match")
_JSON, _SSE = "application/json", "text/event-stream"
_OWN = {"server", "key_file", "json", "body", "all", "help"}


@dataclass(frozen=True)
class RestOperation:
    """Operation of a document.

    Attributes:
        method: ``GET`` and so on.
        path: the path with its parameters in braces.
        content: the operation, with its parameters in full.
        schemas: the schemas of the document.
    """

    method: str
    path: str
    content: dict[str, Any]
    schemas: dict[str, Schema]

    def list_parameters(self, place: str) -> list[Schema]:
        """Return the parameters in ``path``, ``query`` or ``header``."""
        return [each for each in self.content["parameters"] if each["in"] == place]

    def list_fields(self) -> dict[str, Schema]:
        """Return the schemas of the fields of the body, by name."""
        content = self.content.get("requestBody", {}).get("content", {})
        fields: dict[str, Schema] = {}
        for part in list_alternatives(content.get(_JSON, {}).get("schema", {}), self.schemas):
            fields |= part.get("properties", {})
        return fields

    @property
    def has_body(self) -> bool:
        """True if the operation takes a body."""
        return "requestBody" in self.content

    @property
    def has_pages(self) -> bool:
        """True if the answer is a page of a list."""
        return any(each["name"] == "cursor" for each in self.list_parameters("query"))

    @property
    def is_stream(self) -> bool:
        """True if the only answer is a stream."""
        return list(self.content["x-answers"]) == [_SSE]


def make_command(name: str, operation: RestOperation) -> click.Command:
    """Return the command of an operation."""
    summary, text = operation.content["summary"], operation.content.get("description", "")
    return click.Command(
        name,
        params=[*_make_parameters(operation), *make_server_options()],
        callback=lambda **values: _run(operation, values),
        # Click joins the lines of a paragraph, and marks of Markdown do no harm.
        help=f"{summary}.\n\n{text}",
        short_help=summary,
    )


def _make_parameters(operation: RestOperation) -> Iterator[click.Parameter]:
    for each in operation.list_parameters("path"):
        kind = SchemaType(each["schema"], operation.schemas)
        yield click.Argument([f"path_{each['name']}"], type=kind, metavar=each["name"].upper())
    for each in operation.list_parameters("query"):
        yield _make_option("query", each["name"], each["schema"], operation, each)
    for name, schema in operation.list_fields().items():
        yield _make_option("field", name, schema, operation, schema)
    if operation.has_body:
        yield click.Option(
            ["--body"],
            type=click.File("rb"),
            help="File with the JSON body, or - for standard input; options replace its fields.",
        )
    for each in operation.list_parameters("header"):
        if each["name"] in _HEADERS:
            names = [_name_header(each["name"]), f"--{each['name'].lower()}"]
            yield click.Option(names, metavar="TEXT", help=_shorten(each.get("description")))
    if operation.has_pages:
        yield click.Option(["--all"], is_flag=True, help="Read all pages, not only the first.")
    yield click.Option(["--json", "as_json"], is_flag=True, help="Print the answer as JSON.")


def _make_option(
    place: str, name: str, schema: Schema, operation: RestOperation, described: Schema
) -> click.Option:
    items = get_items(schema, operation.schemas)
    kind = SchemaType(schema if items is None else items, operation.schemas)
    plain = name.lower().replace("_", "-")
    taken = {each["name"] for each in operation.list_parameters("query")}
    is_taken = name in _OWN or (place == "field" and name in taken)
    flag = f"--{place}-{plain}" if is_taken else f"--{plain}"
    text = _shorten(described.get("description"))
    if kind.is_flag:
        return click.Option(
            [f"{place}_{name}", f"{flag}/--no-{flag[2:]}"], default=None, help=text
        )
    return click.Option(
        [f"{place}_{name}", flag],
        type=kind,
        metavar=kind.name,
        multiple=items is not None,
        help=text,
    )


def _shorten(text: str | None) -> str:
    return " ".join((text or "").split())


def _run(operation: RestOperation, values: dict[str, Any]) -> None:
    context = click.get_current_context()
    given = {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in values.items()
        if value is not None and value != ()
    }
    body = _read_body(operation, given, context)
    with open_client(context) as client:
        try:
            _call(client, operation, given, body)
        except UnauthorizedError as error:
            raise BiontError(f"{error}; check --key-file or BIONT_KEY") from error
        except ClientError as error:
            raise BiontError(str(error)) from error


def _read_body(
    operation: RestOperation, given: dict[str, Any], context: click.Context
) -> JsonValue:
    if not operation.has_body:
        return None
    body: JsonValue = None
    if "body" in given:
        try:
            body = json.loads(given["body"].read())
        except ValueError as error:
            raise click.BadParameter(f"the body is not JSON: {error}", context) from error
    fields = _pick(given, "field_")
    if fields:
        if not isinstance(body, dict | None):
            raise click.UsageError("the body is no object, so that no field can be added", context)
        body = {**(body or {}), **fields}
    if body is None and operation.content["requestBody"].get("required"):
        if operation.method == "PATCH":
            raise click.UsageError("give at least one field to change, or --body", context)
        return {}
    return body


def _pick(given: dict[str, Any], prefix: str) -> dict[str, Any]:
    return {
        name.removeprefix(prefix): value
        for name, value in given.items()
        if name.startswith(prefix)
    }


def _call(
    client: Client, operation: RestOperation, given: dict[str, Any], body: JsonValue
) -> None:
    names = re.findall(r"\{([^}]+)\}", operation.path)
    streams = isinstance(body, dict) and body.get("stream") is True
    call = make_call(
        operation.method,
        re.sub(r"\{[^}]+\}", "{}", operation.path),
        [given[f"path_{name}"] for name in names],
        query=_pick(given, "query_"),
        # A streamed answer cannot be stored for a repeated request.
        headers={} if streams else _list_headers(operation, given),
        body=body,
    )
    if operation.is_stream:
        _print_events(follow_stream(client.connection, call, None))
        return
    if streams:
        _print_events(read_stream(client.connection, call))
        return
    answer = client.connection.send(call)
    if not answer.content:
        click.echo("done")
    elif not _is_json(answer.headers.get("content-type", "")):
        click.echo(answer.content, nl=False)
    else:
        _print_answer(client, call, cast("JsonValue", answer.read_json()), given)


def _list_headers(operation: RestOperation, given: dict[str, Any]) -> dict[str, str | None]:
    found = {each["name"] for each in operation.list_parameters("header")}
    return {name: given.get(_name_header(name)) for name in _HEADERS if name in found}


def _name_header(name: str) -> str:
    return f"header_{name.lower().replace('-', '_')}"


def _print_events(events: Iterator[StreamedEvent]) -> None:
    for event in events:
        print_line(_parse(event.data))


def _print_answer(client: Client, call: Call, answer: JsonValue, given: dict[str, Any]) -> None:
    following = answer.get("next") if isinstance(answer, dict) else None
    if given.get("all"):
        answer, following = {"data": [*_read_pages(client, call, answer)], "next": None}, None
    if given.get("as_json"):
        print_json(answer)
        return
    print_value(answer)
    if following is not None:
        click.echo(f"there are more: add --all, or --cursor {following}", err=True)


def _read_pages(client: Client, call: Call, answer: object) -> Iterator[JsonValue]:
    """Yield the items of a page, and of all pages that follow."""
    query = [pair for pair in call.query if pair[0] != "cursor"]
    items, cursor = read_page(answer)
    while True:
        yield from cast("list[JsonValue]", items)
        if cursor is None:
            return
        following = replace(call, query=[*query, ("cursor", cursor)])
        items, cursor = read_page(client.connection.send(following).read_json())


def _parse(text: str) -> JsonValue:
    try:
        value: JsonValue = json.loads(text)
    except ValueError:
        return text
    return value


def _is_json(content_type: str) -> bool:
    """Return whether an answer is one JSON document; JSON lines are many."""
    return content_type.partition(";")[0].strip().endswith(("/json", "+json"))

"""Methods of the generated groups, one for each operation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from client.model_types import (
    WIDTH,
    Schema,
    Schemas,
    Types,
    find_names,
    get_name,
    is_null,
    write_docstring,
)
from client.naming import name_argument

SSE = "text/event-stream"
JSON = "application/json"
HEADERS = ("Idempotency-Key", "If-Match")
"""Request headers that methods take; others belong to the client, or to streams."""

STREAMED = {"follow_events": ("EventView", "/api/v1/events")}
"""For each stream that resumes: the type of its data, and the list that has the newest first."""


@dataclass(frozen=True)
class Method:
    """Method of a group.

    Attributes:
        name: the name of the method.
        path: the path of the operation.
        verb: the HTTP method, in capitals.
        operation: the operation, without references to parameters and bodies.
        schemas: all schemas of the document.
    """

    name: str
    path: str
    verb: str
    operation: dict[str, Any]
    schemas: Schemas

    @property
    def body(self) -> Schema | None:
        """The schema of the JSON body; None for an operation without a body."""
        content = self.operation.get("requestBody", {}).get("content", {})
        return content[JSON]["schema"] if JSON in content else None

    @property
    def body_name(self) -> str | None:
        """The name of the model of the body."""
        if self.body is None:
            return None
        (name,) = [
            get_name(part["$ref"])
            for part in self.body.get("anyOf", [self.body])
            if not is_null(part)
        ]
        return name

    @property
    def contents(self) -> Mapping[str, Schema]:
        """The schemas of a success, by media type."""
        for status, response in self.operation["responses"].items():
            if status.startswith("2"):
                return {
                    kind: content.get("schema", {})
                    for kind, content in response.get("content", {}).items()
                }
        return {}

    @property
    def item(self) -> str | None:
        """The model of the items, for an operation that answers with pages of a list."""
        schema = self.contents.get(JSON, {})
        if "$ref" not in schema:
            return None
        fields = self.schemas[get_name(schema["$ref"])].get("properties", {})
        if set(fields) != {"data", "next"}:
            return None
        return get_name(fields["data"]["items"]["$ref"])

    @property
    def parameters(self) -> Sequence[Schema]:
        """The path and query parameters, and the headers."""
        parameters: Sequence[Schema] = self.operation["parameters"]
        return parameters

    @property
    def is_stream(self) -> bool:
        """Whether the only answer is a stream."""
        return list(self.contents) == [SSE]

    def list_models(self) -> tuple[set[str], set[str]]:
        """Return the names of the models of the request, and of the answer."""
        asked = {name for p in self.parameters for name in find_names(p["schema"])}
        asked |= {self.body_name} if self.body_name else set()
        if self.is_stream:
            return asked, {STREAMED[self.operation["operationId"]][0]}
        if self.item is not None:
            return asked, {self.item}
        return asked, set(find_names(list(self.contents.values())))

    def write(self, *, is_async: bool) -> str:
        """Return the methods of the operation: one, and one more for an optional stream."""
        if self.is_stream:
            return self._write_follow(is_async=is_async)
        text = self._write_plain(is_async=is_async)
        if SSE in self.contents:
            text += "\n" + self._write_streamed(is_async=is_async)
        return text

    def _write_plain(self, *, is_async: bool) -> str:
        kind, start = self._describe_answer(is_async=is_async)
        is_list = self.item is not None
        define = "async def" if is_async and not is_list else "def"
        wait = "await " if is_async and not is_list and kind != "None" else ""
        if is_list:
            has_cursor = any(each["name"] == "cursor" for each in self.parameters)
            call = (
                f"return self._list(\n            {self.item},\n            {self._call()},\n"
                f"            {'cursor' if has_cursor else 'None'},\n        )"
            )
        elif kind == "None":
            wait = "await " if is_async else ""
            call = f"{wait}self._finish(\n            {self._call()},\n        )"
        else:
            call = f"return {wait}self.{start}\n            {self._call()},\n        )"
        return (
            f"    {define} {self.name}(\n{self._signature()}    ) -> {kind}:\n"
            f"{self._docstring()}        {call}\n"
        )

    def _write_streamed(self, *, is_async: bool) -> str:
        kind = f"{'Async' if is_async else ''}Iterator[StreamedEvent]"
        text = (
            f"Call `{self.name}` with a streamed answer, and yield the events of the answer.\n\n"
            "The call is not repeated after an error."
        )
        return (
            f"    def stream_{self.name.partition('_')[2] or self.name}(\n"
            f"{self._signature(streams=True)}    ) -> {kind}:\n"
            f"{write_docstring(text, '        ')}"
            f"        return self._stream(\n            {self._call(streams=True)},\n        )\n"
        )

    def _write_follow(self, *, is_async: bool) -> str:
        model, newest = STREAMED[self.operation["operationId"]]
        kind = f"{'Async' if is_async else ''}Iterator[{model}]"
        text = (
            f"{self.operation['summary']}.\n\nThe stream never ends: after an error of the "
            "connection it goes on, without a gap and with nothing twice.\n\nArgs:\n"
            "    after: the `number` of the last event that you have; None to begin with events "
            "after this call.\n    event_type: only events of this type, or a prefix: `task_*`."
        )
        return (
            f"    def {self.name}(\n        self,\n        *,\n"
            "        after: str | int | None = None,\n"
            "        event_type: str | None = None,\n"
            f"    ) -> {kind}:\n{write_docstring(text, '        ')}"
            f"        return self._follow(\n            {model},\n"
            f'            make_call("GET", "{self.path}", query={{"event_type": event_type}}),\n'
            f"            after,\n"
            f'            make_call("GET", "{newest}", query={{"limit": 1}}),\n'
            "        )\n"
        )

    def _describe_answer(self, *, is_async: bool) -> tuple[str, str]:
        """Return the type of the result, and the call of the method that reads the result."""
        if self.item is not None:
            return f"{'Async' if is_async else ''}Pages[{self.item}]", ""
        contents = {kind: schema for kind, schema in self.contents.items() if kind != SSE}
        if not contents:
            return "None", ""
        if list(contents) == [JSON]:
            kind = Types(is_request=False).get(contents[JSON])
            # A union is no class, so that its place is taken by the type of any JSON value.
            named = kind if " | " not in kind else f'cast("type[{kind}]", object)'
            return kind, f"_read(\n            {named},"
        if len(contents) == 1 and next(iter(contents)).startswith("text/"):
            return "str", "_read_text("
        return "bytes", "_read_bytes("

    def _signature(self, *, streams: bool = False) -> str:
        rows = ["self"]
        paths = [p for p in self.parameters if p["in"] == "path"]
        get_type = Types(is_request=True).get
        rows += [f"{name_argument(p['name'])}: {get_type(p['schema'])}" for p in paths]
        rows += ["/"] if paths else []
        named = self._list_named(streams=streams)
        body = self.body_name
        if named:
            rows += ["*", *named]
        if body is not None:
            rows.append(f"**body: Unpack[{body}]")
        return "".join(f"        {row},\n" for row in rows)

    def _list_named(self, *, streams: bool) -> list[str]:
        get_type = Types(is_request=True).get
        rows = []
        for parameter in self.parameters:
            name, kind = name_argument(parameter["name"]), get_type(parameter["schema"])
            if parameter["in"] == "query":
                is_required = parameter.get("required", False)
                optional = kind if "None" in kind.split(" | ") else f"{kind} | None"
                rows.append(f"{name}: {kind}" if is_required else f"{name}: {optional} = None")
            elif parameter["in"] == "header" and parameter["name"] in HEADERS and not streams:
                rows.append(f"{name}: str | None = None")
        # Required arguments first, for the reader.
        return sorted(rows, key=lambda row: row.endswith("= None"))

    def _docstring(self) -> str:
        text = f"{self.operation['summary']}."
        if self.operation.get("description"):
            text += f"\n\n{self.operation['description']}"
        rows = [
            f"    {name_argument(p['name'])}: {' '.join(p['description'].split())}\n"
            for p in self.parameters
            if p["in"] in ("path", "query") and p.get("description")
        ]
        if rows:
            text += f"\n\nArgs:\n{''.join(rows).rstrip()}"
        return write_docstring(text, "        ")

    def _call(self, *, streams: bool = False) -> str:
        paths = [name_argument(p["name"]) for p in self.parameters if p["in"] == "path"]
        path = self.path
        for parameter in self.parameters:
            if parameter["in"] == "path":
                path = path.replace(f"{{{parameter['name']}}}", "{}")
        parts = [f'"{self.verb}"', f'"{path}"']
        if paths:
            parts.append(f"({', '.join(paths)},)" if len(paths) == 1 else f"({', '.join(paths)})")
        parts += self._call_options(streams=streams)
        flat = f"make_call({', '.join(parts)})"
        if len(flat) < 80:
            return flat
        rows = "".join(f"                {part},\n" for part in parts)
        return f"make_call(\n{rows}            )"

    def _call_options(self, *, streams: bool) -> list[str]:
        def pair(parameter: Schema) -> str:
            return f'"{parameter["name"]}": {name_argument(parameter["name"])}'

        query = [p for p in self.parameters if p["in"] == "query" and p["name"] != "cursor"]
        if self.item is None:
            query = [p for p in self.parameters if p["in"] == "query"]
        headers = [p for p in self.parameters if p["in"] == "header" and p["name"] in HEADERS]
        options = []
        if query:
            flat = f"query={{{', '.join(map(pair, query))}}}"
            rows = "".join(f"                    {pair(each)},\n" for each in query)
            is_long = len(flat) + 17 > WIDTH
            options.append(f"query={{\n{rows}                }}" if is_long else flat)
        if headers and not streams:
            options.append(f"headers={{{', '.join(map(pair, headers))}}}")
        if self.body is not None:
            is_required = self.operation["requestBody"].get("required", False)
            sent = "body" if is_required else "body or None"
            options.append('body={**body, "stream": True}' if streams else f"body={sent}")
        return options

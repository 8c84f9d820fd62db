"""The parts of the OpenAPI document that client developers rely on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import orjson
import pytest

from biont import Scope
from biont.application import Application
from biont.testing import ApiClient, MakeClient

Document = dict[str, Any]

TWO_PLUGINS = """
from biont import Api, Request, Schema, hookimpl

api = Api("{name}")


class Item(Schema):
    {field}: int


@hookimpl
def register_routes():
    return api


@api.post("/{name}")
async def create_note(request: Request, body: Item) -> Item:
    return body
"""


@pytest.fixture
def sections(tmp_path: Path) -> dict[str, object]:
    folder = tmp_path / "plugins"
    folder.mkdir()
    for name, field in (("alpha", "size"), ("beta", "weight")):
        (folder / f"{name}.py").write_text(TWO_PLUGINS.format(name=name, field=field))
    return {"plugins": {"folder": str(folder)}}


@pytest.fixture
def document(application: Application) -> Document:
    document: Document = orjson.loads(application.openapi)
    return document


def list_operations(document: Document) -> Iterator[tuple[str, str, Document]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield method, path, operation


def find_operation(document: Document, operation_id: str) -> Document:
    return next(
        operation
        for _, _, operation in list_operations(document)
        if operation["operationId"] == operation_id
    )


def test_names_of_schemas_are_public_and_equal_to_their_titles(document: Document) -> None:
    schemas = document["components"]["schemas"]
    for name, schema in schemas.items():
        assert re.fullmatch("[A-Z][A-Za-z0-9]*", name)
        assert schema["title"] == name
    assert len({name.lower() for name in schemas}) == len(schemas)
    assert "NoteViewPage" in schemas


def test_two_plugins_may_give_a_schema_and_an_operation_one_name(document: Document) -> None:
    schemas = document["components"]["schemas"]
    used = {
        path: orjson.dumps(document["paths"][path]["post"]["requestBody"]).decode()
        for path in ("/api/v1/alpha", "/api/v1/beta")
    }
    for path, field in (("/api/v1/alpha", "size"), ("/api/v1/beta", "weight")):
        name = used[path].partition("#/components/schemas/")[2].partition('"')[0]
        assert list(schemas[name]["properties"]) == [field]
    assert find_operation(document, "create_note")["tags"] == ["notes"]
    assert find_operation(document, "create_note_of_alpha")["tags"] == ["alpha"]


def test_each_operation_has_a_verb_and_a_noun_for_its_id(document: Document) -> None:
    names = [operation["operationId"] for _, _, operation in list_operations(document)]
    assert len(set(names)) == len(names)
    for name in names:
        assert re.fullmatch("[a-z]+(_[a-z0-9]+)+", name), name


def test_each_tag_has_a_description(document: Document) -> None:
    described = {tag["name"]: tag["description"] for tag in document["tags"]}
    for _, path, operation in list_operations(document):
        assert described[operation["tags"][0]], path


def test_each_operation_names_its_scopes(document: Document) -> None:
    for _, path, operation in list_operations(document):
        if not operation["security"]:
            assert "Needs no API key" in operation["description"], path
            continue
        for scope in operation["x-scopes"]:
            assert (
                f"`{scope}`" in operation["description"]
                or "any scope" in (operation["description"])
            ), path


@pytest.mark.parametrize("scope", [scope for scope in Scope if scope is not Scope.FULL])
async def test_a_scope_may_do_what_its_operations_say(
    document: Document, open_client: MakeClient, scope: Scope
) -> None:
    client = await open_client("bob", scope)
    for method, path, operation in list_operations(document):
        if method != "get" or "{" in path or not operation["security"] or "stream" in path:
            continue
        status, _ = await client.ask("GET", path.removeprefix("/api/v1"))
        if path.startswith("/api/v1"):
            assert (status == 403) == (scope not in operation["x-scopes"]), path


def test_examples_are_valid(document: Document) -> None:
    count = 0
    for _, _, operation in list_operations(document):
        contents = [operation.get("requestBody", {}).get("content", {})]
        contents += [
            response.get("content", {})
            for response in operation["responses"].values()
            if "$ref" not in response
        ]
        for content in contents:
            for media in content.values():
                if "example" in media:
                    schema = {**media["schema"], "components": document["components"]}
                    jsonschema.validate(
                        media["example"], schema, cls=jsonschema.Draft202012Validator
                    )
                    count += 1
    assert count > 100


async def test_examples_of_new_things_are_accepted(document: Document, client: ApiClient) -> None:
    for operation_id, path in [
        ("create_note", "/notes"),
        ("emit_event", "/events"),
        ("create_key", "/keys/create"),
        ("create_reminder", "/reminders"),
        ("create_schedule", "/schedule"),
        ("register_webhook", "/webhooks/outgoing/register"),
        ("create_task", "/tasks"),
        ("preview_schedule", "/schedule/preview"),
    ]:
        content = find_operation(document, operation_id)["requestBody"]["content"]
        status, answer = await client.ask("POST", path, content["application/json"]["example"])
        assert status < 300, (operation_id, answer)


def test_headers_that_are_read_and_sent_are_described(document: Document) -> None:
    create = find_operation(document, "create_note")
    read = {part.get("$ref", "").rpartition("/")[2] for part in create["parameters"]}
    assert {"X-Request-ID", "X-Correlation-ID", "X-Biont-Hops"} <= read
    assert {"Location", "X-Request-ID"} <= set(create["responses"]["201"]["headers"])
    listing = find_operation(document, "list_notes")
    assert "Link" in listing["responses"]["200"]["headers"]
    stream = find_operation(document, "follow_events")
    assert "Last-Event-ID" in {part.get("name") for part in stream["parameters"]}
    assert "text/event-stream" in stream["responses"]["200"]["content"]
    responses = document["components"]["responses"]
    assert "WWW-Authenticate" in responses["Unauthorized"]["headers"]
    assert "Retry-After" in responses["ServiceUnavailable"]["headers"]
    assert "Retry-After" in responses["TooManyRequests"]["headers"]


def test_statuses_of_model_calls_are_described(document: Document) -> None:
    for operation_id in ("send_chat_message", "complete_chat"):
        statuses = set(find_operation(document, operation_id)["responses"])
        assert {"429", "502", "503", "504"} <= statuses
    assert "422" not in find_operation(document, "complete_chat")["responses"]
    assert "502" in find_operation(document, "send_message")["responses"]


def test_a_timing_is_one_of_three_and_a_duration_a_number_or_a_text(document: Document) -> None:
    schemas = document["components"]["schemas"]
    for name in ("NewSchedule", "NewReminder", "PreviewRequest"):
        alternatives = [part["$ref"].rpartition("/")[2] for part in schemas[name]["oneOf"]]
        assert alternatives == [f"{name}By{kind}" for kind in ("Cron", "Every", "At")]
        validator = jsonschema.Draft202012Validator(
            {**schemas[name], "components": document["components"]}
        )
        body: dict[str, object] = {"text": "a"} if name == "NewReminder" else {}
        assert validator.is_valid({**body, "every": "15m"})
        assert validator.is_valid({**body, "every": {"weeks": 2}})
        assert validator.is_valid({**body, "cron": "0 9 * * *"})
        assert not validator.is_valid(body)
        assert not validator.is_valid({**body, "every": 60, "cron": "0 9 * * *"})
    jitter = schemas["NewScheduleByCron"]["properties"]["jitter"]
    assert [kind["type"] for kind in jitter["anyOf"]] == ["integer", "string"]
    assert jitter["anyOf"][0]["minimum"] == 0

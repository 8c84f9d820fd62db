"""The API as strangers' tools see it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

import orjson
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from openapi_spec_validator import validate
from schemathesis import APIOperation
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from biont import Scope
from biont.application import Application
from biont.testing import ApiClient, MakeClient, make_key

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
PLAIN = ["text/plain; charset=utf-8"]
SEED_ROUTES = {
    ("post", "/api/v1/chat"),
    ("get", "/api/v1/notes"),
    ("get", "/api/v1/events"),
    ("post", "/api/v1/schedule"),
    ("post", "/api/v1/keys/create"),
    ("post", "/api/v1/webhooks/outgoing/register"),
}


async def test_the_openapi_document_is_valid_and_complete(application: Application) -> None:
    document = orjson.loads(application.openapi)
    validate(document)
    assert document["openapi"].startswith("3.1")
    assert {
        (method, path) for path, methods in document["paths"].items() for method in methods
    } >= SEED_ROUTES
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            assert operation["summary"], (method, path)


async def test_each_status_of_a_missing_object_is_documented(
    application: Application, client: ApiClient
) -> None:
    paths = orjson.loads(application.openapi)["paths"]
    for method, path, query in [
        ("get", "/schedule/upcoming", "?schedule_id=9"),
        ("get", "/schedule/feed", ""),
        ("delete", "/schedule/feed", ""),
        ("get", "/webhooks/outgoing/explain", "?event_id=9"),
    ]:
        assert (await client.ask(method.upper(), path + query))[0] == 404
        assert "404" in paths[f"/api/v1{path}"][method]["responses"], path


async def test_document_and_health_need_no_key(open_client: MakeClient) -> None:
    stranger = await open_client(None)
    assert (await stranger.get("/openapi.json"))["openapi"] == "3.1.0"
    health = await stranger.get("/health")
    assert health["status"] == "ok"
    assert health["quarantined"] == []


@pytest.mark.parametrize(
    ("scope", "examples"),
    [(Scope.FULL, 12), (Scope.READ, 3), (Scope.CHAT, 3), (Scope.WEBHOOK, 3)],
)
async def test_generated_requests_get_documented_responses(
    application: Application, open_client: MakeClient, scope: Scope, examples: int
) -> None:
    """Schemathesis sends good and bad requests; none may be a 500 or undocumented."""
    client = await open_client("ada", scope)
    document = orjson.loads(application.openapi)
    # A model would answer; what is asked of it is tested elsewhere.
    document["paths"].pop("/api/v1/chat", None)
    # It has no end.
    document["paths"].pop("/api/v1/events/stream")
    # It sends requests to the hosts of generated URLs.
    document["paths"].pop("/api/v1/webhooks/outgoing/{webhook_id}/conformance")
    # It waits for messages.
    document["paths"].pop("/api/v1/webhooks/listeners/{listener_id}/messages")
    loop = asyncio.get_running_loop()

    def make_headers() -> dict[str, str]:
        # A key for each operation, because some operations revoke the key of the request.
        made = make_key(application.workbench, "ada", scope)
        return {"X-API-Key": asyncio.run_coroutine_threadsafe(made, loop).result()}

    await asyncio.to_thread(_send_many, document, client.url, make_headers, examples)


def _send_many(
    document: dict[str, object],
    url: str,
    make_headers: Callable[[], dict[str, str]],
    examples: int,
) -> None:
    schema = schemathesis.openapi.from_dict(document)
    schema.config.update(base_url=url)
    count = 0
    for result in schema.get_all_operations():
        assert isinstance(result, Ok)
        for mode in schemathesis.GenerationMode:
            # Where nothing is asked for, nothing can be wrong.
            with contextlib.suppress(Unsatisfiable):
                count += _send(result.ok(), mode, make_headers(), examples)
    assert count > 300


def _send(
    operation: APIOperation[Any, Any, Any, Any],
    mode: schemathesis.GenerationMode,
    headers: dict[str, str],
    examples: int,
) -> int:
    sent: list[schemathesis.Case[Any]] = []

    @given(case=operation.as_strategy(mode))
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    def send(case: schemathesis.Case[Any]) -> None:
        sent.append(case)
        response = case.call(headers=headers)
        # What is not even HTTP is refused before it is a request to any route.
        if not (response.status_code == 400 and response.headers["content-type"] == PLAIN):
            case.validate_response(response, checks=CHECKS)

    send()
    return len(sent)

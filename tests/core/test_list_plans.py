"""Query plans of all lists, with each filter: no page reads a whole table."""

from __future__ import annotations

import itertools
import logging
import re
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Any

import pytest
from pydantic import JsonValue

from biont.application import Application
from biont.testing import ApiClient, MakeClient, ModelServer

VALUES = {"date-time": "2026-03-01T12:00:00Z", "integer": "1", "boolean": "true"}
"""Values of filters, by format or type of the parameter."""

BY_NAME = {"event_type": "note_*", "status_code": "500"}
"""Values of filters that are not any text or any number."""

SEARCHES = ("/notes/search", "/conversations/search")
"""Lists that are ordered by rank: all matches of the words are ranked."""

# Tables of one row, the result of a common table expression, and parts of the query itself.
HARMLESS = re.compile(
    r"SCAN (event_log_ends|types|\(subquery|CONSTANT|json_each|notes_text\b.*VIRT)"
)


OF_ALL = re.compile(r'FROM "users"')
"""List of all users."""


@pytest.fixture
def sections(scripted: ModelServer) -> dict[str, object]:
    return scripted.sections


@pytest.fixture
async def full(open_client: MakeClient) -> tuple[ApiClient, dict[str, object]]:
    """Return a client with an object of each kind, and the values of path parameters."""
    client = await open_client()
    chat = await client.post("/chat", {"message": "The capital?"})
    schedule = await client.post("/schedule", {"every": "7d", "prompt": "x"})
    webhook = await client.post(
        "/webhooks/outgoing/register",
        {"url": "http://127.0.0.1:9/", "event_types": ["custom_*"]},
    )
    action: JsonValue = {"kind": "event", "event_type": "custom_issue"}
    inbound = await client.post(
        "/webhooks/incoming", {"name": "x", "preset": "github", "action": action}
    )
    event = await client.post("/events", {"event_type": "custom_made"})
    note = await client.post("/notes", {"title": "x", "tags": ["x"]})
    return client, {
        "conversation_id": chat["conversation_id"],
        "event_id": event["id"],
        "inbound_id": inbound["id"],
        "note_id": note["id"],
        "schedule_id": schedule["id"],
        "webhook_id": webhook["id"],
    }


def list_queries(openapi: dict[str, Any], places: dict[str, object]) -> Iterator[str]:
    """Yield the path of each list: without filter, with each filter alone, and with all."""
    for path, operations in openapi["paths"].items():
        parameters = _resolve(operations.get("get", {}).get("parameters", []), openapi)
        if not path.startswith("/api/v1/") or "cursor" not in {p["name"] for p in parameters}:
            continue
        filters = {
            parameter["name"]: places.get(parameter["name"])
            or _find_value(parameter["name"], parameter["schema"])
            for parameter in parameters
            if parameter["in"] == "query"
            and parameter["name"] not in ("cursor", "limit", "fields")
        }
        required = {p["name"] for p in parameters if p["in"] == "query" and p["required"]}
        route = path.removeprefix("/api/v1").format_map(places)
        choices = [set(), *({name} for name in filters), set(filters)]
        for choice, cursor in itertools.product(choices, ("", "cursor=OQ&")):
            names = sorted(choice | required)
            query = "&".join(f"{name}={filters[name]}" for name in names)
            yield f"{route}?{cursor}{query}"


def _resolve(part: Any, document: dict[str, Any]) -> Any:  # noqa: ANN401  # any JSON
    """Return a part of the document with each reference replaced by its target."""
    if isinstance(part, list):
        return [_resolve(item, document) for item in part]
    if not isinstance(part, dict):
        return part
    if "$ref" in part:
        _, kind, name = part["$ref"].rsplit("/", 2)
        return _resolve(document["components"][kind][name], document)
    return {key: _resolve(value, document) for key, value in part.items()}


def _find_value(name: str, schema: dict[str, Any]) -> str:
    if name in BY_NAME:
        return BY_NAME[name]
    kinds = [schema, *schema.get("anyOf", [])]
    for kind in kinds:
        if "enum" in (repeated := kind.get("items", {})):
            return f"&{name}=".join(repeated["enum"][-2:])
        if "enum" in kind:
            return str(kind["enum"][-1])
        for label in (kind.get("format"), kind.get("type")):
            if label in VALUES:
                return VALUES[label]
    return "x"


def find_scans(connection: sqlite3.Connection, sql: str, parameters: Sequence[Any]) -> list[str]:
    """Return the steps of a query plan that read rows without end."""
    if "(0 = 1)" in sql:  # peewee's words for "in no rows"
        return []
    if OF_ALL.search(sql) and "LIMIT" in sql:
        # In the order of ids, so that a scan ends with the page.
        return [step for step in _explain(connection, sql, parameters) if "TEMP B-TREE" in step]
    steps = _explain(connection, sql, parameters)
    return [
        step
        for step in steps
        if (step.startswith("SCAN") and not HARMLESS.match(step))
        # A range of ids alone is a scan of the rows of all users.
        or re.search(r"USING INTEGER PRIMARY KEY \(rowid[<>]", step)
        or ("TEMP B-TREE FOR ORDER BY" in step and not _reads_chosen_rows(steps))
    ]


def _explain(connection: sqlite3.Connection, sql: str, parameters: Sequence[Any]) -> list[str]:
    plan = connection.execute(f"EXPLAIN QUERY PLAN {sql}", parameters).fetchall()
    return [step for *_, step in plan]


def _reads_chosen_rows(steps: list[str]) -> bool:
    """Return whether the rows to sort were chosen by their ids before."""
    return any("PRIMARY KEY (rowid=?)" in step for step in steps)


async def test_no_filter_of_any_list_reads_a_whole_table(
    full: tuple[ApiClient, dict[str, object]],
    application: Application,
    caplog: pytest.LogCaptureFixture,
) -> None:
    client, places = full
    caplog.set_level(logging.DEBUG, "peewee")
    found: list[str] = []
    paths = list(list_queries(await client.get("/openapi.json"), places))
    with closing(sqlite3.connect(application.workbench.settings.database.path)) as connection:
        for path in paths:
            caplog.clear()
            status, answer = await client.ask("GET", path)
            assert status == 200, (path, answer)
            for record in caplog.records:
                sql, parameters = record.msg if isinstance(record.msg, tuple) else ("", ())
                if sql.startswith(("SELECT", "WITH")) and not path.startswith(SEARCHES):
                    steps = find_scans(connection, sql, parameters or ())
                    found += [f"{path}: {step}: {sql}" for step in steps]
    assert len(paths) > 100
    assert found == []

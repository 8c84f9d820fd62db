"""Integrations: messages and reports to other systems."""

from __future__ import annotations

import asyncio

import orjson
import pytest
from aiohttp import web
from pydantic import JsonValue

from biont.testing import ApiClient, MakeClient, ModelServer, WebhookReceiver, rows_of

SECRET = "0123456789abcdef"  # of nothing
KINDS = ("json", "slack", "discord", "ntfy")


@pytest.fixture
def sections(receiver: WebhookReceiver, scripted: ModelServer) -> dict[str, object]:
    connections: dict[str, object] = {
        kind: {"kind": kind, "url": receiver.url, "reports": kind == "json"} for kind in KINDS
    }
    guarded = f"{receiver.url}?auth={SECRET}"
    connections["guarded"] = {"kind": "ntfy", "url": guarded, "reports": False}
    connections["away"] = {"url": "http://169.254.169.254/", "reports": False}
    own = {"kind": "json", "url": receiver.url, "headers": {"Authorization": f"Bearer {SECRET}"}}
    connections["json"] = own
    openai = {"base_url": scripted.url, "api_key": "x", "model": "m"}
    return {
        "plugins": {
            "integrations": {"connections": connections},
            "llm": {"backend": "openai", "openai": openai},
        },
        "events": {"handler_retry": [0.01, 0.01]},
    }


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("json", {"title": "Hi & <all>", "text": "**bold**"}),
        ("slack", {"text": "*Hi &amp; &lt;all&gt;*\n**bold**"}),
        (
            "discord",
            {"content": "**Hi & <all>**\n**bold**", "allowed_mentions": {"parse": []}},
        ),
        ("ntfy", {"topic": "hook", "title": "Hi & <all>", "message": "**bold**"}),
    ],
)
async def test_each_kind_gets_its_own_message_format(
    client: ApiClient, receiver: WebhookReceiver, kind: str, body: dict[str, JsonValue]
) -> None:
    message: dict[str, JsonValue] = {"title": "Hi & <all>", "text": "**bold**"}
    assert (await client.ask("POST", f"/integrations/{kind}/send", message))[0] == 204
    (request,) = receiver.requests
    assert orjson.loads(request.body) == body
    assert request.headers.get("Authorization") == (f"Bearer {SECRET}" if kind == "json" else None)
    (sent,) = rows_of(await client.get("/integrations/messages"))
    assert (sent["integration"], sent["title"]) == (kind, "Hi & <all>")


async def test_the_query_of_a_url_is_kept(client: ApiClient, receiver: WebhookReceiver) -> None:
    queries: list[str] = []

    async def note(request: web.Request) -> web.Response:
        queries.append(request.query_string)
        return web.Response()

    receiver.respond = note
    await client.ask("POST", "/integrations/guarded/send", {"title": "Hi"})
    assert queries == [f"auth={SECRET}"]


async def test_a_text_above_the_limit_is_truncated(
    client: ApiClient, receiver: WebhookReceiver
) -> None:
    for kind in ("discord", "ntfy"):
        message: dict[str, JsonValue] = {"title": "x", "text": "ü" * 5000}
        assert (await client.ask("POST", f"/integrations/{kind}/send", message))[0] == 204
    discord, ntfy = (orjson.loads(request.body) for request in receiver.requests)
    assert len(discord["content"]) == 2000
    assert len(ntfy["message"].encode()) == 4096


async def test_the_first_message_of_a_user_is_an_event(open_client: MakeClient) -> None:
    ada, eve = await open_client("ada"), await open_client("eve")
    for client in (ada, ada, eve):
        await client.ask("POST", "/integrations/slack/send", {"title": "x"})
    for client in (ada, eve):
        (event,) = rows_of(await client.get("/events?event_type=integration_connected"))
        assert event["payload"] == {
            "integration": "slack",
            "kind": "slack",
            "integration_id": None,
        }


async def test_integrations_are_listed_without_their_urls(client: ApiClient) -> None:
    answer: JsonValue = (await client.request("GET", "/integrations")).document
    assert str(answer).count("'name'") == len(KINDS) + 2
    assert "http" not in str(answer)
    assert SECRET not in str(answer)


@pytest.mark.parametrize(
    ("name", "status", "detail"),
    [("nobody", 404, "nobody"), ("away", 502, "169.254.169.254"), ("slack", 502, "500")],
)
async def test_a_message_that_is_not_accepted_is_an_error(
    client: ApiClient, receiver: WebhookReceiver, name: str, status: int, detail: str
) -> None:
    receiver.status = 500
    answer = await client.ask("POST", f"/integrations/{name}/send", {"title": "x"})
    assert answer[0] == status
    assert detail in str(answer[1]["detail"])
    assert rows_of(await client.get("/integrations/messages")) == []
    assert rows_of(await client.get("/events?event_type=integration_connected")) == []


async def run_prompt(client: ApiClient, **parameters: JsonValue) -> None:
    made = await client.post(
        "/schedule",
        {"every": "1h", "name": "News", "prompt": "Hello?", "parameters": dict(parameters)},
    )
    await client.ask("POST", f"/schedule/{made['id']}/run-now")


async def test_the_answer_of_a_schedule_is_sent_to_integrations(
    client: ApiClient, receiver: WebhookReceiver
) -> None:
    await run_prompt(client)
    (request,) = await receiver.wait_for(1)
    (note,) = rows_of(await client.get("/notes"))
    assert orjson.loads(request.body) == {"title": "News", "text": note["content"]}
    (event,) = rows_of(await client.get("/events?event_type=scheduled_trigger"))
    (sent,) = rows_of(await client.get_until("/integrations/messages", lambda page: page["data"]))
    assert sent["cause"] == event["id"]


async def test_a_report_goes_once_to_each_integration_that_a_schedule_names(
    client: ApiClient, receiver: WebhookReceiver
) -> None:
    failures = [500, 500]

    async def respond(request: web.Request) -> web.Response:
        is_slack = b'"text":"*' in await request.read()
        return web.Response(status=failures.pop() if is_slack and failures else 200)

    receiver.respond = respond
    await run_prompt(client, report_to=["json", "slack"])
    await client.get_until("/integrations/messages", lambda page: len(rows_of(page)) == 2)
    bodies = [orjson.loads(request.body) for request in receiver.requests]
    assert sum("title" in body for body in bodies) == 1
    assert len(bodies) == 4


async def test_an_integration_that_does_not_answer_delays_no_other(
    client: ApiClient, receiver: WebhookReceiver
) -> None:
    answer = asyncio.Event()

    async def respond(request: web.Request) -> web.Response:
        if b'"text":"*' in await request.read():
            await answer.wait()
        return web.Response()

    receiver.respond = respond
    await run_prompt(client, report_to=["slack", "json"])
    # Sooner than the first one is given up.
    await receiver.wait_for(2, seconds=10)
    answer.set()
    await client.get_until("/integrations/messages", lambda page: len(rows_of(page)) == 2)


async def test_a_schedule_with_an_empty_report_to_sends_nothing(
    client: ApiClient, receiver: WebhookReceiver
) -> None:
    await run_prompt(client, report_to=[])
    await client.get_until("/events?event_type=scheduled_trigger", lambda page: page["data"])
    await run_prompt(client)
    await receiver.wait_for(1)
    assert len(receiver.requests) == 1

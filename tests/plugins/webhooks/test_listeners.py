"""Listeners: signed messages that a named consumer fetches, also over crashes."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import unused_port
from conftest import MakeKey, StartServer
from pydantic import JsonValue
from support.process import keep_biont

from biont import Scope
from biont.testing import ApiClient, MakeClient, WebhookReceiver, rows_of
from biont.testing.receiver import Received
from biont_webhooks.subscription.signing import generate_secret

Document = dict[str, Any]

PATH = "/webhooks/listeners"
SECRET = generate_secret()


async def register(client: ApiClient, **fields: JsonValue) -> str:
    body: dict[str, JsonValue] = {"name": "me", "event_types": ["custom_*"], "secret": SECRET}
    created = await client.post(PATH, body | fields)
    assert created["secret"] == SECRET
    return f"{PATH}/{created['id']}"


async def emit(client: ApiClient, *numbers: int) -> None:
    for number in numbers:
        payload: dict[str, JsonValue] = {"number": number}
        await client.post("/events", {"event_type": "custom_x", "payload": payload})


async def fetch(client: ApiClient, path: str, query: str = "") -> Document:
    return await client.get(f"{path}/messages?{query}")


def read_numbers(received: Sequence[Received]) -> list[object]:
    """Return the numbers of verified requests, without repetitions of a webhook-id."""
    unique = {each.headers["webhook-id"]: each.verify(SECRET)["payload"] for each in received}
    return [payload["number"] for payload in unique.values() if isinstance(payload, dict)]


async def test_messages_are_signed_and_wait_for_their_acknowledgement(client: ApiClient) -> None:
    await emit(client, 0)
    path = await register(client)
    await emit(client, 1, 2)
    await client.post("/notes", {"title": "not chosen"})

    found = await fetch(client, path)
    assert (await fetch(client, path))["data"][0]["number"] == found["data"][0]["number"]
    messages = [Received(each["headers"], each["body"].encode()) for each in found["data"]]
    assert read_numbers(messages) == [1, 2]
    assert [each["event_id"] for each in found["data"]] == [
        each.headers["webhook-id"] for each in messages
    ]

    first = found["data"][0]["number"]
    await client.ask("PATCH", path, {"position": first})
    status, view = await client.ask("PATCH", path, {"position": 0})
    assert (status, view["position"]) == (200, first)
    assert len((await fetch(client, path))["data"]) == 1
    await client.ask("PATCH", path, {"position": found["position"]})
    rest = await fetch(client, path)
    assert (rest["data"], rest["has_more"], rest["lost_until"]) == ([], False, None)
    again = await fetch(client, path, "after=0&since=2000-01-01T00:00:00Z")
    assert len(again["data"]) == 3


async def test_a_request_that_waits_is_answered_by_the_next_event(client: ApiClient) -> None:
    path = await register(client)
    waiting = asyncio.create_task(fetch(client, path, "wait=25"))
    other = asyncio.create_task(fetch(client, path, "wait=0.2"))
    assert (await other)["data"] == []
    await emit(client, 1)
    assert len((await waiting)["data"]) == 1


async def test_names_are_unique_and_listeners_belong_to_their_user(
    client: ApiClient, open_client: MakeClient
) -> None:
    path = await register(client)
    status, problem = await client.ask("POST", PATH, {"name": "me"})
    assert status == 409
    assert "'me'" in str(problem["detail"])
    for wrong in ("", "a/b", " me"):
        assert (await client.ask("POST", PATH, {"name": wrong}))[0] == 422
    other = await open_client("bob", Scope.FULL)
    for method, suffix in (("GET", ""), ("PATCH", ""), ("DELETE", ""), ("GET", "/messages")):
        body: JsonValue = {"position": 1} if method == "PATCH" else None
        assert (await other.ask(method, path + suffix, body))[0] == 404
    assert rows_of(await other.get(PATH)) == []
    reader = await open_client("ada", Scope.READ)
    assert (await reader.ask("GET", f"{path}/messages"))[0] == 403
    assert (await client.ask("DELETE", path))[0] == 204
    assert (await client.ask("GET", path))[0] == 404


async def test_a_narrowed_key_gets_no_other_events_by_a_listener(client: ApiClient) -> None:
    path = await register(client, event_types=["*"])
    created = await client.post(
        "/keys/create", {"name": "narrow", "scope": "webhook", "events": ["custom_a*"]}
    )
    async with ApiClient(client.url, str(created["key"])) as narrow:
        assert (await narrow.ask("POST", PATH, {"name": "all"}))[0] == 403
        assert (await narrow.ask("GET", f"{path}/messages"))[0] == 403
        body: dict[str, JsonValue] = {"name": "some", "event_types": ["custom_a"]}
        assert (await narrow.ask("POST", PATH, body))[0] == 201


async def test_forwarded_messages_have_no_gap_over_kills_of_both_sides(
    start_server: StartServer, make_key: MakeKey, receiver: WebhookReceiver, tmp_path: Path
) -> None:
    server = await start_server(server={"port": unused_port()})
    key = tmp_path / "key"
    key.write_text(await make_key())
    listen = (
        "webhooks", "listen", "--server", server.url, "--key-file", str(key),
        "--name", "me", "--forward", receiver.url,
    )  # fmt: skip
    async with ApiClient(server.url, key.read_text()) as client:
        path = await register(client)
        async with keep_biont(*listen, config=server.config):
            await emit(client, *range(5))
            await receiver.wait_for(3)
            # The end of the block kills the listener, in the middle of its work.
        await emit(client, *range(5, 10))
        async with keep_biont(*listen, config=server.config):
            await receiver.wait_until(lambda: len(read_numbers(receiver.requests)) > 6, list)
            await server.kill()
            await server.start()
            await emit(client, *range(10, 15))
            await receiver.wait_until(lambda: len(read_numbers(receiver.requests)) >= 15, list)
        assert read_numbers(receiver.requests) == list(range(15))
        assert (await client.get(path))["position"]


async def test_a_refused_message_comes_again_and_a_window_is_replayed(
    start_server: StartServer, make_key: MakeKey, receiver: WebhookReceiver, tmp_path: Path
) -> None:
    server = await start_server()
    key = tmp_path / "key"
    key.write_text(await make_key())
    listen = (
        "webhooks", "listen", "--server", server.url, "--key-file", str(key),
        "--name", "me", "--forward", receiver.url,
    )  # fmt: skip

    async def refuse_first(_: web.Request) -> web.Response:
        return web.Response(status=500 if len(receiver.requests) == 1 else 204)

    receiver.respond = refuse_first
    async with ApiClient(server.url, key.read_text()) as client:
        await register(client)
        await emit(client, 1, 2)
        async with keep_biont(*listen, "--count", "2", config=server.config) as process:
            assert await process.wait() == 0
        ids = [each.headers["webhook-id"] for each in receiver.requests]
        assert len(ids) == 3
        assert ids[0] == ids[1]

        receiver.requests.clear()
        async with keep_biont(*listen, "--replay", "1h", "0s", config=server.config) as process:
            assert await process.wait() == 0
        assert read_numbers(receiver.requests) == [1, 2]
        await emit(client, 3)
        receiver.requests.clear()
        async with keep_biont(
            *listen, "--since", "1h", "--count", "1", config=server.config
        ) as process:
            assert await process.wait() == 0
        assert read_numbers(receiver.requests) == [1, 2, 3]


@pytest.mark.parametrize(
    ("arguments", "remedy"),
    [
        (("--name", "me"), "--forward URL"),
        (("--since", "1h"), "--name"),
        (("--name", "me", "--forward", "http://127.0.0.1:9"), "--server URL"),
    ],
)
async def test_a_wrong_command_line_is_told(
    tmp_path: Path, arguments: tuple[str, ...], remedy: str
) -> None:
    (tmp_path / "none.yaml").write_text("")
    async with keep_biont(
        "webhooks", "listen", *arguments, config=tmp_path / "none.yaml"
    ) as process:
        _, error = await process.communicate()
    assert process.returncode == 2
    assert remedy in error.decode()

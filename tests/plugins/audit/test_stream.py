"""Event streams, as clients receive the events."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientError
from conftest import MakeKey, StartServer
from pydantic import JsonValue
from support.process import run_script
from support.sse import Follower, Sent

from biont import Workbench
from biont.http import EventStreamResponse
from biont.testing import ApiClient, MakeClient
from biont_audit.tables import LogEnds, LogEntry


async def emit(client: ApiClient, event_type: str = "custom_x", **payload: JsonValue) -> str:
    event = await client.post("/events", {"event_type": event_type, "payload": payload})
    return str(event["id"])


async def test_the_stream_sends_events_as_soon_as_they_are_logged(
    client: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Longer than the test: the stream must not wait for its next comment.
    monkeypatch.setattr(EventStreamResponse, "silence_limit", 3600)
    await emit(client, n=0)
    async with Follower(client) as stream:
        assert stream.response.content_type == "text/event-stream"
        for number in range(1, 4):
            await emit(client, n=number)
            sent = await stream.next()
            assert (sent.event, sent.data["payload"]) == ("custom_x", {"n": number})
            listed: dict[str, Any] = await client.get("/events?limit=1")
            assert [sent.data] == listed["data"]
            assert sent.id == str(sent.data["number"])


async def test_a_stream_continues_after_the_last_event_id(client: ApiClient) -> None:
    for number in range(200):
        await emit(client, n=number)

    async def emit_more() -> None:
        for number in range(200, 300):
            await emit(client, n=number)

    seen: list[Sent] = []
    emitting = asyncio.create_task(emit_more())
    last = "40"
    while len(seen) < 260:
        async with Follower(client, "last_event_id=7", {"Last-Event-ID": last}) as stream:
            seen += [await stream.next() for _ in range(min(37, 260 - len(seen)))]
        last = seen[-1].id
    await emitting
    assert [sent.data["payload"]["n"] for sent in seen] == list(range(40, 300))


async def test_the_last_event_id_may_be_a_query_parameter(client: ApiClient) -> None:
    for number in range(3):
        await emit(client, n=number)
    async with Follower(client, "last_event_id=1") as stream:
        assert (await stream.next()).id == "2"


async def test_a_stream_filters_by_event_type(client: ApiClient) -> None:
    async with (
        Follower(client, "event_type=custom_a") as one,
        Follower(client, "event_type=custom_a*") as prefix,
        Follower(client, "event_type=*") as all_,
    ):
        for event_type in ("custom_ab", "custom_b", "custom_a"):
            await emit(client, event_type)
        assert (await one.next()).event == "custom_a"
        assert [(await prefix.next()).event for _ in range(2)] == ["custom_ab", "custom_a"]
        assert [(await all_.next()).event for _ in range(3)] == [
            "custom_ab",
            "custom_b",
            "custom_a",
        ]


async def test_a_stream_sends_no_events_of_another_user(
    client: ApiClient, open_client: MakeClient
) -> None:
    other = await open_client("eve")
    async with Follower(client, "last_event_id=0") as stream:
        await emit(other, n=1)
        await emit(client, n=2)
        assert (await stream.next()).data["payload"] == {"n": 2}


async def test_many_streams_receive_all_events_of_a_burst(client: ApiClient) -> None:
    async with AsyncExitStack() as stack:
        streams = [await stack.enter_async_context(Follower(client)) for _ in range(5)]
        await asyncio.gather(*(emit(client, n=number) for number in range(300)))
        for stream in streams:
            numbers = [(await stream.next()).id for _ in range(300)]
            assert numbers == [str(number) for number in range(1, 301)]


@pytest.mark.parametrize(
    ("query", "headers"),
    [
        ("last_event_id=x", {}),
        ("last_event_id=-1", {}),
        ("last_event_id=99", {}),
        ("event_type=*x", {}),
        ("", {"Last-Event-ID": "x"}),
        ("", {"Last-Event-ID": "99"}),
        ("", {"Last-Event-ID": "9" * 30}),
        ("", {"Last-Event-ID": "9" * 5000}),
        ("", {"Last-Event-ID": "\u00b2"}),
    ],
)
async def test_an_invalid_last_event_id_or_type_is_refused(
    client: ApiClient, query: str, headers: dict[str, str]
) -> None:
    await emit(client)
    status, problem = await client.ask("GET", f"/events/stream?{query}", headers=headers)
    assert (status, problem["status"]) == (422, 422)


async def test_a_stream_needs_a_key(open_client: MakeClient) -> None:
    stranger = await open_client(None)
    assert (await stranger.ask("GET", "/events/stream"))[0] == 401


async def test_a_stream_ends_when_its_key_is_revoked(
    client: ApiClient, open_client: MakeClient
) -> None:
    second = await open_client()
    keys: dict[str, Any] = await client.get("/keys")
    async with Follower(client) as stream:
        await emit(second, n=1)
        await stream.next()
        assert (await second.ask("DELETE", f"/keys/{keys['data'][1]['id']}"))[0] == 204
        with pytest.raises(EOFError):
            await stream.next()


async def test_the_number_of_streams_per_user_is_limited(
    client: ApiClient, open_client: MakeClient
) -> None:
    async with AsyncExitStack() as stack:
        for _ in range(19):
            await stack.enter_async_context(Follower(client))
        async with Follower(client):
            status, problem = await client.ask("GET", "/events/stream")
            assert status == 409
            assert "plugins.audit.streams" in str(problem["detail"])
            async with Follower(await open_client("eve")):
                pass
        await follow_as_soon_as_possible(client)


async def follow_as_soon_as_possible(client: ApiClient) -> None:
    """Open a stream, once the server knows that another one was closed."""
    async with asyncio.timeout(60):
        while True:
            with suppress(AssertionError):
                async with Follower(client):
                    return


async def test_a_silent_stream_sends_comments(
    client: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(EventStreamResponse, "silence_limit", 0.01)
    async with Follower(client) as stream:
        for _ in range(3):
            assert (await stream.read_line()).startswith(":")
            assert await stream.read_line() == ""
        await emit(client, n=1)
        assert (await stream.next()).data["payload"] == {"n": 1}


async def test_the_command_line_follows_the_stream(
    start_server: StartServer, make_key: MakeKey, tmp_path: Path
) -> None:
    server = await start_server()
    key = await make_key()
    script = f"biont events tail --url {server.url} --type 'custom_*' --after 0"
    async with ApiClient(server.url, key) as client:
        first = await emit(client, n=1)
        async with run_script(script, tmp_path, BIONT_KEY=key) as lines:
            assert first in (await lines.readline()).decode()
            second = await emit(client, n=2)
            assert second in (await lines.readline()).decode()


async def test_streams_end_when_the_workbench_stops(
    start_server: StartServer, make_key: MakeKey
) -> None:
    server = await start_server(server={"port": 0, "shutdown_timeout": 60})
    async with (
        ApiClient(server.url, await make_key()) as client,
        Follower(client, "event_type=custom_small") as idle,
        Follower(client),  # it does not read, and there is more than fits into any buffer
    ):
        for _ in range(200):
            await emit(client, text="x" * 100_000)
        await emit(client, "custom_small")
        await idle.next()
        async with asyncio.timeout(20):
            assert await server.stop() == 0
        with pytest.raises(EOFError):
            await idle.next()


async def test_a_stream_continues_after_kill_9_without_gap_or_repetition(
    start_server: StartServer, make_key: MakeKey
) -> None:
    server = await start_server()
    key = await make_key()
    acknowledged: list[str] = []
    seen: list[Sent] = []

    async def emit_until_killed(client: ApiClient) -> None:
        try:
            while True:
                acknowledged.append(await emit(client))
        except ClientError:
            return

    async def follow_until_killed(client: ApiClient) -> None:
        headers = {"Last-Event-ID": seen[-1].id if seen else "0"}
        try:
            async with Follower(client, headers=headers) as stream:
                while True:
                    seen.append(await stream.next())
        except (ClientError, EOFError):
            return

    for count in (20, 150, 400):
        async with ApiClient(server.url, key) as client:
            tasks = [asyncio.create_task(follow_until_killed(client))]
            tasks += [asyncio.create_task(emit_until_killed(client)) for _ in range(4)]
            while len(seen) < count:
                await asyncio.wait(tasks, timeout=0.001)
            await server.kill()
            await asyncio.gather(*tasks)
        await server.start()
    async with ApiClient(server.url, key) as client:
        last = await emit(client)
        async with Follower(client, headers={"Last-Event-ID": seen[-1].id}) as stream:
            while seen[-1].data["id"] != last:
                seen.append(await stream.next())
    assert [sent.id for sent in seen] == [str(number) for number in range(1, len(seen) + 1)]
    ids = [sent.data["id"] for sent in seen]
    assert set(acknowledged) <= set(ids)
    assert len(ids) == len(set(ids))


async def test_a_last_event_id_before_the_log_is_refused(
    workbench: Workbench, client: ApiClient
) -> None:
    for number in range(5):
        await emit(client, n=number)

    def remove() -> None:
        LogEntry.delete().where(LogEntry.number <= 3).execute()
        LogEnds.update(anchor_number=3).execute()

    await workbench.store.write(remove)
    status, problem = await client.ask("GET", "/events/stream?last_event_id=2")
    assert status == 422
    assert "begins after 3" in str(problem)
    async with Follower(client, "last_event_id=3") as stream:
        assert (await stream.next()).id == "4"

"""Streamed chats whose client leaves or whose server stops, with a real process."""

from __future__ import annotations

import asyncio

from conftest import MakeKey, StartServer
from support.sse import Chat

from biont.testing import ApiClient, ModelServer, say

LONG = "One two three four five"


async def hang_after_two(number: int) -> None:
    if number > 2:
        await asyncio.Event().wait()


async def test_the_streamed_part_is_stored_when_the_client_leaves_and_when_the_server_stops(
    start_server: StartServer, make_key: MakeKey
) -> None:
    async with ModelServer([say(LONG, pause=hang_after_two) for _ in range(3)]) as model:
        settings = {"backend": "openai", "openai": {"base_url": model.url}}
        server = await start_server(plugins={"llm": settings})
        key = await make_key()
        async with ApiClient(server.url, key) as client:
            async with Chat(client, body={"message": "First."}) as chat:
                await chat.read_tokens(2)
            await client.get_until("/conversations", lambda page: page["data"])
            await model.wait_until_busy(0)
            async with Chat(client, body={"message": "Second."}) as chat:
                await chat.read_tokens(2)
                stopping = asyncio.create_task(server.stop())
                (last,) = await chat.read_all()
                assert (last.event, last.data["interrupted"]) == ("done", True)
            assert await stopping == 0
        await server.start()
        async with ApiClient(server.url, key) as client:
            for number, message in ((1, "First."), (2, "Second.")):
                page = await client.get(f"/conversations/{number}/messages")
                assert isinstance(page["data"], list)
                assert [
                    (turn["content"], turn["interrupted"])
                    for turn in page["data"]
                    if isinstance(turn, dict)
                ] == [("One two", True), (message, False)]

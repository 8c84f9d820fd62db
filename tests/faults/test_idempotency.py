"""A request with an Idempotency-Key takes effect once, although the server is killed."""

from __future__ import annotations

import asyncio
import random
from collections import Counter

from aiohttp import ClientError
from conftest import MakeKey, StartServer
from pydantic import JsonValue
from support.process import Server

from biont.testing import ApiClient, rows_of
from biont.testing.client import ApiAnswer

REQUESTS = 200
CLIENTS = 8
KILLS = 4


def _make_request(number: int) -> tuple[str, dict[str, JsonValue]]:
    if number % 2:
        return "/events", {"event_type": "custom_sale", "payload": {"number": number}}
    return "/notes", {"title": str(number), "content": ""}


async def _send(client: ApiClient, number: int) -> ApiAnswer:
    path, body = _make_request(number)
    headers = {"Idempotency-Key": f'"request-{number}"'}
    return await client.request("POST", path, body, headers=headers)


class _Work:
    """Requests, each repeated until it is answered, by clients that outlive the server."""

    def __init__(self, key: str) -> None:
        self._key = key
        self.todo = list(range(REQUESTS))
        self.answers: dict[int, ApiAnswer] = {}

    async def run(self, url: str) -> None:
        """Send requests until all are answered, or the server is killed."""
        async with ApiClient(url, self._key) as client:
            while self.todo:
                number = self.todo.pop()
                try:
                    answer = await _send(client, number)
                except ClientError:
                    self.todo.append(number)
                    return
                if answer.status == 409 and "Retry-After" in answer.headers:
                    self.todo.append(number)
                else:
                    self.answers[number] = answer


async def _run_and_kill(server: Server, work: _Work, stop_at: int) -> None:
    tasks = [asyncio.create_task(work.run(server.url)) for _ in range(CLIENTS)]
    # A random moment, with other requests under way.
    while len(work.answers) < stop_at and not all(task.done() for task in tasks):
        await asyncio.wait(tasks, timeout=0.001)
    await server.kill()
    await asyncio.gather(*tasks)
    await server.start()


async def test_each_request_takes_effect_once_over_kill_9(
    start_server: StartServer, make_key: MakeKey
) -> None:
    chance = random.Random(14)  # noqa: S311  # moments, not secrets
    server = await start_server()
    key = await make_key()
    work = _Work(key)
    for moment in sorted(chance.sample(range(1, REQUESTS), KILLS)):
        await _run_and_kill(server, work, moment)
    while work.todo:
        await asyncio.gather(*(work.run(server.url) for _ in range(CLIENTS)))

    async with ApiClient(server.url, key) as client:
        notes = Counter(
            str(note["title"]) for note in rows_of(await client.get("/notes?limit=1000"))
        )
        assert notes == {str(number): 1 for number in range(0, REQUESTS, 2)}
        events = rows_of(await client.get("/events?event_type=custom_sale&limit=1000"))
        numbers = Counter(event["payload"]["number"] for event in events)  # type: ignore[index, call-overload]  # JSON
        assert numbers == dict.fromkeys(range(1, REQUESTS, 2), 1)
        for number, answer in work.answers.items():
            # A lost answer names what the request has created.
            created = await client.get(answer.headers["Location"].removeprefix("/api/v1"))
            assert str(number) in str(created)
            assert answer.status in (201, 409)
            again = await _send(client, number)
            assert (again.status, again.headers["Location"]) == (
                answer.status,
                answer.headers["Location"],
            )
            if answer.status == 201:
                assert again.document == answer.document
                assert again.headers["Idempotency-Replayed"] == "true"

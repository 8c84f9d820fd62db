"""A language model's server, and those who ask it: straight, or through a workbench."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median

import httpx2
import openai
import orjson
from aiohttp import (
    ClientResponse,
    ClientSession,  # noqa: TID251  # to our own servers on the loopback
    TCPConnector,
    web,
)

from benchmarks.child import Child, answer, tell
from benchmarks.served import Served

MODEL = "bench-1"
_TOKEN = " token"


@dataclass(frozen=True)
class Model(Served):
    """Answers each chat by the same tokens, each in an event of its own.

    Attributes:
        tokens: how many.
        delay: how long it thinks before the first, in seconds.
        hangs: whether it is silent for good behind the last.
    """

    tokens: int = 1
    delay: float = 0.0
    hangs: bool = False

    def make_app(self) -> web.Application:
        """Return the application with its one route."""
        token = _make_event({"content": _TOKEN}, None)
        end = _make_event({}, "stop") + b"data: [DONE]\n\n"

        async def handle(request: web.Request) -> web.StreamResponse:
            await request.read()
            await asyncio.sleep(self.delay)
            response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
            await response.prepare(request)
            for _ in range(self.tokens):
                await response.write(token)
            if self.hangs:
                await asyncio.Event().wait()
            await response.write(end)
            return response

        app = web.Application()
        app.router.add_post("/v1/chat/completions", handle)
        return app


@dataclass(frozen=True)
class AskStraight(Child):
    """Asks a model by the library `openai`; answers as `AskWorkbench` does.

    Attributes:
        url: of the model's server.
        times: how often.
    """

    url: str
    times: int

    async def run(self) -> None:
        """Ask, and time it."""
        client = openai.AsyncOpenAI(
            base_url=f"{self.url}/v1", api_key="none", http_client=httpx2.AsyncClient()
        )
        timings = [await self._ask(client) for _ in range(self.times + 1)]
        answer(_sum_up(timings))

    async def _ask(self, client: openai.AsyncOpenAI) -> list[float]:
        times = [time.perf_counter()]
        stream = await client.chat.completions.create(
            model=MODEL, messages=[{"role": "user", "content": "Hello"}], stream=True
        )
        return times + [
            time.perf_counter()
            async for chunk in stream
            if chunk.choices and chunk.choices[0].delta.content
        ]


@dataclass(frozen=True)
class AskWorkbench(Child):
    """Asks a workbench for streamed answers.

    It answers the median time to a first token in seconds, and of the tokens a second.

    Attributes:
        url: of the workbench.
        headers: of each request.
        times: how often.
    """

    url: str
    headers: Mapping[str, str]
    times: int

    async def run(self) -> None:
        """Ask, and time it."""
        async with ClientSession(headers=self.headers) as session:
            timings = [await self._ask(session) for _ in range(self.times + 1)]
        answer(_sum_up(timings))

    async def _ask(self, session: ClientSession) -> list[float]:
        times = [time.perf_counter()]
        async with await open_stream(session, self.url) as response:
            event = b""
            async for line in response.content:
                if line.startswith(b"event: "):
                    event = line
                elif line.startswith(b"data: "):
                    assert orjson.loads(line[6:])
                    if event == b"event: token\n":
                        times.append(time.perf_counter())
        if event != b"event: done\n":
            raise RuntimeError(f"the last event is {event!r}")
        return times


@dataclass(frozen=True)
class HoldStreams(Child):
    """Opens streams of a workbench, says so once each has its first token, and holds them.

    Attributes:
        url: of the workbench.
        headers: of each request.
        count: how many.
    """

    url: str
    headers: Mapping[str, str]
    count: int

    async def run(self) -> None:
        """Hold them until the process is ended."""
        connector = TCPConnector(limit=0)
        async with ClientSession(headers=self.headers, connector=connector) as session:
            held = [asyncio.create_task(self._open(session)) for _ in range(self.count)]
            responses = await asyncio.gather(*held)
            tell(f"{len(responses)} open")
            await asyncio.Event().wait()

    async def _open(self, session: ClientSession) -> ClientResponse:
        response = await open_stream(session, self.url)
        if await response.content.readline() != b"event: token\n":
            raise RuntimeError("the first event is no token")
        return response


async def open_stream(session: ClientSession, url: str) -> ClientResponse:
    """Ask a workbench for a streamed answer."""
    body = {"message": "Hello", "stream": True}
    return await session.post(f"{url}/api/v1/chat", json=body, raise_for_status=True)


def _make_event(delta: Mapping[str, str], reason: str | None) -> bytes:
    chunk = {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1_770_000_000,
        "model": MODEL,
        "choices": [{"index": 0, "delta": delta, "finish_reason": reason}],
    }
    return b"data: %s\n\n" % orjson.dumps(chunk)


def _sum_up(timings: list[list[float]]) -> tuple[float, float]:
    """Return what has been timed, without the first, which pays for imports and connections."""
    firsts = [times[1] - times[0] for times in timings[1:]]
    rates = [(len(times) - 1) / (times[-1] - times[0]) for times in timings[1:]]
    return median(firsts), median(rates)

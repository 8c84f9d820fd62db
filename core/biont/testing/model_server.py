"""Scripted model server: speaks OpenAI's protocol with the valid or invalid replies of a test."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

import orjson
from aiohttp import web
from aiohttp.test_utils import TestServer

Reply = Callable[[web.Request], Awaitable[web.StreamResponse]]
"""Makes one answer of a `ModelServer`."""

MODEL = "scripted-1"
"""The name of the only model."""

USAGE = {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12}
"""The usage that each answer reports."""


@dataclass(frozen=True)
class ModelRequest:
    """Request that the server has received."""

    headers: Mapping[str, str]
    body: dict[str, object]

    @property
    def messages(self) -> list[tuple[str, str]]:
        """The role and the content of each message."""
        turns = self.body["messages"]
        assert isinstance(turns, list)
        return [(turn["role"], turn["content"]) for turn in turns]


@dataclass
class ModelServer:
    """Server that sends the replies of `script` in order, and afterwards `default`.

    Use `async with` to run the server.

    Attributes:
        script: the next replies.
        default: the reply after the end of the script.
        asked: the received requests.
        busiest: greatest number of requests under way.
    """

    script: list[Reply] = field(default_factory=list)
    default: Reply = field(default_factory=lambda: answer_sensibly)
    asked: list[ModelRequest] = field(default_factory=list)
    busiest: int = 0
    _busy: int = 0
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)
    _server: TestServer | None = None

    @property
    def url(self) -> str:
        """The base URL of the API, which ends with ``/v1``."""
        assert self._server is not None
        return str(self._server.make_url("/v1"))

    @property
    def sections(self) -> dict[str, object]:
        """The settings that make this server the default backend of the plugin ``llm``."""
        openai = {"base_url": self.url, "api_key": "x", "model": MODEL}
        return {"plugins": {"llm": {"backend": "openai", "openai": openai, "retries": 0}}}

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_post("/v1/chat/completions", self._answer)
        app.router.add_get("/v1/models", self._list_models)
        self._server = TestServer(app, host="127.0.0.1")
        await self._server.start_server()
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        await self._server.close()

    async def wait_until_busy(self, count: int) -> None:
        """Wait until `count` requests are under way."""
        async with asyncio.timeout(60), self._changed:
            await self._changed.wait_for(lambda: self._busy == count)

    async def wait_until_asked(self, count: int) -> None:
        """Wait until the server has received `count` requests."""
        async with asyncio.timeout(30), self._changed:
            await self._changed.wait_for(lambda: len(self.asked) >= count)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(ModelRequest(request.headers.copy(), orjson.loads(await request.read())))
        reply = self.script.pop(0) if self.script else self.default
        await self._count(1)
        try:
            return await reply(request)
        finally:
            await self._count(-1)

    async def _list_models(self, _: web.Request) -> web.Response:
        data = [{"id": MODEL, "object": "model", "created": 1_770_000_000, "owned_by": "tests"}]
        return web.json_response({"object": "list", "data": data})

    async def _count(self, change: int) -> None:
        async with self._changed:
            self._busy += change
            self.busiest = max(self.busiest, self._busy)
            self._changed.notify_all()


def make_completion(text: object = "Hello.", **changes: object) -> dict[str, object]:
    """Return the document of a valid answer, with `changes` to its keys."""
    choice = {
        "index": 0,
        "finish_reason": changes.pop("finish_reason", "stop"),
        "message": {"role": "assistant", "content": text},
    }
    document: dict[str, object] = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1_770_000_000,
        "model": MODEL,
        "choices": [choice],
        "usage": USAGE,
    }
    return document | changes


def say(
    text: str = "",
    *,
    calls: Sequence[tuple[str, str]] = (),
    usage: bool = True,
    pause: Callable[[int], Awaitable[None]] | None = None,
) -> Reply:
    """Reply with `text` and tool calls, as a whole or as a stream of words.

    Args:
        text: text of the answer.
        calls: tool calls, each a name and arguments in JSON.
        usage: whether to report the usage.
        pause: awaited before each chunk, with the number of the chunk from 0.
    """

    async def reply(request: web.Request) -> web.StreamResponse:
        question = orjson.loads(await request.read())
        if not question.get("stream"):
            return web.json_response(_make_whole(text, calls, usage=usage))
        return await send_chunks(request, _make_chunks(text, calls, usage=usage), pause)

    return reply


async def answer_sensibly(request: web.Request) -> web.StreamResponse:
    """Reply to questions of the tests: the capital of France, a summary, or JSON."""
    question = orjson.loads(await request.read())
    if "response_format" in question:
        return await say('{"city": "Paris"}')(request)
    prompt = question["messages"][-1]["content"]
    text = "It is Paris." if "capital" in prompt else prompt.partition(":")[2].partition(".")[0]
    return await say(text or "Well.")(request)


async def send_chunks(
    request: web.Request,
    chunks: Sequence[object],
    pause: Callable[[int], Awaitable[None]] | None = None,
    end: bytes = b"data: [DONE]\n\n",
) -> web.StreamResponse:
    """Send documents as server-sent events, and then `end`."""
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    for number, chunk in enumerate(chunks):
        if pause is not None:
            await pause(number)
        await response.write(b"data: " + orjson.dumps(chunk) + b"\n\n")
    await response.write(end)
    return response


def stream(*chunks: object, end: bytes = b"data: [DONE]\n\n") -> Reply:
    """Reply with `chunks` as server-sent events, and then `end`."""

    async def reply(request: web.Request) -> web.StreamResponse:
        return await send_chunks(request, chunks, end=end)

    return reply


def make_chunk(text: object = "", **changes: object) -> dict[str, object]:
    """Return one document of a stream, with `changes` to its keys."""
    choice = {
        "index": 0,
        "delta": changes.pop("delta", {"content": text}),
        "finish_reason": changes.pop("finish_reason", None),
    }
    document: dict[str, object] = {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1_770_000_000,
        "model": MODEL,
        "choices": [choice],
    }
    return document | changes


def _make_whole(text: str, calls: Sequence[tuple[str, str]], *, usage: bool) -> dict[str, object]:
    message: dict[str, object] = {"role": "assistant", "content": text or None}
    if calls:
        message["tool_calls"] = [_make_call(*call, number) for number, call in enumerate(calls)]
    reason = "tool_calls" if calls else "stop"
    choice = {"index": 0, "finish_reason": reason, "message": message}
    return make_completion(choices=[choice], **({} if usage else {"usage": None}))


def _make_chunks(
    text: str, calls: Sequence[tuple[str, str]], *, usage: bool
) -> list[dict[str, object]]:
    chunks = [make_chunk(delta={"role": "assistant", "content": ""})]
    chunks += [make_chunk(word) for word in re.findall(r"\s*\S+|\s+$", text)]
    for number, (name, arguments) in enumerate(calls):
        call = _make_call(name, "", number) | {"index": number}
        chunks.append(make_chunk(delta={"tool_calls": [call]}))
        half = len(arguments) // 2
        chunks += [
            make_chunk(delta={"tool_calls": [{"index": number, "function": {"arguments": part}}]})
            for part in (arguments[:half], arguments[half:])
        ]
    chunks.append(make_chunk(delta={}, finish_reason="tool_calls" if calls else "stop"))
    if usage:
        chunks.append(make_chunk(choices=[], usage=USAGE))
    return chunks


def _make_call(name: str, arguments: str, number: int) -> dict[str, object]:
    function = {"name": name, "arguments": arguments}
    return {"id": f"call-{number}", "type": "function", "function": function}


def answer(document: object) -> Reply:
    """Send `document` as JSON, with status 200."""
    return respond(200, orjson.dumps(document))


def respond(
    status: int,
    body: bytes,
    content_type: str = "application/json",
    headers: Mapping[str, str] | None = None,
) -> Reply:
    """Reply with `body`."""

    async def reply(_: web.Request) -> web.Response:
        return web.Response(status=status, body=body, content_type=content_type, headers=headers)

    return reply


def wait_for(event: asyncio.Event, then: Reply = answer_sensibly) -> Reply:
    """Wait for `event`, then reply by `then`."""

    async def reply(request: web.Request) -> web.StreamResponse:
        await event.wait()
        return await then(request)

    return reply

"""Long texts from strangers: each is answered in a time linear in its length."""

from __future__ import annotations

import asyncio

import orjson
from pydantic import JsonValue
from support.webhooks import PATH

from biont.testing import ApiClient
from biont_llm.openai.sse_response import StreamParser

LENGTH = 1 << 20
SIZE = 900_000
HOOK = "https://hooks.example/"


def repeat(piece: str) -> str:
    return piece * (SIZE // len(piece))


def nest(key: str, depth: int) -> JsonValue:
    value: JsonValue = {}
    for _ in range(depth):
        value = {key: value}
    return value


def make_schedule(cron: str) -> tuple[str, dict[str, JsonValue]]:
    return "/schedule", {"prompt": "x", "cron": repeat(cron)}


def make_prompt(text: str) -> tuple[str, dict[str, JsonValue]]:
    return "/schedule", {"prompt": repeat(text), "cron": "0 9 * * *"}


CRONS = ["*,", "a-a", "1-", "(", "MON-", "L", " ", "0 ", "*/", "H ", "1#", "@", "?"]
TEMPLATES = ["{{", "{{ ", "{{a ", "}}", "{{ a|", "{% "]
BODIES: list[tuple[str, dict[str, JsonValue]]] = [
    ("/schedule", {"prompt": "x", "every": repeat("1h")}),
    ("/schedule", {"prompt": "x", "every": repeat("1")}),
    ("/schedule", {"prompt": "x", "at": repeat("2026-")}),
    ("/schedule", {"prompt": "x", "cron": "0 9 * * *", "time_zone": repeat("a/")}),
    ("/schedule", {"cron": "0 9 * * *", "parameters": {"variables": {repeat("a"): "x"}}}),
    ("/notes", {"title": "t", "content": "c", "tags": [repeat("a ")]}),
    ("/notes", {"title": "t", "content": "c", "tags": [1] * 300_000}),
    ("/reminders", {"text": "x", "at": repeat("1")}),
    ("/chat", {"message": repeat("a-")}),
    ("/missions", {"goal": repeat("a-")}),
    ("/missions", {"goal": "x", "tools": ["a"] * 200_000}),
    ("/events", {"event_type": "custom_" + repeat("a"), "payload": {}}),
    ("/events", {"event_type": "custom_a", "payload": {repeat("a"): 1}}),
    ("/events", {"event_type": "custom_a", "payload": nest("a", 500)}),
    (f"{PATH}/register", {"url": "http://" + repeat("a.")}),
    (f"{PATH}/register", {"url": "http://" + repeat("a")}),
    (f"{PATH}/register", {"url": "http://" + repeat("1.")}),
    (f"{PATH}/register", {"url": "http://[" + repeat(":")}),
    (f"{PATH}/register", {"url": HOOK + "\\" * 400_000}),
    (f"{PATH}/register", {"url": HOOK, "event_types": [repeat("a*")]}),
    (f"{PATH}/register", {"url": HOOK, "event_types": ["*"] * 200_000}),
    (f"{PATH}/register", {"url": HOOK, "headers": {"X-A": repeat("a ") + "\x01"}}),
    (f"{PATH}/register", {"url": HOOK, "headers": {repeat("X-"): "a"}}),
    (f"{PATH}/register", {"url": HOOK, "filter": nest("not", 500)}),
    (f"{PATH}/register", {"url": HOOK, "filter": {"path": repeat("a."), "op": "exists"}}),
    (
        f"{PATH}/register",
        {"url": HOOK, "filter": {"or": [{"path": "a", "op": "eq", "value": 1}] * 15_000}},
    ),
    (f"{PATH}/register", {"url": HOOK, "secret": repeat("whsec_")}),
]


async def test_a_long_text_in_any_field_is_refused_at_once(client: ApiClient) -> None:
    # A quadratic step would take minutes for a mebibyte; the limit is generous for linear ones.
    async with asyncio.timeout(120):
        for path, body in [*BODIES, *map(make_schedule, CRONS), *map(make_prompt, TEMPLATES)]:
            status, problem = await client.ask("POST", path, body)
            assert status in {400, 422}, (path, str(body)[:80], status, str(problem)[:200])


async def test_a_long_search_is_answered(client: ApiClient) -> None:
    for piece in ['"', "(", "a ", "*", "a OR ", "NEAR(", "-", ":", "^"]:
        status, _ = await client.ask("GET", f"/notes/search?q={piece * (200 // len(piece))}")
        assert status == 200, piece


def make_event(arguments: str) -> bytes:
    call = {"index": 0, "id": "c", "function": {"name": "f", "arguments": arguments}}
    event = {"model": "m", "choices": [{"delta": {"tool_calls": [call]}}]}
    return b"data: " + orjson.dumps(event) + b"\n\n"


END = b'data: {"choices":[{"delta":{},"finish_reason":"tool_calls"}]}\n\ndata: [DONE]\n\n'


def test_a_tool_call_in_many_small_parts_is_joined_in_linear_time() -> None:
    parser = StreamParser()
    for _ in range(LENGTH // 8):
        assert list(parser.feed(make_event("12345678"))) == []
    assert list(parser.feed(END)) == []
    call, *_ = parser.finish()
    assert len(call.call.arguments) == LENGTH  # type: ignore[union-attr]


def test_a_long_line_in_single_bytes_is_read_in_linear_time() -> None:
    parser = StreamParser()
    event = make_event("1" * (LENGTH - 1000))
    for position in range(len(event)):
        assert list(parser.feed(event[position : position + 1])) == []
    assert list(parser.feed(END)) == []
    call, *_ = parser.finish()
    assert len(call.call.arguments) == LENGTH - 1000  # type: ignore[union-attr]

"""Answers, lists and problems as OpenAI's clients expect them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import orjson
import uuid_utils
from aiohttp import web

from biont.exceptions import PromptTooLong, Unauthorized
from biont.http import ProblemDetails, encode_sse
from biont.llm import (
    Answer,
    Chunk,
    DoneChunk,
    TextChunk,
    TokenUsage,
    ToolCall,
    ToolCallChunk,
    UsageChunk,
)
from biont_chat.views import StreamEnd

Document = dict[str, object]

_CODES: dict[type[Exception] | None, str] = {
    PromptTooLong: "context_length_exceeded",
    Unauthorized: "invalid_api_key",
}


def write_answer(answer: Answer, created: int, conversation_id: int | None) -> Document:
    """Return a whole completion.

    Args:
        answer: what the model said.
        created: when, in seconds since 1970.
        conversation_id: where it is kept, if it is.
    """
    message: Document = {"role": "assistant", "content": answer.text or None, "refusal": None}
    if answer.tool_calls:
        message["tool_calls"] = [_write_call(call) for call in answer.tool_calls]
    choice = {
        "index": 0,
        "message": message,
        "finish_reason": answer.finish_reason,
        "logprobs": None,
    }
    document = _begin("chat.completion", make_id(), created, answer.model)
    document |= {"choices": [choice], "usage": _write_usage(answer.usage)}
    if conversation_id is not None:
        document["metadata"] = {"conversation_id": str(conversation_id)}
    return document


def write_models(names: Iterable[tuple[str, str]]) -> Document:
    """Return a list of models, each given as its backend and its name there."""
    data = [
        {"id": f"{backend}/{name}", "object": "model", "created": 0, "owned_by": backend}
        for backend, name in names
    ]
    return {"object": "list", "data": data}


def make_id() -> str:
    """Return what a completion is called."""
    return f"chatcmpl-{uuid_utils.uuid7().hex}"


@dataclass
class OpenAiWording:
    """The events of one streamed completion.

    Args:
        model: who was asked.
        created: when, in seconds since 1970.
        with_usage: whether the tokens are told.
        hides_calls: whether tool calls are not, since they are not for the client to make.
    """

    model: str
    created: int
    with_usage: bool
    hides_calls: bool = False
    _id: str = field(default_factory=make_id)
    _calls: int = 0
    _is_first: bool = True
    _usage: TokenUsage | None = None

    def __post_init__(self) -> None:
        head = _begin("chat.completion.chunk", self._id, self.created, self.model)
        self._head = orjson.dumps(head)[:-1]

    def write_chunk(self, chunk: Chunk) -> bytes:
        """Return a chunk with a delta, or with the reason of the end."""
        if isinstance(chunk, TextChunk):
            return self._write_delta({"content": chunk.text})
        if isinstance(chunk, ToolCallChunk):
            if self.hides_calls:
                return b""
            call = {"index": self._calls, **_write_call(chunk.call)}
            self._calls += 1
            return self._write_delta({"tool_calls": [call]})
        if isinstance(chunk, UsageChunk):
            self._usage = chunk.usage
            return b""
        return self._write_delta({}, chunk)

    def write_end(self, end: StreamEnd) -> bytes:
        """Return the usage, where it is wanted, and the end."""
        told = b""
        if self.with_usage and self._usage is not None and not end.interrupted:
            told = self._write({"choices": [], "usage": _write_usage(self._usage)})
        return told + encode_sse(b"[DONE]")

    def write_problem(self, problem: ProblemDetails) -> bytes:
        """Return an error."""
        return encode_sse(orjson.dumps(describe_problem(problem)))

    def _write_delta(self, delta: Document, end: DoneChunk | None = None) -> bytes:
        if self._is_first:
            delta, self._is_first = {"role": "assistant", **delta}, False
        reason = end.finish_reason if end else None
        return self._write({"choices": [{"index": 0, "delta": delta, "finish_reason": reason}]})

    def _write(self, rest: Document) -> bytes:
        return encode_sse(b"%s,%s" % (self._head, orjson.dumps(rest)[1:]))


def respond_problem(problem: ProblemDetails) -> web.Response:
    """Return a problem as a response."""
    return web.Response(
        status=400 if problem.status == 422 else problem.status,
        body=orjson.dumps(describe_problem(problem)),
        content_type="application/json",
        headers=problem.headers,
    )


def describe_problem(problem: ProblemDetails) -> Document:
    """Return an error as OpenAI words it."""
    first = problem.errors[0] if problem.errors else {}
    place = first.get("pointer", first.get("parameter"))
    kind = "server_error" if problem.status >= 500 else "invalid_request_error"
    return {
        "error": {
            "message": "; ".join(error["detail"] for error in problem.errors) or problem.detail,
            "type": "rate_limit_error" if problem.status == 429 else kind,
            "param": place and place.removeprefix("#/").replace("/", "."),
            "code": _CODES.get(problem.cause),
        }
    }


def _begin(kind: str, name: str, created: int, model: str) -> Document:
    return {"id": name, "object": kind, "created": created, "model": model}


def _write_call(call: ToolCall) -> Document:
    return {
        "id": call.id,
        "type": "function",
        "function": {"name": call.name, "arguments": call.arguments},
    }


def _write_usage(usage: TokenUsage) -> Document:
    return {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.prompt_tokens + usage.completion_tokens,
    }

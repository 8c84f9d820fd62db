"""Responses of OpenAI's API: completions, model lists, streamed events and errors."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import orjson
import uuid_utils
from aiohttp import web

from biont import Schema
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
from biont_chat.schemas import StreamEnd

Document = dict[str, object]

_CODES: dict[type[Exception] | None, str] = {
    PromptTooLong: "context_length_exceeded",
    Unauthorized: "invalid_api_key",
}


def make_completion(answer: Answer, created: int, conversation_id: int | None) -> Document:
    """Return the document of a whole completion.

    Args:
        answer: the model's answer.
        created: time of the request, in seconds since 1970.
        conversation_id: conversation of the answer; None if the answer is not stored.
    """
    message: Document = {"role": "assistant", "content": answer.text or None, "refusal": None}
    if answer.tool_calls:
        message["tool_calls"] = [_make_tool_call(call) for call in answer.tool_calls]
    choice = {
        "index": 0,
        "message": message,
        "finish_reason": answer.finish_reason,
        "logprobs": None,
    }
    document = _make_head("chat.completion", make_completion_id(), created, answer.model)
    document |= {"choices": [choice], "usage": _make_usage(answer.usage)}
    if conversation_id is not None:
        document["metadata"] = {"conversation_id": str(conversation_id)}
    return document


def make_model_list(names: Iterable[tuple[str, str]]) -> Document:
    """Return a list of models, each given as a pair of backend and model name."""
    data = [
        {"id": f"{backend}/{name}", "object": "model", "created": 0, "owned_by": backend}
        for backend, name in names
    ]
    return {"object": "list", "data": data}


def make_completion_id() -> str:
    """Return a new completion id."""
    return f"chatcmpl-{uuid_utils.uuid7().hex}"


@dataclass
class OpenAiEventFormat:
    """Event format of one streamed completion.

    Args:
        model: name of the model in the request.
        created: time of the request, in seconds since 1970.
        with_usage: whether to send the usage.
        hides_calls: whether to hide tool calls, because the workbench makes the calls.
    """

    model: str
    created: int
    with_usage: bool
    hides_calls: bool = False
    _id: str = field(default_factory=make_completion_id)
    _calls: int = 0
    _is_first: bool = True
    _usage: TokenUsage | None = None

    def __post_init__(self) -> None:
        head = _make_head("chat.completion.chunk", self._id, self.created, self.model)
        # All events begin with the same keys, which are serialised only here.
        self._head = orjson.dumps(head)[:-1]

    def format_chunk(self, chunk: Chunk) -> bytes:
        """Return the event of a chunk: a delta, or the finish reason."""
        if isinstance(chunk, TextChunk):
            return self._format_delta({"content": chunk.text})
        if isinstance(chunk, ToolCallChunk):
            if self.hides_calls:
                return b""
            call = {"index": self._calls, **_make_tool_call(chunk.call)}
            self._calls += 1
            return self._format_delta({"tool_calls": [call]})
        if isinstance(chunk, UsageChunk):
            self._usage = chunk.usage
            return b""
        return self._format_delta({}, chunk)

    def format_end(self, end: StreamEnd) -> bytes:
        """Return the events of the usage, if requested, and of the end."""
        usage = b""
        if self.with_usage and self._usage is not None and not end.interrupted:
            usage = self._format_event({"choices": [], "usage": _make_usage(self._usage)})
        return usage + encode_sse(b"[DONE]")

    def format_problem(self, problem: ProblemDetails) -> bytes:
        """Return the event of an error."""
        return encode_sse(orjson.dumps(make_error_document(problem)))

    def _format_delta(self, delta: Document, end: DoneChunk | None = None) -> bytes:
        if self._is_first:
            delta, self._is_first = {"role": "assistant", **delta}, False
        reason = end.finish_reason if end else None
        return self._format_event(
            {"choices": [{"index": 0, "delta": delta, "finish_reason": reason}]}
        )

    def _format_event(self, rest: Document) -> bytes:
        return encode_sse(b"%s,%s" % (self._head, orjson.dumps(rest)[1:]))


class OpenAiProblem(Schema):
    """Problem in an error response of OpenAI's API."""

    message: str
    type: str
    param: str | None
    code: str | None


class OpenAiError(Schema):
    """Error response of OpenAI's API."""

    error: OpenAiProblem


STATUSES: Mapping[int, int] = {422: 400}
"""The statuses that OpenAI's API does not have, with those it has instead."""


def respond_problem(_: web.Request, problem: ProblemDetails) -> web.Response:
    """Return the response of a problem."""
    return web.Response(
        status=STATUSES.get(problem.status, problem.status),
        body=orjson.dumps(make_error_document(problem)),
        content_type="application/json",
        headers=problem.headers,
    )


def make_error_document(problem: ProblemDetails) -> Document:
    """Return a problem as an error document of OpenAI's API."""
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


def _make_head(kind: str, name: str, created: int, model: str) -> Document:
    return {"id": name, "object": kind, "created": created, "model": model}


def _make_tool_call(call: ToolCall) -> Document:
    return {
        "id": call.id,
        "type": "function",
        "function": {"name": call.name, "arguments": call.arguments},
    }


def _make_usage(usage: TokenUsage) -> Document:
    return {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.prompt_tokens + usage.completion_tokens,
    }

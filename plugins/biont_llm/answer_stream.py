"""Streamed answer: passes the chunks on, and collects text, tool calls and usage."""

from __future__ import annotations

from collections.abc import AsyncIterator

import orjson

from biont.exceptions import InvalidAnswer
from biont.llm import (
    Answer,
    ChatRequest,
    Chunk,
    Completion,
    DoneChunk,
    TextChunk,
    TokenUsage,
    ToolCall,
    ToolCallChunk,
    UsageChunk,
)
from biont_llm.token_estimates import estimate_usage


class AnswerStream:
    """Streamed answer of a model; an iterator of chunks, to be iterated over once.

    The last two chunks are the usage and the end.

    Args:
        backend: name of the backend that answers.
        model: name of the requested model.
        request: the request, for an estimate of the usage.
        chunks: the backend's chunks.

    Attributes:
        backend: name of the backend that answers.
        model: name of the requested model; `answer` has the name that the server reports.
        answer: the whole answer; None until the last chunk has arrived.
    """

    def __init__(
        self, backend: str, model: str, request: ChatRequest, chunks: AsyncIterator[Chunk]
    ) -> None:
        self.backend = backend
        self.model = model
        self.answer: Answer | None = None
        self._request = request
        self._chunks = chunks
        self._texts: list[str] = []
        self._calls: list[ToolCall] = []
        self._usage: TokenUsage | None = None

    @property
    def text(self) -> str:
        """The text that has arrived so far."""
        return "".join(self._texts)

    @property
    def usage(self) -> TokenUsage:
        """The usage as the server reports it, or an estimate of the usage so far."""
        return self._usage or estimate_usage(self._request, self.text, self._calls)

    async def __aiter__(self) -> AsyncIterator[Chunk]:
        """Yield the chunks.

        Raises:
            BackendError: the answer broke off.
        """
        async for chunk in self._chunks:
            if isinstance(chunk, TextChunk):
                self._texts.append(chunk.text)
                yield chunk
            elif isinstance(chunk, ToolCallChunk):
                self._calls.append(chunk.call)
                yield chunk
            elif isinstance(chunk, UsageChunk):
                # Held back: the consumer gets the usage at the end, estimated if necessary.
                self._usage = chunk.usage
            else:
                # Set before the yields: a consumer that leaves now has the whole answer.
                self.answer = finish_answer(self.backend, self._request, self._complete(chunk))
                yield UsageChunk(self.answer.usage)
                yield chunk
                return
        raise InvalidAnswer(
            f"the LLM backend {self.backend!r} broke off before the end of the answer"
        )

    def _complete(self, end: DoneChunk) -> Completion:
        return Completion(
            text=self.text.strip(),
            model=end.model,
            finish_reason=end.finish_reason,
            tool_calls=tuple(self._calls),
            usage=self._usage,
        )


def finish_answer(backend: str, request: ChatRequest, completion: Completion) -> Answer:
    """Return a backend's completion as a checked answer, with its usage.

    Raises:
        InvalidAnswer: the request demands JSON, and the text is not JSON.
    """
    # An answer that reached its token limit is cut JSON, and reported as such by its reason.
    if request.response_format is not None and completion.finish_reason == "stop":
        _check_json(backend, completion.text)
    return Answer(
        text=completion.text,
        model=completion.model,
        backend=backend,
        finish_reason=completion.finish_reason,
        tool_calls=completion.tool_calls,
        usage=completion.usage or estimate_usage(request, completion.text, completion.tool_calls),
    )


def _check_json(backend: str, text: str) -> None:
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise InvalidAnswer(
            f"the LLM backend {backend!r} was asked for JSON, and the answer is not JSON: {error}"
        ) from error

"""An answer that comes piece by piece, and what is known of it so far."""

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
    """Iterate over it, once, for the chunks: the last two are the usage and the end.

    Args:
        backend: who answers.
        model: which of its models, as far as is known beforehand.
        request: what was asked.
        chunks: what the backend sends.

    Attributes:
        backend: who answers.
        model: which of its models, by the name that was asked for; at the end `answer` has
            the server's own.
        answer: the whole answer; None until the last chunk has come.
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
        """What the model has said so far."""
        return "".join(self._texts)

    @property
    def usage(self) -> TokenUsage:
        """What the answer has cost so far."""
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
                self._usage = chunk.usage
            else:
                self.answer = finish_answer(self.backend, self._request, self._complete(chunk))
                yield UsageChunk(self.answer.usage)
                yield chunk
                return
        raise InvalidAnswer(f"the LLM backend {self.backend!r} broke off before its answer's end")

    def _complete(self, end: DoneChunk) -> Completion:
        return Completion(
            text=self.text.strip(),
            model=end.model,
            finish_reason=end.finish_reason,
            tool_calls=tuple(self._calls),
            usage=self._usage,
        )


def finish_answer(backend: str, request: ChatRequest, completion: Completion) -> Answer:
    """Return a backend's answer with all that is to be known of it.

    Raises:
        InvalidAnswer: JSON was asked for, and it is none.
    """
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
            f"the LLM backend {backend!r} was asked for JSON and answered otherwise: {error}"
        ) from error

"""What counts as an answer in OpenAI's chat protocol, when it comes piece by piece."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast, get_args

from pydantic import ValidationError

from biont import Schema
from biont.exceptions import BackendFailed, InvalidAnswer
from biont.llm import (
    Chunk,
    DoneChunk,
    FinishReason,
    TextChunk,
    TokenUsage,
    ToolCall,
    ToolCallChunk,
    UsageChunk,
)
from biont_llm.openai.response_body import (
    ModelName,
    ReportedToolCall,
    ReportedUsage,
    check_content,
    explain,
    read_reason,
)

_LINE_LIMIT = 1_048_576
_DONE = b"[DONE]"
_REASONS = get_args(FinishReason)


class _FunctionPart(Schema):
    name: str | None = None
    arguments: str | None = None


class _CallPart(Schema):
    index: int | None = None
    id: str | None = None
    function: _FunctionPart = _FunctionPart()


class _Delta(Schema):
    content: str | None = None
    tool_calls: list[_CallPart] | None = None


class _Choice(Schema):
    delta: _Delta = _Delta()
    finish_reason: str | None = None


class _Event(Schema):
    choices: list[_Choice]
    model: ModelName | None = None
    usage: ReportedUsage | None = None


class _Failure(Schema):
    error: object


class EventStream:
    """Reads the server-sent events that make up one answer."""

    def __init__(self) -> None:
        self._rest = b""
        self._calls: dict[int, _CallPart] = {}
        self._usage: TokenUsage | None = None
        self._model: str | None = None
        self._reason: str | None = None
        self._has_text = False
        self._is_done = False

    def feed(self, data: bytes) -> Iterator[TextChunk]:
        """Yield the pieces of text that `data` completes.

        Raises:
            InvalidAnswer: it is no part of an answer.
            BackendFailed: the server says in the middle that it cannot go on.
        """
        *lines, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > _LINE_LIMIT:
            raise InvalidAnswer("the model's server sent a line without end")
        for line in lines:
            if line.startswith(b"data:") and not self._is_done:
                text = self._read(line[5:].strip())
                if text:
                    self._has_text = self._has_text or not text.isspace()
                    yield TextChunk(text)

    def finish(self) -> Iterator[Chunk]:
        """Yield what comes behind the text, once the server has closed the stream.

        Raises:
            InvalidAnswer: the answer is not whole.
        """
        if self._reason is None or not self._is_done or self._model is None:
            raise InvalidAnswer(
                "the model's server broke off before its answer was whole: its stream has no "
                "finish_reason, no model or no [DONE]"
            )
        if self._reason not in _REASONS:
            raise InvalidAnswer(f"the model's server ended its answer with {self._reason:.50}")
        reason = cast("FinishReason", self._reason)
        check_content(reason, has_text=self._has_text, has_calls=bool(self._calls))
        yield from (ToolCallChunk(_read_call(part)) for part in self._calls.values())
        if self._usage is not None:
            yield UsageChunk(self._usage)
        yield DoneChunk(self._model, reason)

    def _read(self, data: bytes) -> str | None:
        """Take in one event; return the text that it brings."""
        if data == _DONE:
            self._is_done = True
            return None
        event = _parse(data)
        self._model = event.model or self._model
        self._usage = (event.usage.read() if event.usage else None) or self._usage
        if not event.choices:  # the last event brings the usage alone
            return None
        choice = event.choices[0]
        self._reason = choice.finish_reason or self._reason
        for part in choice.delta.tool_calls or ():
            self._add(part)
        return choice.delta.content

    def _add(self, part: _CallPart) -> None:
        # Some servers send each call whole, without saying which it is.
        last = len(self._calls) - (part.id is None)
        call = self._calls.setdefault(last if part.index is None else part.index, _CallPart())
        call.id = call.id or part.id
        given, known = part.function, call.function
        call.function = _FunctionPart(
            name=known.name or given.name,
            arguments=(known.arguments or "") + (given.arguments or ""),
        )


def _parse(data: bytes) -> _Event:
    try:
        return _Event.model_validate_json(data)
    except ValidationError as error:
        _raise_failure(data)
        raise InvalidAnswer(explain(error)) from error


def _raise_failure(data: bytes) -> None:
    """Say so if the server itself tells that it has failed."""
    try:
        failure = _Failure.model_validate_json(data)
    except ValidationError:
        return
    raise BackendFailed(f"the model's server broke off: {read_reason(failure.error)[:300]}")


def _read_call(part: _CallPart) -> ToolCall:
    try:
        call = ReportedToolCall.model_validate(part.model_dump(exclude_none=True))
    except ValidationError as error:
        raise InvalidAnswer(explain(error)) from error
    return call.read()

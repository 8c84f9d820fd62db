"""Parser of streamed answers in OpenAI's chat protocol, which rejects incomplete answers.

A stream is complete after these events, in this order:

    deltas (text, parts of tool calls) --> finish_reason --> usage (optional) --> [DONE]

A stream that ends earlier broke off, although each of its events was valid. Tool calls arrive in
parts and are passed on when the stream is complete, because a cut call must not be made.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import get_args

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
    describe_invalid_answer,
    extract_error_text,
)

# Bounds the memory that a broken server can take.
_LINE_LIMIT = 1_048_576
_DONE = b"[DONE]"
_REASONS: Mapping[str, FinishReason] = {reason: reason for reason in get_args(FinishReason)}


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


@dataclass
class _PartialCall:
    """Tool call whose parts have arrived so far; the pieces of its arguments are joined once."""

    id: str | None = None
    name: str | None = None
    arguments: list[str] = field(default_factory=list)

    def add(self, part: _CallPart) -> None:
        self.id = self.id or part.id
        self.name = self.name or part.function.name
        self.arguments.append(part.function.arguments or "")

    def finish(self) -> ToolCall:
        reported = _CallPart(
            id=self.id,
            function=_FunctionPart(name=self.name, arguments="".join(self.arguments)),
        )
        try:
            call = ReportedToolCall.model_validate(reported.model_dump(exclude_none=True))
        except ValidationError as error:
            raise InvalidAnswer(describe_invalid_answer(error)) from error
        return call.to_tool_call()


class StreamParser:
    """Parser of the server-sent events of one answer."""

    def __init__(self) -> None:
        # The pieces of a line that has not ended, joined when the line ends: a server may send
        # a line of a mebibyte byte by byte.
        self._line: list[bytes] = []
        self._line_size = 0
        self._calls: dict[int, _PartialCall] = {}
        self._usage: TokenUsage | None = None
        self._model: str | None = None
        self._reason: str | None = None
        self._has_text = False
        self._is_done = False

    def feed(self, data: bytes) -> Iterator[TextChunk]:
        """Yield the text of the events that `data` completes.

        Raises:
            InvalidAnswer: an event is invalid.
            BackendFailed: the server reports an error in the middle of the stream.
        """
        for line in self._split_lines(data):
            # Other lines are comments, names of events, and empty lines between events.
            if line.startswith(b"data:") and not self._is_done:
                text = self._read_event(line[5:].strip())
                if text:
                    self._has_text = self._has_text or not text.isspace()
                    yield TextChunk(text)

    def finish(self) -> Iterator[Chunk]:
        """Yield tool calls, usage and end, after the server has closed the stream.

        Raises:
            InvalidAnswer: the answer is incomplete.
        """
        if self._reason is None or not self._is_done or self._model is None:
            raise InvalidAnswer(
                "the model's server broke off before its answer was complete: its stream has no "
                "finish_reason, no model or no [DONE]"
            )
        reason = _REASONS.get(self._reason)
        if reason is None:
            raise InvalidAnswer(f"the model's server ended its answer with {self._reason:.50}")
        check_content(reason, has_text=self._has_text, has_calls=bool(self._calls))
        yield from (ToolCallChunk(call.finish()) for call in self._calls.values())
        if self._usage is not None:
            yield UsageChunk(self._usage)
        yield DoneChunk(self._model, reason)

    def _split_lines(self, data: bytes) -> list[bytes]:
        """Return the lines that `data` ends; keep the beginning of the next line."""
        first, *lines = data.split(b"\n")
        self._keep(first)
        if not lines:
            return []
        *ended, rest = [b"".join(self._line), *lines]
        self._line, self._line_size = [], 0
        self._keep(rest)
        return ended

    def _keep(self, piece: bytes) -> None:
        self._line.append(piece)
        self._line_size += len(piece)
        if self._line_size > _LINE_LIMIT:
            raise InvalidAnswer("the model's server sent an endless line")

    def _read_event(self, data: bytes) -> str | None:
        """Process one event; return its text."""
        if data == _DONE:
            self._is_done = True
            return None
        event = _parse_event(data)
        self._model = event.model or self._model
        self._usage = (event.usage.to_usage() if event.usage else None) or self._usage
        if not event.choices:  # the last event has only the usage
            return None
        choice = event.choices[0]
        self._reason = choice.finish_reason or self._reason
        for part in choice.delta.tool_calls or ():
            self._merge_call_part(part)
        return choice.delta.content

    def _merge_call_part(self, part: _CallPart) -> None:
        # Some servers send whole calls without an index: a part with an id begins a new call.
        last = len(self._calls) - (part.id is None)
        number = last if part.index is None else part.index
        self._calls.setdefault(number, _PartialCall()).add(part)


def _parse_event(data: bytes) -> _Event:
    try:
        return _Event.model_validate_json(data)
    except ValidationError as error:
        _raise_failure(data)
        raise InvalidAnswer(describe_invalid_answer(error)) from error


def _raise_failure(data: bytes) -> None:
    """Raise the error that the server reports in `data`; return if `data` has no error."""
    try:
        failure = _Failure.model_validate_json(data)
    except ValidationError:
        return
    raise BackendFailed(f"the model's server broke off: {extract_error_text(failure.error)[:300]}")

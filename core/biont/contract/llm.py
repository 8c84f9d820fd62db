"""Contract of LLM backends: requests, answers, streamed chunks and the backend's protocol.

A streamed answer is a sequence of chunks:

    `TextChunk`* --> `ToolCallChunk`* --> `UsageChunk` (optional) --> `DoneChunk`

Only `DoneChunk` marks an answer as whole. A backend whose server breaks off raises an error
instead of yielding `DoneChunk`.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from biont.event import JsonObject
from biont.services import Service
from biont.workbench import Workbench

FinishReason = Literal["stop", "length", "tool_calls"]
"""Reason of an answer's end: complete, token limit reached, or tool calls to make."""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """Tool call that a model requests.

    Attributes:
        id: reference for the result.
        name: name of the tool; a model may invent names.
        arguments: arguments as the model wrote the text; meant to be JSON, but unchecked.
    """

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation.

    Attributes:
        role: author of the turn; ``tool`` marks the result of a tool call.
        content: text of the turn.
        tool_calls: tool calls of an assistant's turn.
        tool_call_id: id of the tool call whose result the turn is.
    """

    role: Literal["system", "user", "assistant", "tool"]
    content: str
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None


@dataclass(frozen=True, slots=True)
class ToolDefinition:
    """Description of a tool for a model.

    Attributes:
        name: up to 64 letters, digits, ``_`` and ``-``.
        description: purpose of the tool, and when to use the tool.
        parameters: JSON schema of the arguments, an object.
    """

    name: str
    description: str
    parameters: JsonObject


@dataclass(frozen=True, slots=True)
class ResponseFormat:
    """Format of a JSON answer.

    Attributes:
        name: up to 64 letters, digits, ``_`` and ``-``.
        schema: JSON schema of the answer's text.
    """

    name: str
    schema: JsonObject


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """Request to a model.

    Attributes:
        messages: the conversation so far, the newest turn last.
        model: ``backend/model``, the name of a backend for the backend's default, or the name
            of a model; None for the default of the settings. A backend receives the name of one
            of its models, or None.
        tools: tools that the model may call.
        response_format: format of a JSON answer; None for free text.
        max_tokens: longest answer; None for the limit of the settings.
        temperature: randomness of the answer; None for the value of the settings.
    """

    messages: Sequence[Message]
    model: str | None = None
    tools: Sequence[ToolDefinition] = ()
    response_format: ResponseFormat | None = None
    max_tokens: int | None = None
    temperature: float | None = None


@dataclass(frozen=True, slots=True)
class TokenUsage:
    """Tokens of a call.

    Attributes:
        prompt_tokens: tokens that the model read.
        completion_tokens: tokens that the model wrote.
        estimated: whether the counts are estimated from the lengths of the texts, because the
            server reported no usage.
    """

    prompt_tokens: int
    completion_tokens: int
    estimated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """Whole answer of a backend.

    Attributes:
        text: text of the answer; empty only beside `tool_calls`.
        model: name of the model, as the server reports the name.
        finish_reason: reason of the end.
        tool_calls: tool calls that the model requests.
        usage: tokens of the call; None if the server reports no usage.
    """

    text: str
    model: str
    finish_reason: FinishReason = "stop"
    tool_calls: tuple[ToolCall, ...] = ()
    usage: TokenUsage | None = None


@dataclass(frozen=True, slots=True)
class TextChunk:
    """Next piece of an answer's text; never empty."""

    text: str


@dataclass(frozen=True, slots=True)
class ToolCallChunk:
    """Whole tool call."""

    call: ToolCall


@dataclass(frozen=True, slots=True)
class UsageChunk:
    """Usage of a call; at most once in an answer."""

    usage: TokenUsage


@dataclass(frozen=True, slots=True)
class DoneChunk:
    """End of a whole answer; always the last chunk."""

    model: str
    finish_reason: FinishReason = "stop"


Chunk = TextChunk | ToolCallChunk | UsageChunk | DoneChunk
"""Piece of a streamed answer."""


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """Model of a backend.

    Attributes:
        name: name of the model in the `ChatRequest.model` that a backend receives.
        context: tokens of prompt and answer together; None if unknown.
    """

    name: str
    context: int | None = None


class Backend(Protocol):
    """Access to the models of one server or library.

    A backend makes a single attempt for each call, and raises an error that names the cause.
    The gateway adds timeout, concurrency limit, retries and circuit breaker.
    """

    async def chat(self, request: ChatRequest) -> Completion:
        """Return the model's answer.

        Raises:
            BackendError: the backend has no answer, or no complete answer.
        """
        ...

    def stream(self, request: ChatRequest) -> AsyncGenerator[Chunk, None]:
        """Yield the model's answer chunk by chunk; implemented as an async generator.

        The gateway closes the generator when the consumer leaves. The generator must then stop
        the model.

        Raises:
            BackendError: the backend has no answer, or the answer broke off.
        """
        ...

    async def list_models(self) -> Sequence[ModelInfo]:
        """Return the available models; also serves as the health check of the backend.

        Raises:
            BackendError: the backend is unavailable.
        """
        ...

    async def close(self) -> None:
        """Release connections and memory."""
        ...


BackendFactory = Callable[[Workbench], Backend]
"""Creates a backend; called at the first use of the backend."""

LLM_BACKENDS = Service[Mapping[str, BackendFactory]]("LLM backends", provider="core")
"""All registered backends, by name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LlmCall:
    """Owners of an LLM call. The call counts towards their usage and budgets.

    Attributes:
        user_id: user who gets the answer.
        key_id: API key of the request; None without a request.
        schedule_id: schedule whose run makes the call.
        run_id: run that makes the call.
        conversation_id: conversation that the call belongs to.
        mission_id: mission that the call belongs to.
    """

    user_id: int
    key_id: int | None = None
    schedule_id: int | None = None
    run_id: int | None = None
    conversation_id: int | None = None
    mission_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Whole answer of the gateway, with its usage.

    Attributes:
        text: text of the answer; empty only beside `tool_calls`.
        model: name of the model, as the server reports the name.
        backend: name of the backend.
        finish_reason: reason of the end.
        tool_calls: tool calls that the model requests.
        usage: tokens of the call.
    """

    text: str
    model: str
    backend: str
    finish_reason: FinishReason
    tool_calls: tuple[ToolCall, ...]
    usage: TokenUsage

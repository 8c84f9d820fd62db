"""What the workbench asks of a language model, whatever serves it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from biont.event import JsonObject
from biont.services import Service
from biont.workbench import Workbench

FinishReason = Literal["stop", "length", "tool_calls"]
"""Why an answer ends: it is complete, as long as allowed, or waits for tools' results."""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A tool that a model wants to be called.

    Attributes:
        id: what the result refers to.
        name: which tool; it need not exist.
        arguments: JSON text as the model wrote it; it need not be JSON.
    """

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation.

    Attributes:
        role: who says it; ``tool`` is the result of a tool call.
        content: what is said.
        tool_calls: the tools that an assistant's turn calls.
        tool_call_id: of a tool's turn, the call that it is the result of.
    """

    role: Literal["system", "user", "assistant", "tool"]
    content: str
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None


@dataclass(frozen=True, slots=True)
class ToolDefinition:
    """A tool as a model is told of it.

    Attributes:
        name: letters, digits, ``_`` and ``-``, at most 64 of them.
        description: what it does and when it is of use.
        parameters: the JSON schema of its arguments, an object's.
    """

    name: str
    description: str
    parameters: JsonObject


@dataclass(frozen=True, slots=True)
class ResponseFormat:
    """The shape that an answer must have.

    Attributes:
        name: letters, digits, ``_`` and ``-``, at most 64 of them.
        schema: the JSON schema that the answer's text is to follow.
    """

    name: str
    schema: JsonObject


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """What is asked of a model.

    Attributes:
        messages: the conversation so far, the newest turn last.
        model: ``backend/model``, the name of a backend for its own default, or a
            model's name alone; None for the default of the settings. What a
            backend gets is one of its own models' names, or None.
        tools: what the model may call.
        response_format: the shape that the answer must have; None for free text.
        max_tokens: how long the answer may get; None as the settings say.
        temperature: how freely the model chooses its words; None as the settings say.
    """

    messages: Sequence[Message]
    model: str | None = None
    tools: Sequence[ToolDefinition] = ()
    response_format: ResponseFormat | None = None
    max_tokens: int | None = None
    temperature: float | None = None


@dataclass(frozen=True, slots=True)
class TokenUsage:
    """How many tokens a model has read and written.

    Attributes:
        prompt_tokens: read.
        completion_tokens: written.
        estimated: whether they are reckoned from the texts' lengths, because the
            model's server did not say.
    """

    prompt_tokens: int
    completion_tokens: int
    estimated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """A whole answer of a backend.

    Attributes:
        text: what the model said; empty only beside `tool_calls`.
        model: which model it was, as the server names it.
        finish_reason: why it ends.
        tool_calls: the tools that it wants to be called.
        usage: None where the server does not say.
    """

    text: str
    model: str
    finish_reason: FinishReason = "stop"
    tool_calls: tuple[ToolCall, ...] = ()
    usage: TokenUsage | None = None


@dataclass(frozen=True, slots=True)
class TextChunk:
    """The next piece of an answer's text; never empty."""

    text: str


@dataclass(frozen=True, slots=True)
class ToolCallChunk:
    """A tool call, whole."""

    call: ToolCall


@dataclass(frozen=True, slots=True)
class UsageChunk:
    """What the answer cost; a backend sends it at most once."""

    usage: TokenUsage


@dataclass(frozen=True, slots=True)
class DoneChunk:
    """The end of an answer; always the last chunk, and only of one that is whole."""

    model: str
    finish_reason: FinishReason = "stop"


Chunk = TextChunk | ToolCallChunk | UsageChunk | DoneChunk
"""A piece of an answer that is streamed."""


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """A model that a backend has.

    Attributes:
        name: as `ChatRequest.model` says it to the backend.
        context: how many tokens question and answer may have together; None if not known.
    """

    name: str
    context: int | None = None


class Backend(Protocol):
    """A way to reach language models.

    Whoever calls it limits the time, repeats what may be repeated, and holds it to
    its concurrency: a backend asks once and says what went wrong.
    """

    async def chat(self, request: ChatRequest) -> Completion:
        """Return the model's answer.

        Raises:
            BackendError: there is no answer, or none that can be trusted to be whole.
        """
        ...

    def stream(self, request: ChatRequest) -> AsyncGenerator[Chunk, None]:
        """Yield the model's answer as it comes; write it as an async generator.

        It is closed when nobody wants the rest, and then lets go of the model.

        Raises:
            BackendError: there is no answer, or it broke off; what was yielded
                before is no whole answer then.
        """
        ...

    async def list_models(self) -> Sequence[ModelInfo]:
        """Return the models that may be asked now, which also tells that it is well.

        Raises:
            BackendError: it cannot answer at present.
        """
        ...

    async def close(self) -> None:
        """Let go of connections and memory."""
        ...


BackendFactory = Callable[[Workbench], Backend]
"""Makes a backend; called when it is first used."""

LLM_BACKENDS = Service[Mapping[str, BackendFactory]]("LLM backends", provider="core")
"""All registered backends, by name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LlmCall:
    """On whose behalf a model is called; what it costs is counted there.

    Attributes:
        user_id: who gets the answer.
        key_id: the API key that asked, if one did.
        schedule_id: the schedule whose run asks, if one does.
        run_id: that run.
        conversation_id: the conversation that it belongs to, if it does.
        mission_id: the mission that it belongs to, if it does.
    """

    user_id: int
    key_id: int | None = None
    schedule_id: int | None = None
    run_id: int | None = None
    conversation_id: int | None = None
    mission_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A whole answer, and what it cost.

    Attributes:
        text: what the model said; empty only beside `tool_calls`.
        model: which model it was, as its server names it.
        backend: who has that model.
        finish_reason: why it ends.
        tool_calls: the tools that it wants to be called.
        usage: how many tokens it took.
    """

    text: str
    model: str
    backend: str
    finish_reason: FinishReason
    tool_calls: tuple[ToolCall, ...]
    usage: TokenUsage

# Written by tests/client/generate.py from the API document. Do not edit.
"""Operations of the group ``openai``."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import Literal, NotRequired, TypedDict, Unpack

from biont.client.call import make_call
from biont.client.event_stream import StreamedEvent
from biont.client.groups import AsyncOperationGroup, OperationGroup
from biont.client.json_types import JsonValue


class CalledFunction(TypedDict):
    """Function of a tool call."""

    name: str
    arguments: str


class CompletionRequest(TypedDict):
    """Body of a request for a chat completion.

    Attributes:
        model: Model, as in chat; `default` for the default of the settings.
        stream: By default `false`.
        tool_choice: `none` removes the tools.
        store: True if question and answer are stored as a conversation.
    """

    model: str
    messages: Sequence[GivenMessage]
    stream: NotRequired[bool]
    stream_options: NotRequired[StreamOptions | None]
    temperature: NotRequired[float | None]
    max_tokens: NotRequired[int | None]
    max_completion_tokens: NotRequired[int | None]
    n: NotRequired[Literal[1] | None]
    tools: NotRequired[Sequence[GivenTool] | None]
    tool_choice: NotRequired[JsonValue]
    response_format: NotRequired[GivenFormat | None]
    store: NotRequired[bool | None]
    metadata: NotRequired[Metadata | None]


class GivenCall(TypedDict):
    """Tool call of an earlier turn.

    Attributes:
        type: By default `"function"`.
    """

    id: str
    type: NotRequired[Literal["function"]]
    function: CalledFunction


class GivenFormat(TypedDict):
    """Format of the answer."""

    type: Literal["text", "json_object", "json_schema"]
    json_schema: NotRequired[GivenSchema | None]


class GivenFunction(TypedDict):
    """Function that the model may call.

    Attributes:
        parameters: By default `{"type":"object","properties":{}}`.
    """

    name: str
    description: NotRequired[str]
    parameters: NotRequired[Mapping[str, JsonValue]]


class GivenMessage(TypedDict):
    """Turn of the conversation so far."""

    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: NotRequired[str | Sequence[TextPart] | None]
    tool_calls: NotRequired[Sequence[GivenCall] | None]
    tool_call_id: NotRequired[str | None]


class GivenSchema(TypedDict):
    """JSON schema of the answer."""

    name: str
    schema: Mapping[str, JsonValue]


class GivenTool(TypedDict):
    """Tool that the model may call."""

    type: Literal["function"]
    function: GivenFunction


class Metadata(TypedDict):
    """Metadata of a completion.

    Attributes:
        conversation_id: Conversation that stores question and answer.
        tools: Tools of the workbench that the model may call, separated by commas.
    """

    conversation_id: NotRequired[int | None]
    tools: NotRequired[str]


class StreamOptions(TypedDict):
    """Options of a stream.

    Attributes:
        include_usage: By default `false`.
    """

    include_usage: NotRequired[bool]


class TextPart(TypedDict):
    """Text part of a message; other parts are refused."""

    type: Literal["text"]
    text: str


class Openai(OperationGroup):
    """Chat for clients of OpenAI's API, with its paths and its errors."""

    def complete_chat(
        self,
        *,
        idempotency_key: str | None = None,
        **body: Unpack[CompletionRequest],
    ) -> dict[str, JsonValue]:
        """Complete a chat, as in OpenAI's API.

        Each answer emits the event `ai_message`. `store` stores question and answer in a new
        conversation, `metadata.conversation_id` in an existing conversation.

        Needs an API key of scope `full` or `chat`.
        """
        return self._read(
            dict[str, JsonValue],
            make_call(
                "POST",
                "/v1/chat/completions",
                headers={"Idempotency-Key": idempotency_key},
                body=body,
            ),
        )

    def stream_chat(
        self,
        **body: Unpack[CompletionRequest],
    ) -> Iterator[StreamedEvent]:
        """Call `complete_chat` with a streamed answer, and yield the events of the answer.

        The call is not repeated after an error.
        """
        return self._stream(
            make_call("POST", "/v1/chat/completions", body={**body, "stream": True}),
        )

    def list_models(
        self,
    ) -> dict[str, JsonValue]:
        """List the available models, as in OpenAI's API.

        The ids in the list are the values of `model` in requests. A key that is narrowed to
        some
        `models` gets these only.

        Needs an API key of scope `full` or `read` or `chat`.
        """
        return self._read(
            dict[str, JsonValue],
            make_call("GET", "/v1/models"),
        )


class AsyncOpenai(AsyncOperationGroup):
    """Chat for clients of OpenAI's API, with its paths and its errors."""

    async def complete_chat(
        self,
        *,
        idempotency_key: str | None = None,
        **body: Unpack[CompletionRequest],
    ) -> dict[str, JsonValue]:
        """Complete a chat, as in OpenAI's API.

        Each answer emits the event `ai_message`. `store` stores question and answer in a new
        conversation, `metadata.conversation_id` in an existing conversation.

        Needs an API key of scope `full` or `chat`.
        """
        return await self._read(
            dict[str, JsonValue],
            make_call(
                "POST",
                "/v1/chat/completions",
                headers={"Idempotency-Key": idempotency_key},
                body=body,
            ),
        )

    def stream_chat(
        self,
        **body: Unpack[CompletionRequest],
    ) -> AsyncIterator[StreamedEvent]:
        """Call `complete_chat` with a streamed answer, and yield the events of the answer.

        The call is not repeated after an error.
        """
        return self._stream(
            make_call("POST", "/v1/chat/completions", body={**body, "stream": True}),
        )

    async def list_models(
        self,
    ) -> dict[str, JsonValue]:
        """List the available models, as in OpenAI's API.

        The ids in the list are the values of `model` in requests. A key that is narrowed to
        some
        `models` gets these only.

        Needs an API key of scope `full` or `read` or `chat`.
        """
        return await self._read(
            dict[str, JsonValue],
            make_call("GET", "/v1/models"),
        )

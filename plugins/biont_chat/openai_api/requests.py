"""Request bodies of OpenAI's API; unknown keys are ignored."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, JsonValue

from biont import RowId, Schema
from biont.exceptions import InputProblem, InvalidInput
from biont.llm import ChatRequest, Message, ResponseFormat, ToolCall, ToolDefinition

DEFAULT = "default"
"""Value of `model` for the default of the settings."""

Name = Annotated[str, Field(pattern=r"^[a-zA-Z0-9_-]{1,64}$")]
JsonSchema = dict[str, JsonValue]


class Ignoring(Schema):
    """Base schema that ignores unknown keys."""

    model_config = ConfigDict(extra="ignore")


class TextPart(Ignoring):
    """Text part of a message; other parts are refused."""

    type: Literal["text"]
    text: str


class CalledFunction(Ignoring):
    """Function of a tool call."""

    name: str
    arguments: str


class GivenCall(Ignoring):
    """Tool call of an earlier turn."""

    id: str
    type: Literal["function"] = "function"
    function: CalledFunction


class GivenMessage(Ignoring):
    """Turn of the conversation so far."""

    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: str | list[TextPart] | None = None
    tool_calls: list[GivenCall] | None = None
    tool_call_id: str | None = None

    def to_message(self) -> Message:
        """Return the turn for the workbench."""
        parts = self.content if isinstance(self.content, list) else []
        text = self.content if isinstance(self.content, str) else ""
        return Message(
            "system" if self.role == "developer" else self.role,
            text + "".join(part.text for part in parts),
            tuple(
                ToolCall(call.id, call.function.name, call.function.arguments)
                for call in self.tool_calls or ()
            ),
            self.tool_call_id,
        )


class GivenFunction(Ignoring):
    """Function that the model may call."""

    name: Name
    description: str = ""
    parameters: JsonSchema = Field({"type": "object", "properties": {}})


class GivenTool(Ignoring):
    """Tool that the model may call."""

    type: Literal["function"]
    function: GivenFunction


class GivenSchema(Ignoring):
    """JSON schema of the answer."""

    name: Name
    schema_: JsonSchema = Field(alias="schema")


class GivenFormat(Ignoring):
    """Format of the answer."""

    type: Literal["text", "json_object", "json_schema"]
    json_schema: GivenSchema | None = None

    def to_response_format(self) -> ResponseFormat | None:
        """Return the format for the workbench; None for free text."""
        if self.json_schema is not None:
            return ResponseFormat(self.json_schema.name, self.json_schema.schema_)
        return None if self.type == "text" else ResponseFormat("object", {"type": "object"})


class StreamOptions(Ignoring):
    """Options of a stream."""

    include_usage: bool = False


class Metadata(Ignoring):
    """Metadata of a completion."""

    conversation_id: RowId | None = Field(
        None, description="Conversation that stores question and answer."
    )
    tools: Annotated[str, Field(max_length=512)] = Field(
        "", description="Tools of the workbench that the model may call, separated by commas."
    )


class CompletionRequest(Ignoring):
    """Body of a request for a chat completion."""

    model: Annotated[str, Field(min_length=1, max_length=200)] = Field(
        description="Model, as in chat; `default` for the default of the settings."
    )
    messages: Annotated[list[GivenMessage], Field(min_length=1)]
    stream: bool = False
    stream_options: StreamOptions | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    max_tokens: Annotated[int, Field(ge=1)] | None = None
    max_completion_tokens: Annotated[int, Field(ge=1)] | None = None
    n: Literal[1] | None = None
    tools: list[GivenTool] | None = None
    tool_choice: JsonValue = Field(None, description="`none` removes the tools.")
    response_format: GivenFormat | None = None
    store: bool | None = Field(
        None, description="True if question and answer are stored as a conversation."
    )
    metadata: Metadata | None = None

    def list_workbench_tools(self) -> list[str]:
        """Return the names of the workbench's tools that the model may call.

        Raises:
            InvalidInput: the request also has tools of the client.
        """
        named = self.metadata.tools.split(",") if self.metadata else []
        names = [name.strip() for name in named if name.strip()]
        if names and self.tools:
            raise InvalidInput(
                InputProblem("give either tools or metadata.tools, not both", "#/metadata/tools")
            )
        return names

    def to_chat_request(self) -> ChatRequest:
        """Return the request for the workbench."""
        tools = [tool.function for tool in self.tools or () if self.tool_choice != "none"]
        return ChatRequest(
            [message.to_message() for message in self.messages],
            None if self.model == DEFAULT else self.model,
            [ToolDefinition(tool.name, tool.description, tool.parameters) for tool in tools],
            self.response_format.to_response_format() if self.response_format else None,
            self.max_completion_tokens or self.max_tokens,
            self.temperature,
        )

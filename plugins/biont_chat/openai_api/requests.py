"""A chat completion as a client asks for it; what is not named here is ignored."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, JsonValue

from biont import RowId, Schema
from biont.exceptions import InputProblem, InvalidInput
from biont.llm import ChatRequest, Message, ResponseFormat, ToolCall, ToolDefinition

DEFAULT = "default"
"""The `model` that means the operator's default."""

Name = Annotated[str, Field(pattern=r"^[a-zA-Z0-9_-]{1,64}$")]
JsonSchema = dict[str, JsonValue]


class Ignoring(Schema):
    """Takes what it knows and leaves the rest."""

    model_config = ConfigDict(extra="ignore")


class TextPart(Ignoring):
    """A piece of a message; only text is taken."""

    type: Literal["text"]
    text: str


class CalledFunction(Ignoring):
    """What a model has called."""

    name: str
    arguments: str


class GivenCall(Ignoring):
    """A call that a model has made in an earlier turn."""

    id: str
    type: Literal["function"] = "function"
    function: CalledFunction


class GivenMessage(Ignoring):
    """One turn of the conversation so far."""

    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: str | list[TextPart] | None = None
    tool_calls: list[GivenCall] | None = None
    tool_call_id: str | None = None

    def read(self) -> Message:
        """Return it in our own terms."""
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
    """A function that the model may call."""

    name: Name
    description: str = ""
    parameters: JsonSchema = Field({"type": "object", "properties": {}})


class GivenTool(Ignoring):
    """A tool that the model may call."""

    type: Literal["function"]
    function: GivenFunction


class GivenSchema(Ignoring):
    """The schema that an answer is to follow."""

    name: Name
    schema_: JsonSchema = Field(alias="schema")


class GivenFormat(Ignoring):
    """The shape that an answer must have."""

    type: Literal["text", "json_object", "json_schema"]
    json_schema: GivenSchema | None = None

    def read(self) -> ResponseFormat | None:
        """Return it in our own terms."""
        if self.json_schema is not None:
            return ResponseFormat(self.json_schema.name, self.json_schema.schema_)
        return None if self.type == "text" else ResponseFormat("object", {"type": "object"})


class StreamOptions(Ignoring):
    """What a stream tells beside the answer."""

    include_usage: bool = False


class Metadata(Ignoring):
    """What belongs to a completion."""

    conversation_id: RowId | None = Field(
        None, description="The conversation in which question and answer are kept."
    )
    tools: Annotated[str, Field(max_length=512)] = Field(
        "", description="The workbench's own tools that the model may call, between commas."
    )


class CompletionRequest(Ignoring):
    """What a client asks for."""

    model: Annotated[str, Field(min_length=1, max_length=200)] = Field(
        description="Who answers, as in chat; `default` is the default."
    )
    messages: Annotated[list[GivenMessage], Field(min_length=1)]
    stream: bool = False
    stream_options: StreamOptions | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    max_tokens: Annotated[int, Field(ge=1)] | None = None
    max_completion_tokens: Annotated[int, Field(ge=1)] | None = None
    n: Literal[1] | None = None
    tools: list[GivenTool] | None = None
    tool_choice: JsonValue = Field(None, description="`none` leaves the tools out.")
    response_format: GivenFormat | None = None
    store: bool | None = Field(None, description="Whether it is kept as a conversation.")
    metadata: Metadata | None = None

    def list_own_tools(self) -> list[str]:
        """Return the names of the workbench's own tools that the model may call.

        Raises:
            InvalidInput: the client has tools of its own, too.
        """
        named = self.metadata.tools.split(",") if self.metadata else []
        names = [name.strip() for name in named if name.strip()]
        if names and self.tools:
            raise InvalidInput(
                InputProblem("give tools, or the names of ours, not both", "#/metadata/tools")
            )
        return names

    def read(self) -> ChatRequest:
        """Return it in our own terms."""
        tools = [tool.function for tool in self.tools or () if self.tool_choice != "none"]
        return ChatRequest(
            [message.read() for message in self.messages],
            None if self.model == DEFAULT else self.model,
            [ToolDefinition(tool.name, tool.description, tool.parameters) for tool in tools],
            self.response_format.read() if self.response_format else None,
            self.max_completion_tokens or self.max_tokens,
            self.temperature,
        )

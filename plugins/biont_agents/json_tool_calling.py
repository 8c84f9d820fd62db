"""Tools for models that cannot call any: they answer by a JSON schema instead."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import cast

import orjson
from pydantic import ConfigDict, JsonValue, ValidationError
from pydantic_core import to_json

from biont import JsonObject, Schema
from biont.exceptions import InvalidAnswer
from biont.llm import Answer, Message, ResponseFormat, ToolCall, ToolDefinition

_INSTRUCTIONS = (
    "You can use tools. Answer with one JSON object and nothing else: to use a tool, "
    '{"tool": its name, "arguments": {...}}; when you need no more tools, '
    '{"answer": your answer}. The tools are:'
)
_NEITHER = "the model {!r} was asked for a tool or an answer, and said neither"


class _Said(Schema):
    model_config = ConfigDict(extra="forbid")

    tool: str | None = None
    arguments: dict[str, JsonValue] | None = None
    answer: str | None = None


def explain_tools(messages: Sequence[Message], tools: Sequence[ToolDefinition]) -> list[Message]:
    """Return the messages as a model wants them that knows of no tools."""
    listing = "\n".join(
        f"- {tool.name}: {tool.description} Arguments: {orjson.dumps(tool.parameters).decode()}"
        for tool in tools
    )
    names = {call.id: call.name for message in messages for call in message.tool_calls}
    told = [_tell(message, names) for message in messages]
    head = "\n".join(message.content for message in told if message.role == "system")
    system = Message("system", f"{head}\n\n{_INSTRUCTIONS}\n{listing}".strip())
    return [system, *(message for message in told if message.role != "system")]


def make_format(tools: Sequence[ToolDefinition]) -> ResponseFormat:
    """Return the shape of an answer that either answers or calls one of the tools."""
    choices: list[JsonValue] = [_object({"answer": {"type": "string"}})]
    choices += [
        _object({"tool": {"const": tool.name}, "arguments": cast("JsonValue", tool.parameters)})
        for tool in tools
    ]
    return ResponseFormat("tool_or_answer", {"anyOf": choices})


def read_answer(answer: Answer, number: int) -> Answer:
    """Return an answer with the call that its JSON stands for.

    Args:
        answer: as the model gave it.
        number: tells its call from those of other answers.

    Raises:
        InvalidAnswer: it is not of the shape that was asked for.
    """
    try:
        said = _Said.model_validate_json(answer.text)
    except ValidationError as error:
        raise InvalidAnswer(_NEITHER.format(answer.model)) from error
    if said.tool is not None:
        arguments = to_json(said.arguments or {}).decode()
        call = ToolCall(f"call-{number}", said.tool, arguments)
        return replace(answer, text="", tool_calls=(call,))
    if not said.answer:
        raise InvalidAnswer(_NEITHER.format(answer.model))
    return replace(answer, text=said.answer, tool_calls=())


def _tell(message: Message, names: dict[str, str]) -> Message:
    if message.role == "tool":
        name = names.get(message.tool_call_id or "", "")
        return Message("user", f"The tool {name} has given back: {message.content}")
    if message.tool_calls:
        call = message.tool_calls[0]
        said = {"tool": call.name, "arguments": _read_json(call.arguments)}
        return Message("assistant", orjson.dumps(said).decode())
    return message


def _read_json(text: str) -> JsonValue:
    """Return what a model wrote; as text where it is no JSON."""
    try:
        return cast("JsonValue", orjson.loads(text))
    except orjson.JSONDecodeError:
        return text


def _object(properties: JsonObject) -> JsonValue:
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }

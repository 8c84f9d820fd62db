"""Contract of tools: functions that plugins offer to language models."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, JsonValue

from biont.contract.llm import ToolDefinition
from biont.exceptions import InputProblem, InvalidInput
from biont.schema import Schema
from biont.services import Service
from biont.store.transaction import Transaction
from biont.workbench import Workbench

M = TypeVar("M", bound=BaseModel)

ToolResult = JsonValue | Callable[[Transaction], JsonValue]
"""Result of a tool for the model: a JSON value, or a function that returns the JSON value.

The function runs in the transaction that records the tool call. Its writes and the record are
committed together, so that a crash neither loses the writes nor repeats them.
"""


@dataclass(frozen=True, slots=True)
class ToolContext:
    """Context of a tool call.

    Attributes:
        workbench: the workbench.
        user_id: owner of the rows that the tool may read and write.
        source: origin of the tool call, by kind and number: ``task-7``, ``conversation-3``.
        source_url: path of the origin in the REST API.
    """

    workbench: Workbench
    user_id: int
    source: str
    source_url: str


@dataclass(frozen=True, slots=True)
class Tool:
    """Function that a model may call; made by `make_tool`.

    Attributes:
        name: lower case with ``_``: ``create_note``.
        description: purpose of the tool, and when to use the tool, for the model.
        arguments: schema of the arguments; a description of each field helps the model.
        call: checks the arguments, which are JSON text, and runs the tool.
        confirm: whether the user has to approve each call.
    """

    name: str
    description: str
    arguments: type[BaseModel]
    call: Callable[[ToolContext, str], Awaitable[ToolResult]]
    confirm: bool = False

    def define(self) -> ToolDefinition:
        """Return the description of the tool for a model."""
        return ToolDefinition(self.name, self.description, self.arguments.model_json_schema())


TOOLS = Service[Mapping[str, Tool]]("tools", provider="core")
"""All registered tools, by name."""


class NoArguments(Schema):
    """Arguments of a tool without arguments."""

    model_config = ConfigDict(extra="forbid")


def check_tool_names(tools: Mapping[str, Tool], names: Sequence[str], pointer: str) -> None:
    """Check that each of `names` is a registered tool.

    Args:
        tools: the registered tools.
        names: names of tools in a request.
        pointer: JSON pointer to `names` in the request: ``#/tools``.

    Raises:
        InvalidInput: a tool does not exist.
    """
    for index, name in enumerate(names):
        if name not in tools:
            choice = ", ".join(sorted(tools))
            raise InvalidInput(
                InputProblem(f"there is no such tool; choose from {choice}", f"{pointer}/{index}")
            )


def make_tool(
    name: str,
    description: str,
    arguments: type[M],
    run: Callable[[ToolContext, M], Awaitable[ToolResult]],
    *,
    confirm: bool = False,
) -> Tool:
    """Return a tool that calls `run`.

    Args:
        name: lower case with ``_``: ``create_note``.
        description: purpose of the tool, and when to use the tool, for the model.
        arguments: schema of the arguments.
        run: the function. The model gets the message of a `BiontError`, and may try again;
            another error is logged, and the model learns only that the tool failed.
        confirm: whether the user has to approve each call.
    """

    async def call(context: ToolContext, text: str) -> ToolResult:
        # Some models send no text at all to a tool without arguments.
        return await run(context, arguments.model_validate_json(text or "{}"))

    return Tool(name, description, arguments, call, confirm)

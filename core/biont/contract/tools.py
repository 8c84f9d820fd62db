"""Tools: what a language model may do, as plugins register it."""

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
"""What a tool gives back to the model.

A function is run in the transaction that records the call: what it writes is there with
the record or not at all, so that a crash neither loses it nor does it twice.
"""


@dataclass(frozen=True, slots=True)
class ToolContext:
    """On whose behalf a tool is called.

    Attributes:
        workbench: the running whole.
        user_id: whose rows it may see and write.
        source: what the model is at, by kind and number: ``task-7``, ``conversation-3``.
        source_url: the path at which that is read.
    """

    workbench: Workbench
    user_id: int
    source: str
    source_url: str


@dataclass(frozen=True, slots=True)
class Tool:
    """Something that a model may do; `make_tool` returns one.

    Attributes:
        name: lower case with ``_``: ``create_note``.
        description: what it does and when it is of use, for the model.
        arguments: what the model has to say; a description for each field helps it.
        call: checks the arguments, which are JSON text, and does it.
        confirm: whether its user has to approve each call.
    """

    name: str
    description: str
    arguments: type[BaseModel]
    call: Callable[[ToolContext, str], Awaitable[ToolResult]]
    confirm: bool = False

    def define(self) -> ToolDefinition:
        """Return the tool as a model is told of it."""
        return ToolDefinition(self.name, self.description, self.arguments.model_json_schema())


TOOLS = Service[Mapping[str, Tool]]("tools", provider="core")
"""All registered tools, by name."""


class NoArguments(Schema):
    """What a tool takes that needs to know nothing."""

    model_config = ConfigDict(extra="forbid")


def check_tool_names(tools: Mapping[str, Tool], names: Sequence[str], pointer: str) -> None:
    """Check that there are tools of these names.

    Args:
        tools: those that there are.
        names: a list in a request.
        pointer: where that list stands in it: ``#/tools``.

    Raises:
        InvalidInput: there is no tool of one of the names.
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
    """Return a tool that does what `run` does.

    Args:
        name: lower case with ``_``: ``create_note``.
        description: what it does and when it is of use, for the model.
        arguments: what the model has to say.
        run: does it. A `BiontError` that it raises is told to the model, which may try
            again; anything else that it raises is logged, and the model learns that
            the tool has failed.
        confirm: whether its user has to approve each call.
    """

    async def call(context: ToolContext, text: str) -> ToolResult:
        return await run(context, arguments.model_validate_json(text or "{}"))

    return Tool(name, description, arguments, call, confirm)

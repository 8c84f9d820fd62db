"""Tools for integrations: a model may list integrations, and send messages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import ConfigDict, Field

from biont import Schema, Tool, ToolContext, make_tool
from biont.llm import NoArguments, ToolResult
from biont_integrations.integrations import INTEGRATIONS


class MessageArguments(Schema):
    """A message and the name of its integration."""

    model_config = ConfigDict(extra="forbid")

    integration: Annotated[str, Field(max_length=50)]
    title: Annotated[str, Field(min_length=1, max_length=200)]
    text: Annotated[str, Field(max_length=20_000)] = ""


async def _send_message(context: ToolContext, message: MessageArguments) -> ToolResult:
    await context.workbench.get(INTEGRATIONS).send(
        context.user_id, message.integration, message.title, message.text
    )
    return {"sent": True}


async def _list_integrations(context: ToolContext, _: NoArguments) -> ToolResult:
    return [*await context.workbench.get(INTEGRATIONS).list_names(context.user_id)]


TOOLS: Sequence[Tool] = (
    make_tool(
        "list_integrations", "List the names of the integrations.", NoArguments, _list_integrations
    ),
    make_tool(
        "send_message",
        "Send a message to people or systems outside, through an integration. The user has to "
        "approve it.",
        MessageArguments,
        _send_message,
        confirm=True,
    ),
)

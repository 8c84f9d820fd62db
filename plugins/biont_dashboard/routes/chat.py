"""Pages of the chat: a new conversation, and one with its messages; both beside the list."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from aiohttp import web

from biont import Request, RowId
from biont_dashboard.conversations import CONVERSATIONS, ShownConversation, read_conversation
from biont_dashboard.dialect import make_api
from biont_dashboard.model_choice import list_model_choices
from biont_dashboard.page import DashboardPage, open_page
from biont_dashboard.query_texts import QueryText
from biont_dashboard.visit import Listing, Object

_ROWS = 30
_READING = ("search_", "read_", "list_")

api = make_api()


@api.get("/dashboard/chat")
async def show_chat(request: Request, q: QueryText = "") -> web.Response:
    """Show the conversations, or messages that match words, and the form of a new one."""
    page = await open_page(request, plugin="chat")
    path = f"{CONVERSATIONS}/search" if q.strip() else CONVERSATIONS
    listing = await page.read_list(path, q=q.strip() or None, limit=_ROWS)
    return await _show(page, None, listing, q)


@api.get("/dashboard/chat/{conversation_id}")
async def show_conversation(request: Request, conversation_id: RowId) -> web.Response:
    """Show a conversation, with the tool calls and those that wait for an approval."""
    page = await open_page(request, plugin="chat")
    shown, rows = await asyncio.gather(
        read_conversation(page, conversation_id), page.read_rows(CONVERSATIONS, limit=_ROWS)
    )
    return await _show(page, shown, Listing(rows, None, None), "")


async def _show(
    page: DashboardPage, shown: ShownConversation | None, listing: Listing, query: str
) -> web.Response:
    model = "" if shown is None else str(shown.conversation["model"] or "")
    models, tools = await asyncio.gather(
        list_model_choices(page, model), page.read_rows("/api/v1/tools")
    )
    return await page.render(
        "chat/chat.html",
        panels_of="chat",
        shown=shown,
        listing=listing,
        query=query,
        model=model,
        models=models,
        tools=_list_tool_choices(tools),
    )


def _list_tool_choices(tools: Sequence[Object]) -> Sequence[tuple[str, str]]:
    """Return the sets of tools that a question can offer to the model."""
    names = [str(tool["name"]) for tool in tools]
    reading = [name for name in names if name.startswith(_READING)]
    choices = [("", "No tools")]
    if reading:
        choices.append((" ".join(reading), "Tools that read"))
    if names:
        choices.append((" ".join(names), "All tools"))
    return choices

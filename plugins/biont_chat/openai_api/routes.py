"""The routes below ``/v1``."""

from __future__ import annotations

from aiohttp import web

from biont import Api, Request, Scope
from biont.exceptions import InputProblem, InvalidInput
from biont.http import Dialect
from biont.llm import TOOLS
from biont_chat.answering import Exchange, answer_at_once, stream_answer
from biont_chat.conversations import Question
from biont_chat.openai_api.answers import (
    OpenAiWording,
    respond_problem,
    write_answer,
    write_models,
)
from biont_chat.openai_api.requests import CompletionRequest
from biont_chat.tables import Conversation
from biont_chat.tool_answers import check_tools, open_tool_exchange
from biont_llm import LANGUAGE_MODELS

_CHAT = frozenset({Scope.CHAT})

api = Api("openai", root="/v1", dialect=Dialect(respond_problem))


@api.post("/chat/completions", scopes=_CHAT, status=200, media_type="text/event-stream")
async def complete_chat(
    request: Request, body: CompletionRequest
) -> dict[str, object] | web.StreamResponse:
    """Complete a chat, as OpenAI's API does.

    The answer is an `ai_message` event. It is kept as a conversation with `store`, or in the
    conversation that `metadata.conversation_id` names.
    """
    exchange = await _prepare(request, body)
    created = int(request.workbench.clock.now().timestamp())
    with_usage = body.stream_options is not None and body.stream_options.include_usage
    wording = OpenAiWording(body.model, created, with_usage, hides_calls=bool(exchange.tools))
    if exchange.tools:
        tooled = await open_tool_exchange(exchange)
        if body.stream:
            return await tooled.stream(wording)
        answer, message = await tooled.answer_whole()
    elif body.stream:
        return await stream_answer(exchange, wording)
    else:
        answer, message = await answer_at_once(exchange)
    return write_answer(answer, created, message.conversation_id if message else None)


@api.get("/models", scopes=_CHAT)
async def list_openai_models(request: Request) -> dict[str, object]:
    """List the models that can be used now, as OpenAI's API does."""
    states = await request.workbench.get(LANGUAGE_MODELS).survey()
    return write_models((state.name, model.name) for state in states for model in state.models)


async def _prepare(request: Request, body: CompletionRequest) -> Exchange:
    asked, tools = body.read(), body.list_own_tools()
    check_tools(request, tools, "#/metadata/tools")
    keep = bool(body.store) or bool(body.metadata and body.metadata.conversation_id)
    if not keep and any(request.workbench.get(TOOLS)[name].confirm for name in tools):
        raise InvalidInput(
            InputProblem("a tool that has to be approved needs a conversation", "#/store")
        )
    said = [message.content for message in asked.messages if message.role == "user"]
    if not said:
        raise InvalidInput(InputProblem("must have a message of role user", "#/messages"))
    conversation_id = body.metadata.conversation_id if body.metadata else None
    if conversation_id is not None:
        await request.workbench.store.read(
            Conversation.get_owned, request.user_id, conversation_id
        )
    system = [message.content for message in asked.messages if message.role == "system"]
    question = Question(
        request.user_id,
        said[-1],
        conversation_id,
        system[0] if system else None,
        asked.model,
        keep=keep,
    )
    return Exchange(request, question, asked, tools)

"""Routes of OpenAI's API, below ``/v1``."""

from __future__ import annotations

from aiohttp import web

from biont import Api, Request, Scope
from biont.exceptions import InputProblem, InvalidInput
from biont.http import Dialect, RateClass
from biont.llm import TOOLS
from biont_chat.answering import Exchange, answer_at_once, stream_answer
from biont_chat.conversations import Question
from biont_chat.openai_api.answers import (
    STATUSES,
    OpenAiError,
    OpenAiEventFormat,
    make_completion,
    make_model_list,
    respond_problem,
)
from biont_chat.openai_api.requests import CompletionRequest
from biont_chat.tables import Conversation
from biont_chat.tool_answers import check_tools, open_tool_exchange
from biont_llm import LLM_GATEWAY

_CHAT = frozenset({Scope.CHAT})

api = Api(
    "openai",
    description="Chat for clients of OpenAI's API, with its paths and its errors.",
    root="/v1",
    dialect=Dialect(respond_problem, OpenAiError, statuses=STATUSES),
)


@api.post(
    "/chat/completions",
    scopes=_CHAT,
    status=200,
    media_type="text/event-stream",
    rate_class=RateClass.CHAT,
    problems=(429, 502, 504),
    example={"model": "local", "messages": [{"role": "user", "content": "Hello"}]},
)
async def complete_chat(
    request: Request, body: CompletionRequest
) -> dict[str, object] | web.StreamResponse:
    """Complete a chat, as in OpenAI's API.

    Each answer emits the event `ai_message`. `store` stores question and answer in a new
    conversation, `metadata.conversation_id` in an existing conversation.
    """
    exchange = await _prepare_exchange(request, body)
    created = int(request.workbench.clock.now().timestamp())
    with_usage = body.stream_options is not None and body.stream_options.include_usage
    event_format = OpenAiEventFormat(
        body.model, created, with_usage, hides_calls=bool(exchange.tools)
    )
    if exchange.tools:
        tool_exchange = await open_tool_exchange(exchange)
        if body.stream:
            return await tool_exchange.send_stream(event_format)
        answer, message = await tool_exchange.answer_whole()
    elif body.stream:
        return await stream_answer(exchange, event_format)
    else:
        answer, message = await answer_at_once(exchange)
    return make_completion(answer, created, message.conversation_id if message else None)


@api.get("/models", scopes=_CHAT)
async def list_openai_models(request: Request) -> dict[str, object]:
    """List the available models, as in OpenAI's API.

    The ids in the list are the values of `model` in requests. A key that is narrowed to some
    `models` gets these only.
    """
    gateway = request.workbench.get(LLM_GATEWAY)
    states = await gateway.read_backend_states(request.narrowing.models)
    return make_model_list((state.name, model.name) for state in states for model in state.models)


async def _prepare_exchange(request: Request, body: CompletionRequest) -> Exchange:
    chat_request, tools = body.to_chat_request(), body.list_workbench_tools()
    check_tools(request, tools, "#/metadata/tools")
    keep = bool(body.store) or bool(body.metadata and body.metadata.conversation_id)
    # The answer comes after the approval, when the client of this request is gone.
    if not keep and any(request.workbench.get(TOOLS)[name].confirm for name in tools):
        raise InvalidInput(
            InputProblem("a tool that needs approval needs a stored conversation", "#/store")
        )
    questions = [message.content for message in chat_request.messages if message.role == "user"]
    if not questions:
        raise InvalidInput(InputProblem("must have a message of role user", "#/messages"))
    conversation_id = body.metadata.conversation_id if body.metadata else None
    # Checked before the model is asked: an unknown conversation must not cost tokens.
    if conversation_id is not None:
        await request.workbench.store.read(
            Conversation.get_owned, request.user_id, conversation_id
        )
    system = [message.content for message in chat_request.messages if message.role == "system"]
    question = Question(
        request.user_id,
        # The earlier questions were stored by earlier requests.
        questions[-1],
        conversation_id,
        system[0] if system else None,
        chat_request.model,
        keep=keep,
    )
    # Without the stored history: the client sends the whole conversation.
    return Exchange(request, question, chat_request, tools)

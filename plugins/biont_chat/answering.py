"""Asks a model for the next turn of a conversation, and keeps it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from biont import Request
from biont.exceptions import BiontError
from biont.http import describe_error
from biont.llm import Answer, ChatRequest, LlmCall
from biont_chat.conversations import Question, Reply, keep_exchange
from biont_chat.history import read_request
from biont_chat.sse import EventResponse, Wording
from biont_chat.streams import STREAMS
from biont_chat.tables import ChatMessage
from biont_chat.views import StreamEnd
from biont_llm import LANGUAGE_MODELS, AnswerStream, LlmGateway


@dataclass(frozen=True)
class Exchange:
    """A question that a request brings, made ready to be asked.

    Attributes:
        request: who asks.
        question: what is said.
        asked: what the model is told.
        tools: the names of the tools that it may call.
    """

    request: Request
    question: Question
    asked: ChatRequest
    tools: Sequence[str] = ()

    @property
    def models(self) -> LlmGateway:
        """Who answers."""
        return self.request.workbench.get(LANGUAGE_MODELS)

    @property
    def call(self) -> LlmCall:
        """On whose behalf the model is called."""
        return LlmCall(
            user_id=self.question.user_id,
            key_id=self.request.key_id,
            conversation_id=self.question.conversation_id,
        )

    async def keep(self, reply: Reply) -> ChatMessage | None:
        """Keep question and answer together, if they are to be kept; return the answer."""
        workbench = self.request.workbench
        return await workbench.store.transact(
            keep_exchange, self.question, reply, workbench.clock.now()
        )


async def prepare_exchange(
    request: Request, question: Question, tools: Sequence[str] = ()
) -> Exchange:
    """Return a question with as much of its conversation as there is room for.

    Raises:
        NotFound: the conversation is gone, or it is somebody else's.
    """
    find_terms = request.workbench.get(LANGUAGE_MODELS).find_backend_limits
    asked = await request.workbench.store.read(read_request, question, find_terms)
    return Exchange(request, question, asked, tools)


async def answer_at_once(exchange: Exchange) -> tuple[Answer, ChatMessage | None]:
    """Return the whole answer, and what is kept of it by then.

    Raises:
        BackendError: there is none; the question is not kept either.
    """
    answer = await exchange.models.chat(exchange.asked, exchange.call)
    return answer, await exchange.keep(_make_reply(answer))


async def stream_answer(exchange: Exchange, wording: Wording) -> EventResponse:
    """Send the answer as it comes, until it ends, its client leaves, or all parts are to end.

    What has come by then is kept.

    Raises:
        BackendError: there is no answer, and nothing was sent yet.
    """
    response = EventResponse(exchange.request, wording)
    streams = exchange.request.workbench.get(STREAMS)
    answer: AnswerStream | None = None
    try:
        async with (
            streams.open(response),
            exchange.models.stream(exchange.asked, exchange.call) as answer,
        ):
            await _send_chunks(response, answer)
        end = await _keep_end(exchange, answer)
    except asyncio.CancelledError:  # by aiohttp, when stopping takes too long
        await _keep_end(exchange, answer)
        raise
    except BiontError as error:
        if not response.prepared:
            raise
        await response.send_last(wording.write_problem(describe_error(error)))
    else:
        await response.send_last(wording.write_end(end))
    return response


async def _send_chunks(response: EventResponse, answer: AnswerStream) -> None:
    try:
        await response.start()
        async for chunk in answer:
            await response.send_chunk(chunk)
    except ConnectionError:
        return  # the client has left


async def _keep_end(exchange: Exchange, answer: AnswerStream | None) -> StreamEnd:
    reply = _read_reply(answer) if answer else None
    message = await exchange.keep(reply) if reply else None
    return StreamEnd(
        conversation_id=message and message.conversation_id,
        message_id=message and message.id,
        model=reply and reply.model,
        backend=reply and reply.backend,
        finish_reason=answer.answer.finish_reason if answer and answer.answer else None,
        interrupted=reply is None or reply.interrupted,
    )


def _read_reply(stream: AnswerStream) -> Reply | None:
    """Return what has come of an answer; None for nothing."""
    if stream.answer is not None:
        return _make_reply(stream.answer)
    text = stream.text.strip()
    if not text:
        return None
    return Reply(text, stream.model, stream.backend, stream.usage, interrupted=True)


def _make_reply(answer: Answer) -> Reply:
    return Reply(answer.text, answer.model, answer.backend, answer.usage)

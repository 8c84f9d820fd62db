"""Chat exchanges: ask a model for the answer to a question, and store both.

States of an exchange:

    prepared --> asked --> answered --> stored
                   |
                   +--streamed--> streaming --complete--> stored
                                     |
                                     +--client left, shutdown--> stored as interrupted
                                     +--model broke off--> failed, nothing is stored

Question and answer are stored in a single transaction, together with the event `ai_message`, so
that no conversation has a question without an answer. A response ends after the transaction.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from biont import Request
from biont.exceptions import BiontError
from biont.http import describe_error
from biont.llm import Answer, ChatRequest, LlmCall
from biont_chat.conversations import Question, Reply, save_exchange
from biont_chat.history import make_chat_request
from biont_chat.schemas import StreamEnd
from biont_chat.sse import EventFormat, EventResponse
from biont_chat.streams import STREAMS
from biont_chat.tables import ChatMessage
from biont_llm import LLM_GATEWAY, AnswerStream, LlmGateway


@dataclass(frozen=True)
class Exchange:
    """Question of a request, prepared for a model.

    Attributes:
        request: the HTTP request.
        question: the question, as stored in the conversation.
        chat_request: the request to the model, with the history of the conversation.
        tools: names of the tools that the model may call.
    """

    request: Request
    question: Question
    chat_request: ChatRequest
    tools: Sequence[str] = ()

    @property
    def gateway(self) -> LlmGateway:
        """The gateway that answers."""
        return self.request.workbench.get(LLM_GATEWAY)

    @property
    def call(self) -> LlmCall:
        """The owners of the call."""
        return LlmCall(
            user_id=self.question.user_id,
            key_id=self.request.key_id,
            conversation_id=self.question.conversation_id,
        )

    async def save(self, reply: Reply) -> ChatMessage | None:
        """Store question and answer, and emit ``ai_message``.

        Returns:
            The message of the answer; None for a question that is not stored.
        """
        workbench = self.request.workbench
        return await workbench.store.transact(
            save_exchange, self.question, reply, workbench.clock.now()
        )


async def prepare_exchange(
    request: Request, question: Question, tools: Sequence[str] = ()
) -> Exchange:
    """Return a question with the part of its conversation that fits into the model's context.

    Raises:
        NotFound: the conversation does not exist, or belongs to another user.
    """
    find_limits = request.workbench.get(LLM_GATEWAY).find_backend_limits
    chat_request = await request.workbench.store.read(make_chat_request, question, find_limits)
    return Exchange(request, question, chat_request, tools)


async def answer_at_once(exchange: Exchange) -> tuple[Answer, ChatMessage | None]:
    """Return the whole answer, and its stored message.

    Raises:
        BackendError: no backend answered; the question is not stored.
    """
    answer = await exchange.gateway.chat(exchange.chat_request, exchange.call)
    return answer, await exchange.save(_make_reply(answer))


async def stream_answer(exchange: Exchange, event_format: EventFormat) -> EventResponse:
    """Send the answer as a stream; store the complete or interrupted answer.

    Raises:
        BackendError: no backend answered; no part of the response was sent.
    """
    response = EventResponse(exchange.request, event_format)
    streams = exchange.request.workbench.get(STREAMS)
    answer: AnswerStream | None = None
    try:
        async with (
            streams.open(response),
            exchange.gateway.stream(exchange.chat_request, exchange.call) as answer,
        ):
            await _send_chunks(response, answer)
        end = await _save_answer(exchange, answer)
    except asyncio.CancelledError:  # aiohttp cancels requests when the stop takes too long
        await _save_answer(exchange, answer)
        raise
    except BiontError as error:
        # Before the first byte, the error becomes a response with a status of its own.
        if not response.prepared:
            raise
        await response.send_last(event_format.format_problem(describe_error(error)))
    else:
        await response.send_last(event_format.format_end(end))
    return response


async def _send_chunks(response: EventResponse, answer: AnswerStream) -> None:
    try:
        await response.start()
        async for chunk in answer:
            await response.send_chunk(chunk)
    except ConnectionError:
        # The client has left; the caller stores the text that was sent.
        return


async def _save_answer(exchange: Exchange, answer: AnswerStream | None) -> StreamEnd:
    reply = _make_stream_reply(answer) if answer else None
    message = await exchange.save(reply) if reply else None
    return StreamEnd(
        conversation_id=message and message.conversation_id,
        message_id=message and message.id,
        model=reply and reply.model,
        backend=reply and reply.backend,
        finish_reason=answer.answer.finish_reason if answer and answer.answer else None,
        interrupted=reply is None or reply.interrupted,
    )


def _make_stream_reply(stream: AnswerStream) -> Reply | None:
    """Return the complete or interrupted answer of a stream; None for an empty stream."""
    if stream.answer is not None:
        return _make_reply(stream.answer)
    text = stream.text.strip()
    if not text:
        return None
    return Reply(text, stream.model, stream.backend, stream.usage, interrupted=True)


def _make_reply(answer: Answer) -> Reply:
    return Reply(answer.text, answer.model, answer.backend, answer.usage)

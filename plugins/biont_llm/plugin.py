"""Chat with a language model, and offer it to other plugins."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from biont import (
    Api,
    BackendFactory,
    ChatRequest,
    EventType,
    LlmCall,
    Message,
    Request,
    Scope,
    Workbench,
    hookimpl,
)
from biont.exceptions import InputProblem, InvalidInput
from biont_llm.local_backend import LocalBackend
from biont_llm.models import LANGUAGE_MODELS, LanguageModels
from biont_llm.openai_backend import OpenAiBackend
from biont_llm.routes import api as models_api
from biont_llm.settings import LlmSettings, OpenAiSettings
from biont_llm.terms import find_terms

# Message and answer fit into an event's payload whatever characters they are made of.
TEXT_LIMIT = 20_000

Text = Annotated[str, Field(min_length=1, max_length=TEXT_LIMIT)]
Name = Annotated[str, Field(min_length=1, max_length=200)]

api = Api("chat")
api.include(models_api)


class ChatMessage(BaseModel):
    """What is asked, and of whom."""

    model_config = ConfigDict(extra="forbid")

    message: Text
    system: Text | None = Field(
        None, description="What the model is told beforehand; null for the operator's words."
    )
    model: Name | None = Field(None, description="Who is to answer; null for the default.")
    backend: Name | None = Field(None, description="Who has the model; null for the default.")


class Usage(BaseModel):
    """What an answer cost; null where the model's server does not say."""

    prompt_tokens: int | None
    completion_tokens: int | None


class ChatAnswer(BaseModel):
    """What the model answered."""

    answer: str
    model: str = Field(description="Who answered, by the name its server gives.")
    backend: str
    usage: Usage


class AiMessage(BaseModel):
    """What was asked, and what the model answered."""

    message: str
    answer: str = Field(description=f"At most {TEXT_LIMIT} characters of it.")
    model: str
    backend: str


AI_MESSAGE = EventType("ai_message", AiMessage, "A language model has answered in chat.")


@hookimpl
def register_settings() -> type[LlmSettings]:
    """Return which model is asked."""
    return LlmSettings


@hookimpl
def register_routes() -> Api:
    """Return the route of the chat."""
    return api


@hookimpl
def register_event_types() -> Sequence[EventType]:
    """Return ``ai_message``."""
    return [AI_MESSAGE]


@hookimpl
def register_llm_backends(workbench: Workbench) -> Mapping[str, BackendFactory]:
    """Return the backends that are built in, and those that the settings name."""
    settings = workbench.plugin_settings("llm", LlmSettings)
    named = {name: _Maker(settings, name, server) for name, server in settings.backends.items()}
    return {"local": _make_local, "openai": _Maker(settings, "openai", settings.openai), **named}


@hookimpl
def lifespan(workbench: Workbench) -> AbstractAsyncContextManager[None]:
    """Offer all backends while the workbench runs."""
    return _offer(workbench)


@asynccontextmanager
async def _offer(workbench: Workbench) -> AsyncIterator[None]:
    settings = workbench.plugin_settings("llm", LlmSettings)
    models = LanguageModels(workbench, settings)
    workbench.provide(LANGUAGE_MODELS, models)
    try:
        yield
    finally:
        await models.close()


def _make_local(workbench: Workbench) -> LocalBackend:
    settings = workbench.plugin_settings("llm", LlmSettings)
    return LocalBackend(settings.local, max_tokens=settings.max_tokens, timeout=settings.timeout)


@dataclass(frozen=True)
class _Maker:
    """Makes the backend of a server."""

    settings: LlmSettings
    name: str
    server: OpenAiSettings

    def __call__(self, _: Workbench) -> OpenAiBackend:
        terms = find_terms(self.settings, self.name)
        return OpenAiBackend(
            self.server,
            max_tokens=terms.max_tokens,
            timeout=terms.timeout,
            place="plugins.llm."
            + (self.name if self.name == "openai" else f"backends.{self.name}"),
        )


@api.post("/chat", scopes=frozenset({Scope.CHAT}), status=200)
async def chat(request: Request, body: ChatMessage) -> ChatAnswer:
    """Ask a language model.

    The answer is an `ai_message` event too, which is durable by the time it is sent.
    """
    models = request.workbench.get(LANGUAGE_MODELS)
    backend = body.backend or models.default
    if backend not in models.backends:
        known = ", ".join(models.backends)
        raise InvalidInput(InputProblem(f"must be one of {known}", "#/backend"))
    messages = [Message("system", body.system)] if body.system else []
    messages.append(Message("user", body.message))
    model = body.model if body.backend is None else "/".join(filter(None, (backend, body.model)))
    answer = await models.chat(ChatRequest(messages, model), LlmCall(user_id=request.user_id))
    await request.workbench.events.emit(
        AI_MESSAGE.name,
        request.user_id,
        {
            "message": body.message,
            "answer": answer.text[:TEXT_LIMIT],
            "model": answer.model,
            "backend": answer.backend,
        },
    )
    return ChatAnswer(
        answer=answer.text,
        model=answer.model,
        backend=answer.backend,
        usage=Usage(
            prompt_tokens=answer.usage.prompt_tokens,
            completion_tokens=answer.usage.completion_tokens,
        ),
    )

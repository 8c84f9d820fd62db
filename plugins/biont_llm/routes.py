"""REST route of the available models."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from biont import Api, Request, Schema, Scope
from biont_llm.backend_health import BackendState
from biont_llm.gateway import LLM_GATEWAY, LlmGateway

api = Api("models", description="Language models and their availability.")


class ModelView(Schema):
    """An available model."""

    id: str = Field(description="Name for a request's `model`: `backend/model`.")
    context: int | None = Field(
        description="Tokens of prompt and answer together; null if unknown."
    )


class BackendView(Schema):
    """A backend and its state."""

    name: str
    default: bool = Field(description="True if requests without a model use this backend.")
    status: Literal["ok", "unavailable"]
    reason: str | None = Field(description="Cause of the status `unavailable`.")
    models: list[ModelView]


class BackendList(Schema):
    """All backends, in alphabetical order."""

    data: list[BackendView]


@api.get("/models", scopes=frozenset({Scope.CHAT}))
async def list_models(request: Request) -> BackendList:
    """List the models of all backends.

    Each request asks all backends, so the list also shows which backends are available. A key
    that is narrowed to some `models` gets these only.
    """
    gateway = request.workbench.get(LLM_GATEWAY)
    states = await gateway.read_backend_states(request.narrowing.models)
    return BackendList(data=[make_backend_view(state, gateway) for state in states])


def make_backend_view(state: BackendState, gateway: LlmGateway) -> BackendView:
    """Return the REST representation of a backend's state."""
    return BackendView(
        name=state.name,
        default=state.name == gateway.default,
        status="ok" if state.error is None else "unavailable",
        reason=None if state.error is None else str(state.error),
        models=[
            ModelView(id=f"{state.name}/{model.name}", context=model.context)
            for model in state.models
        ],
    )

"""The route that tells which models there are."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from biont import Api, Request, Schema
from biont_llm.backend_health import BackendState
from biont_llm.gateway import LANGUAGE_MODELS, LlmGateway

api = Api("models")


class ModelView(Schema):
    """A model that may be asked."""

    id: str = Field(description="As a request's `model` names it: `backend/model`.")
    context: int | None = Field(
        description="Tokens that question and answer may have together; null if not known."
    )


class BackendView(Schema):
    """A way to models, and whether it can be used now."""

    name: str
    default: bool = Field(description="Whether it is asked where a request names no model.")
    status: Literal["ok", "unavailable"]
    reason: str | None = Field(description="Why it is unavailable.")
    models: list[ModelView]


class BackendList(Schema):
    """All backends, in alphabetical order."""

    data: list[BackendView]


@api.get("/models")
async def list_models(request: Request) -> BackendList:
    """List the models of all backends.

    Each backend is asked now, so this also tells which of them can be used.
    """
    models = request.workbench.get(LANGUAGE_MODELS)
    return BackendList(data=[_show(state, models) for state in await models.survey()])


def _show(state: BackendState, models: LlmGateway) -> BackendView:
    return BackendView(
        name=state.name,
        default=state.name == models.default,
        status="ok" if state.error is None else "unavailable",
        reason=None if state.error is None else str(state.error),
        models=[
            ModelView(id=f"{state.name}/{model.name}", context=model.context)
            for model in state.models
        ],
    )

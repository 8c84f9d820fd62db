"""The route that tells which models there are."""

from __future__ import annotations

import asyncio
from typing import Literal

from pydantic import BaseModel, Field

from biont import Api, Request
from biont.exceptions import BackendError, BackendTimeout
from biont_llm.models import LANGUAGE_MODELS, LanguageModels

PATIENCE = 5.0
"""How long a backend may take to tell its models, in seconds."""

api = Api("models")


class ModelView(BaseModel):
    """A model that may be asked."""

    id: str = Field(description="As a request's `model` names it: `backend/model`.")
    context: int | None = Field(
        description="Tokens that question and answer may have together; null if not known."
    )


class BackendView(BaseModel):
    """A way to models, and whether it can be used now."""

    name: str
    default: bool = Field(description="Whether it is asked where a request names no model.")
    status: Literal["ok", "unavailable"]
    reason: str | None = Field(description="Why it is unavailable.")
    models: list[ModelView]


class BackendList(BaseModel):
    """All backends, in alphabetical order."""

    data: list[BackendView]


@api.get("/models")
async def list_models(request: Request) -> BackendList:
    """List the models of all backends.

    Each backend is asked now, so this also tells which of them can be used.
    """
    models = request.workbench.get(LANGUAGE_MODELS)
    views = await asyncio.gather(*(_ask(models, name) for name in models.backends))
    return BackendList(data=list(views))


async def _ask(models: LanguageModels, name: str) -> BackendView:
    is_default = name == models.default
    try:
        async with asyncio.timeout(PATIENCE):
            found = await models.list_models(name)
    except TimeoutError:
        error: BackendError = BackendTimeout(f"no answer within {PATIENCE:g} s")
    except BackendError as caught:
        error = caught
    else:
        shown = [ModelView(id=f"{name}/{info.name}", context=info.context) for info in found]
        return BackendView(name=name, default=is_default, status="ok", reason=None, models=shown)
    return BackendView(
        name=name, default=is_default, status="unavailable", reason=str(error), models=[]
    )

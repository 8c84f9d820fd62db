# Written by tests/client/generate.py from the API document. Do not edit.
"""Operations of the group ``models``: language models and their availability."""

from __future__ import annotations

from typing import Literal, TypedDict

from biont.client.call import make_call
from biont.client.groups import AsyncOperationGroup, OperationGroup


class BackendList(TypedDict):
    """All backends, in alphabetical order."""

    data: list[BackendView]


class BackendView(TypedDict):
    """A backend and its state.

    Attributes:
        default: True if requests without a model use this backend.
        reason: Cause of the status `unavailable`.
    """

    name: str
    default: bool
    status: Literal["ok", "unavailable"]
    reason: str | None
    models: list[ModelView]


class ModelView(TypedDict):
    """An available model.

    Attributes:
        id: Name for a request's `model`: `backend/model`.
        context: Tokens of prompt and answer together; null if unknown.
    """

    id: str
    context: int | None


class Models(OperationGroup):
    """Language models and their availability."""

    def list(
        self,
        *,
        fields: str | None = None,
    ) -> BackendList:
        """List the models of all backends.

        Each request asks all backends, so the list also shows which backends are available. A
        key
        that is narrowed to some `models` gets these only.

        Needs an API key of scope `full` or `read` or `chat`.

        Args:
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return self._read(
            BackendList,
            make_call("GET", "/api/v1/models", query={"fields": fields}),
        )


class AsyncModels(AsyncOperationGroup):
    """Language models and their availability."""

    async def list(
        self,
        *,
        fields: str | None = None,
    ) -> BackendList:
        """List the models of all backends.

        Each request asks all backends, so the list also shows which backends are available. A
        key
        that is narrowed to some `models` gets these only.

        Needs an API key of scope `full` or `read` or `chat`.

        Args:
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return await self._read(
            BackendList,
            make_call("GET", "/api/v1/models", query={"fields": fields}),
        )

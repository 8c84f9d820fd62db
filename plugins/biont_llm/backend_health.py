"""Backend health: the models of a backend, or the error that makes the backend unavailable."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from biont.exceptions import BackendError, BackendTimeout
from biont.llm import Backend, ModelInfo

_TIMEOUT = 5.0
"""Seconds within which a backend has to list its models."""


@dataclass(frozen=True)
class BackendState:
    """State of a backend.

    Attributes:
        name: name of the backend.
        models: available models.
        error: cause of an unavailable backend; None for an available backend.
    """

    name: str
    models: Sequence[ModelInfo] = ()
    error: BackendError | None = None


async def read_backend_state(name: str, backend: Backend) -> BackendState:
    """Ask `backend` for its models; return its state."""
    try:
        async with asyncio.timeout(_TIMEOUT):
            return BackendState(name, await backend.list_models())
    except TimeoutError:
        return BackendState(name, error=BackendTimeout(f"no answer within {_TIMEOUT:g} s"))
    except BackendError as error:
        return BackendState(name, error=error)

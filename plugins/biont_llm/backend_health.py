"""Which models a backend has, and whether it can be used."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from biont.exceptions import BackendError, BackendTimeout
from biont.llm import Backend, ModelInfo

PATIENCE = 5.0
"""How long a backend may take to tell its models, in seconds."""


@dataclass(frozen=True)
class BackendState:
    """How a backend is.

    Attributes:
        name: what it is called.
        models: those that may be asked.
        error: why none may be; None if it is well.
    """

    name: str
    models: Sequence[ModelInfo] = ()
    error: BackendError | None = None


async def read_backend_state(name: str, backend: Backend) -> BackendState:
    """Return how a backend is; it is asked now."""
    try:
        async with asyncio.timeout(PATIENCE):
            return BackendState(name, await backend.list_models())
    except TimeoutError:
        return BackendState(name, error=BackendTimeout(f"no answer within {PATIENCE:g} s"))
    except BackendError as error:
        return BackendState(name, error=error)

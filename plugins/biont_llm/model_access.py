"""Model access: the models that a key which is narrowed to some models may use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from biont_llm.backend_health import BackendState
from biont_llm.model_routing import Target


def is_permitted(backend: str, model: str, allowed: Sequence[Target]) -> bool:
    """Return whether a model of a backend is one of `allowed`; no model means all of a backend."""
    return any(target.backend == backend and target.model in (None, model) for target in allowed)


def select_models(state: BackendState, allowed: Sequence[Target]) -> BackendState:
    """Return the state of a backend with the permitted models only."""
    models = [each for each in state.models if is_permitted(state.name, each.name, allowed)]
    return replace(state, models=models)

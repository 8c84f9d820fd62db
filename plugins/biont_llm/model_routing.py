"""Model routing: finds the backend and the model that a request's ``model`` names."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Target:
    """Model of a backend.

    Attributes:
        backend: name of the backend.
        model: name of a model of the backend; None for the backend's default.
    """

    backend: str
    model: str | None = None


def choose_target(
    model: str, backends: Collection[str], models: Mapping[str, Collection[str]], default: str
) -> Target:
    """Return the target that `model` names.

    Args:
        model: a known model, ``backend/model``, a backend, or an unknown model.
        backends: names of all backends.
        models: names of the known models of each backend.
        default: the backend that is asked for an unknown model.
    """
    # Known models first: the name of a model may itself contain a slash ("org/model").
    for backend in (default, *backends):
        if model in models.get(backend, ()):
            return Target(backend, model)
    prefix, slash, rest = model.partition("/")
    if prefix in backends and (rest or not slash):
        return Target(prefix, rest or None)
    return Target(default, model)

"""Whom a request's ``model`` means."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Target:
    """A model of a backend.

    Attributes:
        backend: its name.
        model: one of its models; None for its own default.
    """

    backend: str
    model: str | None = None


def choose_target(
    model: str, backends: Collection[str], models: Mapping[str, Collection[str]], default: str
) -> Target:
    """Return whom `model` means.

    Args:
        model: a model that is known, ``backend/model``, a backend, or another model.
        backends: the names of all.
        models: the names of models that are known to belong to each.
        default: the backend that is asked for a model nobody knows.
    """
    for backend in (default, *backends):
        if model in models.get(backend, ()):
            return Target(backend, model)
    prefix, slash, rest = model.partition("/")
    if prefix in backends and (rest or not slash):
        return Target(prefix, rest or None)
    return Target(default, model)

"""What the settings say of each backend, whoever provides it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from biont_llm.settings import Limits, LlmSettings


@dataclass(frozen=True)
class BackendLimits:
    """How one backend is asked.

    Attributes:
        timeout: how long one answer may take, in seconds.
        retries: how often a question is asked again that could not be taken.
        longest_pause: how long a pause before a retry may be, in seconds.
        concurrency: how many questions are under way at most.
        circuit_failures: after how many failures in a row it is left alone for a while.
        circuit_pause: how long that while is, in seconds.
        max_tokens: how long an answer may get where a request does not say it.
        context: how many tokens question and answer may have together; None if not known.
        models: the names of models that belong to it, the default first.
        native_tools: whether its models call tools; others are asked for JSON instead.
    """

    timeout: float
    retries: int
    longest_pause: float
    concurrency: int
    circuit_failures: int
    circuit_pause: float
    max_tokens: int
    context: int | None = None
    models: tuple[str, ...] = ()
    native_tools: bool = True


def find_backend_limits(settings: LlmSettings, backend: str) -> BackendLimits:
    """Return the terms of the backend of that name."""
    named = settings.backends.get(backend)
    server = settings.openai if backend == "openai" else named
    limits = (named or Limits()).model_dump(include=set(Limits.model_fields), exclude_none=True)
    common = settings.model_dump(
        include={*Limits.model_fields, "longest_pause", "circuit_failures", "circuit_pause"}
    )
    terms = BackendLimits(**{**common, **limits})
    if backend == "local":
        return replace(terms, context=settings.local.context, native_tools=False)
    if server is None:
        return terms
    return replace(
        terms,
        context=server.context,
        models=(server.model, *server.models),
        native_tools=server.native_tools,
    )

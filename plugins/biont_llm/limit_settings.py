"""Limits of a backend: the backend's own settings over the settings for all backends."""

from __future__ import annotations

from dataclasses import dataclass, replace

from biont_llm.settings import Limits, LlmSettings


@dataclass(frozen=True)
class BackendLimits:
    """Limits of one backend.

    Attributes:
        timeout: longest duration of one attempt, in seconds.
        retries: number of attempts after the first.
        longest_pause: longest delay before a retry, in seconds.
        concurrency: greatest number of calls under way.
        circuit_failures: number of failures in a row that open the circuit breaker.
        circuit_pause: duration of an open circuit breaker, in seconds.
        max_tokens: longest answer, for requests without a limit.
        context: tokens of prompt and answer together; None if unknown.
        models: names of the backend's known models, the default first.
        native_tools: whether the models call tools; other models get a JSON schema instead.
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
    """Return the limits of the backend with the name `backend`."""
    named = settings.backends.get(backend)
    server = settings.openai if backend == "openai" else named
    own = (named or Limits()).model_dump(include=set(Limits.model_fields), exclude_none=True)
    common = settings.model_dump(
        include={*Limits.model_fields, "longest_pause", "circuit_failures", "circuit_pause"}
    )
    limits = BackendLimits(**{**common, **own})
    if backend == "local":
        return replace(limits, context=settings.local.context, native_tools=False)
    if server is None:
        return limits
    return replace(
        limits,
        context=server.context,
        models=(server.model, *server.models),
        native_tools=server.native_tools,
    )

"""What asks a model in tests: the plugin's own parts, over backends of a test's choice."""

from __future__ import annotations

from collections.abc import Mapping

from plugins.llm.scripted_server import MODEL
from pydantic import HttpUrl, SecretStr

from biont import Backend, BackendFactory, Message, SystemClock, Workbench, load_settings
from biont_llm import LanguageModels
from biont_llm.openai_backend import OpenAiBackend
from biont_llm.settings import LlmSettings, OpenAiSettings

CAPITAL = [Message("user", "What is the capital of France?")]
BRIEF_CAPITAL = [Message("system", LlmSettings().system_prompt), *CAPITAL]
"""For the small model, which babbles until its limit if it is not told to be brief."""


def make_openai(
    url: str,
    *,
    key: str = "",
    model: str = MODEL,
    timeout: float = 10,
    temperature: float | None = 0,
) -> OpenAiBackend:
    """Return a backend for the server at `url`."""
    settings = OpenAiSettings(
        base_url=HttpUrl(url), api_key=SecretStr(key), model=model, temperature=temperature
    )
    return OpenAiBackend(settings, max_tokens=64, timeout=timeout)


def make_models(
    backends: Mapping[str, Backend], *, timeout: float = 30, concurrency: int = 4
) -> LanguageModels:
    """Put the defaults of the settings before `backends`, of which the first is the default."""

    def lend(backend: Backend) -> BackendFactory:
        return lambda _: backend

    return LanguageModels(
        {name: lend(backend) for name, backend in backends.items()},
        Workbench(load_settings(None, environ={}), SystemClock()),
        default=next(iter(backends)),
        system_prompt=LlmSettings().system_prompt,
        timeout=timeout,
        concurrency=concurrency,
    )

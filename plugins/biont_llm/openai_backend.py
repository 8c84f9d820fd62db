"""The backend ``openai``: any server that speaks OpenAI's protocol."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from biont import Completion, Message
from biont_llm.answers import read_answer
from biont_llm.settings import OpenAiSettings

if TYPE_CHECKING:
    from biont_llm.openai_client import OpenAiClient


class OpenAiBackend:
    """Asks a server for chat completions, each exactly once.

    Args:
        settings: which server, with which key, for which model.
        max_tokens: how long an answer may get.
        timeout: how long the server may be silent, in seconds.
    """

    def __init__(self, settings: OpenAiSettings, *, max_tokens: int, timeout: float) -> None:
        self._settings = settings
        self._timeout = timeout
        self._options: dict[str, float] = {settings.limit_name: max_tokens}
        if settings.temperature is not None:
            self._options["temperature"] = settings.temperature
        self._opening = asyncio.Lock()
        self._client: OpenAiClient | None = None

    async def complete(
        self, messages: Sequence[Message], *, model: str | None = None
    ) -> Completion:
        """Return the model's answer to `messages`.

        Raises:
            BackendError: there is no answer, or none that can be trusted to be whole.
        """
        client = await self._open_client()
        body = await client.ask(model or self._settings.model, messages, self._options)
        return read_answer(body)

    async def close(self) -> None:
        """Close all connections, also those that wait for an answer."""
        if self._client is not None:
            await self._client.close()

    async def _open_client(self) -> OpenAiClient:
        async with self._opening:
            if self._client is None:
                self._client = await asyncio.to_thread(
                    _import_and_make, self._settings, self._timeout
                )
            return self._client


def _import_and_make(settings: OpenAiSettings, timeout: float) -> OpenAiClient:
    # Half a second, which only those wait for who need it.
    from biont_llm.openai_client import OpenAiClient  # noqa: PLC0415

    return OpenAiClient(settings, timeout)

"""The backends of kind ``openai``: any server that speaks OpenAI's protocol."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING

from biont.exceptions import BackendMissing
from biont.llm import ChatRequest, Chunk, Completion, ModelInfo
from biont_llm.openai.request_body import RequestDefaults, make_request_body
from biont_llm.openai.response_body import read_answer
from biont_llm.openai.sse_response import EventStream
from biont_llm.settings import OpenAiSettings

if TYPE_CHECKING:
    from biont_llm.openai.client import OpenAiClient


class OpenAiBackend:
    """Asks a server for chat completions, each exactly once.

    Args:
        settings: which server, with which key, for which model.
        max_tokens: how long an answer may get where a request does not say it.
        timeout: how long the server may be silent, in seconds.
        place: where `settings` stand, for messages.
    """

    def __init__(
        self,
        settings: OpenAiSettings,
        *,
        max_tokens: int,
        timeout: float,
        place: str = "plugins.llm.openai",
    ) -> None:
        self._settings = settings
        self._timeout = timeout
        self._place = place
        self._defaults = RequestDefaults(
            settings.model, max_tokens, settings.temperature, settings.limit_name
        )
        self._opening = asyncio.Lock()
        self._client: OpenAiClient | None = None

    async def chat(self, request: ChatRequest) -> Completion:
        """Return the model's answer.

        Raises:
            BackendError: there is no answer, or none that can be trusted to be whole.
        """
        client = await self._open_client()
        return read_answer(
            await client.ask(make_request_body(request, self._defaults, stream=False))
        )

    async def stream(self, request: ChatRequest) -> AsyncGenerator[Chunk, None]:
        """Yield the model's answer as it comes.

        Raises:
            BackendError: there is no answer, or it broke off.
        """
        client = await self._open_client()
        answer = EventStream()
        question = make_request_body(request, self._defaults, stream=True)
        async with aclosing(client.follow(question)) as parts:
            async for part in parts:
                for chunk in answer.feed(part):
                    yield chunk
        for last in answer.finish():
            yield last

    async def list_models(self) -> Sequence[ModelInfo]:
        """Return the server's models.

        Raises:
            BackendError: there is no list, or no key for a server that wants one.
        """
        if self._settings.is_openai and not self._settings.api_key.get_secret_value():
            raise BackendMissing(f"{self._place}.api_key is not set")
        client = await self._open_client()
        return [ModelInfo(name, self._settings.context) for name in await client.list_models()]

    async def close(self) -> None:
        """Close all connections, also those that wait for an answer."""
        if self._client is not None:
            await self._client.close()

    async def _open_client(self) -> OpenAiClient:
        async with self._opening:
            if self._client is None:
                self._client = await asyncio.to_thread(
                    _import_and_make, self._settings, self._timeout, self._place
                )
            return self._client


def _import_and_make(settings: OpenAiSettings, timeout: float, place: str) -> OpenAiClient:
    from biont_llm.openai.client import OpenAiClient  # noqa: PLC0415  # it takes half a second

    return OpenAiClient(settings, timeout, place)

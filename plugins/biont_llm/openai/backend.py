"""Backends of the kind ``openai``: servers that speak OpenAI's protocol."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING

from biont.exceptions import BackendMissing
from biont.llm import ChatRequest, Chunk, Completion, ModelInfo
from biont_llm.openai.request_body import RequestDefaults, make_request_body
from biont_llm.openai.response_body import parse_completion
from biont_llm.openai.sse_response import StreamParser
from biont_llm.settings import OpenAiSettings

if TYPE_CHECKING:
    from biont_llm.openai.client import OpenAiClient


class OpenAiBackend:
    """Backend of one server; makes a single attempt for each call.

    Args:
        settings: URL, key and default model.
        max_tokens: longest answer, for requests without a limit.
        timeout: longest silence of the server, in seconds.
        settings_path: path of `settings` in the settings file, for error messages.
    """

    def __init__(
        self,
        settings: OpenAiSettings,
        *,
        max_tokens: int,
        timeout: float,
        settings_path: str = "plugins.llm.openai",
    ) -> None:
        self._settings = settings
        self._timeout = timeout
        self._settings_path = settings_path
        self._defaults = RequestDefaults(
            settings.model, max_tokens, settings.temperature, settings.limit_name
        )
        self._opening = asyncio.Lock()
        self._client: OpenAiClient | None = None

    async def chat(self, request: ChatRequest) -> Completion:
        """Return the model's answer.

        Raises:
            BackendError: the server gave no complete answer.
        """
        client = await self._open_client()
        return parse_completion(
            await client.post_chat(make_request_body(request, self._defaults, stream=False))
        )

    async def stream(self, request: ChatRequest) -> AsyncGenerator[Chunk, None]:
        """Yield the model's answer chunk by chunk.

        Raises:
            BackendError: the server gave no answer, or broke off.
        """
        client = await self._open_client()
        parser = StreamParser()
        body = make_request_body(request, self._defaults, stream=True)
        async with aclosing(client.stream_chat(body)) as parts:
            async for part in parts:
                for chunk in parser.feed(part):
                    yield chunk
        for last in parser.finish():
            yield last

    async def list_models(self) -> Sequence[ModelInfo]:
        """Return the server's models.

        Raises:
            BackendError: the server sent no list, or OpenAI has no key in the settings.
        """
        if self._settings.is_openai and not self._settings.api_key.get_secret_value():
            raise BackendMissing(f"{self._settings_path}.api_key is not set")
        client = await self._open_client()
        return [
            ModelInfo(name, self._settings.context) for name in await client.list_model_names()
        ]

    async def close(self) -> None:
        """Close all connections, also connections with a pending answer."""
        if self._client is not None:
            await self._client.close()

    async def _open_client(self) -> OpenAiClient:
        async with self._opening:
            if self._client is None:
                # In a thread, because the import of the library takes half a second.
                self._client = await asyncio.to_thread(
                    _import_and_make_client, self._settings, self._timeout, self._settings_path
                )
            return self._client


def _import_and_make_client(
    settings: OpenAiSettings, timeout: float, settings_path: str
) -> OpenAiClient:
    from biont_llm.openai.client import OpenAiClient  # noqa: PLC0415  # takes half a second

    return OpenAiClient(settings, timeout, settings_path)

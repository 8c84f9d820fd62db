"""The backend ``local``: a small real model inside the workbench's own process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path

from pydantic import HttpUrl, SecretStr

from biont.exceptions import BackendRefused
from biont.llm import ChatRequest, Chunk, Completion, ModelInfo
from biont_llm.local.llama_server import LocalServer, find_installed
from biont_llm.local.model_file import find_model, name_model
from biont_llm.openai.backend import OpenAiBackend
from biont_llm.settings import LocalSettings, OpenAiSettings


@dataclass(frozen=True)
class _Running:
    server: LocalServer
    client: OpenAiBackend


class LocalBackend:
    """Starts llama.cpp's server at first use and asks it like any other.

    Args:
        settings: which model, and how it runs.
        folder: of the model that ``biont models pull`` fetches.
        max_tokens: how long an answer may get.
        timeout: how long the model may take for an answer, in seconds.
    """

    def __init__(
        self, settings: LocalSettings, folder: Path, *, max_tokens: int, timeout: float
    ) -> None:
        self._settings = settings
        self._folder = folder
        self._max_tokens = max_tokens
        self._timeout = timeout
        self._starting = asyncio.Lock()
        self._running: _Running | None = None

    async def chat(self, request: ChatRequest) -> Completion:
        """Return the model's answer.

        Raises:
            BackendMissing: the packages are missing, or the model cannot be loaded.
            BackendError: there is no answer.
        """
        return await (await self._open(request)).chat(request)

    async def stream(self, request: ChatRequest) -> AsyncGenerator[Chunk, None]:
        """Yield the model's answer as it comes.

        Raises:
            BackendMissing: the packages are missing, or the model cannot be loaded.
            BackendError: there is no answer, or it broke off.
        """
        client = await self._open(request)
        async with aclosing(client.stream(request)) as chunks:
            async for chunk in chunks:
                yield chunk

    async def list_models(self) -> Sequence[ModelInfo]:
        """Return the one model; it is not loaded for that.

        Raises:
            BackendMissing: the packages are missing, or the file is.
        """
        path = find_installed(self._settings.model_path, self._folder)
        return [ModelInfo(name_model(path), self._settings.context)]

    async def close(self) -> None:
        """Stop the server and free the model's memory."""
        if self._running is not None:
            running, self._running = self._running, None
            await running.client.close()
            running.server.close()

    async def _open(self, request: ChatRequest) -> OpenAiBackend:
        running = await self._start()
        known = running.server.model
        if request.model not in (None, known):
            raise BackendRefused(
                f"the backend local has the model {known!r} only, not {request.model!r}"
            )
        return running.client

    async def _start(self) -> _Running:
        async with self._starting:
            if self._running is None:
                server = await asyncio.to_thread(
                    LocalServer,
                    find_model(self._settings.model_path, self._folder),
                    context=self._settings.context,
                    threads=self._settings.threads,
                )
                self._running = _Running(server, self._connect(server))
            return self._running

    def _connect(self, server: LocalServer) -> OpenAiBackend:
        settings = OpenAiSettings(
            base_url=HttpUrl(server.url),
            api_key=SecretStr(server.api_key),
            model=server.model,
            temperature=self._settings.temperature,
        )
        return OpenAiBackend(settings, max_tokens=self._max_tokens, timeout=self._timeout)

"""Backend ``local``: a language model inside the workbench's process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path

from pydantic import HttpUrl, SecretStr

from biont.exceptions import ModelNotFound
from biont.llm import ChatRequest, Chunk, Completion, ModelInfo
from biont_llm.local.llama_server import LlamaServer, find_runnable_model
from biont_llm.local.model_file import find_model, name_model
from biont_llm.openai.backend import OpenAiBackend
from biont_llm.settings import LocalSettings, OpenAiSettings


@dataclass(frozen=True)
class _RunningModel:
    server: LlamaServer
    client: OpenAiBackend


class LocalBackend:
    """Backend that starts llama.cpp's server at the first call, and asks the server over HTTP.

    Args:
        settings: the model file, and the parameters of llama.cpp.
        folder: folder of the model that ``biont models pull`` fetches.
        max_tokens: longest answer, for requests without a limit.
        timeout: longest silence of the model, in seconds.
    """

    def __init__(
        self, settings: LocalSettings, folder: Path, *, max_tokens: int, timeout: float
    ) -> None:
        self._settings = settings
        self._folder = folder
        self._max_tokens = max_tokens
        self._timeout = timeout
        self._starting = asyncio.Lock()
        self._running: _RunningModel | None = None

    async def chat(self, request: ChatRequest) -> Completion:
        """Return the model's answer.

        Raises:
            BackendMissing: a package is missing, or the model cannot be loaded.
            BackendError: the model gave no complete answer.
        """
        return await (await self._open_client(request)).chat(request)

    async def stream(self, request: ChatRequest) -> AsyncGenerator[Chunk, None]:
        """Yield the model's answer chunk by chunk.

        Raises:
            BackendMissing: a package is missing, or the model cannot be loaded.
            BackendError: the model gave no answer, or broke off.
        """
        client = await self._open_client(request)
        async with aclosing(client.stream(request)) as chunks:
            async for chunk in chunks:
                yield chunk

    async def list_models(self) -> Sequence[ModelInfo]:
        """Return the local model, without loading the model.

        Raises:
            BackendMissing: a package or the model file is missing.
        """
        path = find_runnable_model(self._settings.model_path, self._folder)
        return [ModelInfo(name_model(path), self._settings.context)]

    async def close(self) -> None:
        """Stop the server and free the model's memory."""
        if self._running is not None:
            running, self._running = self._running, None
            # The clients first: the server waits for its open connections.
            await running.client.close()
            running.server.close()

    async def _open_client(self, request: ChatRequest) -> OpenAiBackend:
        running = await self._start()
        model = running.server.model
        if request.model not in (None, model):
            raise ModelNotFound(
                f"the backend local has the model {model!r} only, not {request.model!r}"
            )
        return running.client

    async def _start(self) -> _RunningModel:
        # The lock lets the first of several calls load the model, and the others wait.
        async with self._starting:
            if self._running is None:
                server = await asyncio.to_thread(
                    LlamaServer,
                    find_model(self._settings.model_path, self._folder),
                    context=self._settings.context,
                    threads=self._settings.threads,
                )
                self._running = _RunningModel(server, self._make_client(server))
            return self._running

    def _make_client(self, server: LlamaServer) -> OpenAiBackend:
        settings = OpenAiSettings(
            base_url=HttpUrl(server.url),
            api_key=SecretStr(server.api_key),
            model=server.model,
            temperature=self._settings.temperature,
        )
        return OpenAiBackend(settings, max_tokens=self._max_tokens, timeout=self._timeout)

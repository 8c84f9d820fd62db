"""LLM backend of a plugin, which cannot end the process."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence

from biont.contract.llm import Backend, BackendFactory, ChatRequest, Chunk, Completion, ModelInfo
from biont.runtime.containment import contain_exit
from biont.workbench import Workbench


class ContainedBackend:
    """Backend that calls another backend, and contains its exits.

    Args:
        backend: the backend of a plugin.
    """

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    async def chat(self, request: ChatRequest) -> Completion:
        """Return the model's answer."""
        with contain_exit():
            return await self._backend.chat(request)

    async def stream(self, request: ChatRequest) -> AsyncGenerator[Chunk, None]:
        """Yield the model's answer chunk by chunk."""
        with contain_exit():
            chunks = self._backend.stream(request)
        try:
            while True:
                # Without the `yield`, where the consumer closes this generator.
                with contain_exit():
                    chunk = await anext(chunks, None)
                if chunk is None:
                    return
                yield chunk
        finally:
            with contain_exit():
                await chunks.aclose()

    async def list_models(self) -> Sequence[ModelInfo]:
        """Return the available models."""
        with contain_exit():
            return await self._backend.list_models()

    async def close(self) -> None:
        """Release connections and memory."""
        with contain_exit():
            await self._backend.close()


def contain_factory(factory: BackendFactory) -> BackendFactory:
    """Return a factory whose backends cannot end the process."""

    def make(workbench: Workbench) -> Backend:
        with contain_exit():
            return ContainedBackend(factory(workbench))

    return make

"""Plugin `llm`: the gateway to language models, its routes, tables and commands."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import click

from biont import Api, Tables, Workbench, hookimpl
from biont.http import BUDGETS
from biont.llm import BackendFactory
from biont.store import delete_old_rows
from biont_llm.accounting.call_log import StoredCallLog
from biont_llm.accounting.retention import delete_old_calls
from biont_llm.accounting.routes import api as usage_api
from biont_llm.accounting.tables import RecordedCall
from biont_llm.gateway import LLM_GATEWAY, LlmGateway
from biont_llm.limit_settings import find_backend_limits
from biont_llm.local.backend import LocalBackend
from biont_llm.local.model_file import find_folder
from biont_llm.openai.backend import OpenAiBackend
from biont_llm.routes import api as models_api
from biont_llm.settings import LlmSettings, OpenAiSettings


@hookimpl
def register_settings() -> type[LlmSettings]:
    """Return the section ``plugins.llm``."""
    return LlmSettings


@hookimpl
def register_tables() -> Tables:
    """Return the table of recorded calls."""
    return Tables(Path(__file__).parent / "migrations", [RecordedCall])


@hookimpl
def register_routes() -> Api:
    """Return the routes of models and of usage."""
    routes = Api("models")
    routes.include(models_api)
    routes.include(usage_api)
    return routes


@hookimpl
def register_llm_backends(workbench: Workbench) -> Mapping[str, BackendFactory]:
    """Return the built-in backends, and the backends that the settings name."""
    settings = workbench.plugin_settings("llm", LlmSettings)
    named = {
        name: _OpenAiFactory(settings, name, server) for name, server in settings.backends.items()
    }
    openai = _OpenAiFactory(settings, "openai", settings.openai)
    return {"local": _make_local_backend, "openai": openai, **named}


@hookimpl
def register_commands(cli: click.Group) -> None:
    """Add ``biont models``."""
    from biont_llm.commands import models  # noqa: PLC0415  # a server needs no commands

    cli.add_command(models)


@hookimpl
def lifespan(workbench: Workbench) -> AbstractAsyncContextManager[None]:
    """Provide the gateway while the workbench runs."""
    return _provide_gateway(workbench)


@asynccontextmanager
async def _provide_gateway(workbench: Workbench) -> AsyncIterator[None]:
    settings = workbench.plugin_settings("llm", LlmSettings)
    gateway = LlmGateway(workbench, settings, StoredCallLog(workbench.store))
    workbench.provide(LLM_GATEWAY, gateway)
    workbench.provide(BUDGETS, gateway.read_budgets)
    if settings.keep_days:
        delete = partial(
            delete_old_rows,
            workbench.store,
            workbench.clock,
            settings.keep_days,
            delete_old_calls,
        )
        workbench.background_tasks.every(3600, "llm.retention", delete)
    try:
        yield
    finally:
        await gateway.close()


def _make_local_backend(workbench: Workbench) -> LocalBackend:
    settings = workbench.plugin_settings("llm", LlmSettings)
    return LocalBackend(
        settings.local,
        find_folder(workbench.settings, settings.local),
        max_tokens=settings.max_tokens,
        timeout=settings.timeout,
    )


@dataclass(frozen=True)
class _OpenAiFactory:
    """Factory of the backend of one server that speaks OpenAI's protocol."""

    settings: LlmSettings
    name: str
    server: OpenAiSettings

    def __call__(self, _: Workbench) -> OpenAiBackend:
        limits = find_backend_limits(self.settings, self.name)
        # The path that error messages name: `openai` has a section, all others are in `backends`.
        key = self.name if self.name == "openai" else f"backends.{self.name}"
        return OpenAiBackend(
            self.server,
            max_tokens=limits.max_tokens,
            timeout=limits.timeout,
            settings_path=f"plugins.llm.{key}",
        )

"""Language models, offered to other plugins."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import click

from biont import Api, Tables, Workbench, hookimpl
from biont.llm import BackendFactory
from biont.store import delete_old_rows
from biont_llm.accounting.call_log import StoredCallLog
from biont_llm.accounting.retention import delete_old_calls
from biont_llm.accounting.routes import api as usage_api
from biont_llm.accounting.tables import RecordedCall
from biont_llm.backend_limits import find_backend_limits
from biont_llm.gateway import LANGUAGE_MODELS, LlmGateway
from biont_llm.local.backend import LocalBackend
from biont_llm.local.model_file import find_folder
from biont_llm.openai.backend import OpenAiBackend
from biont_llm.routes import api as models_api
from biont_llm.settings import LlmSettings, OpenAiSettings


@hookimpl
def register_settings() -> type[LlmSettings]:
    """Return which model is asked."""
    return LlmSettings


@hookimpl
def register_tables() -> Tables:
    """Return the record of calls."""
    return Tables(Path(__file__).parent / "migrations", [RecordedCall])


@hookimpl
def register_routes() -> Api:
    """Return the routes of models, and of what their calls have taken."""
    routes = Api("models")
    routes.include(models_api)
    routes.include(usage_api)
    return routes


@hookimpl
def register_llm_backends(workbench: Workbench) -> Mapping[str, BackendFactory]:
    """Return the backends that are built in, and those that the settings name."""
    settings = workbench.plugin_settings("llm", LlmSettings)
    named = {name: _Maker(settings, name, server) for name, server in settings.backends.items()}
    return {"local": _make_local, "openai": _Maker(settings, "openai", settings.openai), **named}


@hookimpl
def register_commands(cli: click.Group) -> None:
    """Add ``biont models``."""
    from biont_llm.commands import models  # noqa: PLC0415  # a server needs none

    cli.add_command(models)


@hookimpl
def lifespan(workbench: Workbench) -> AbstractAsyncContextManager[None]:
    """Offer all backends while the workbench runs."""
    return _offer(workbench)


@asynccontextmanager
async def _offer(workbench: Workbench) -> AsyncIterator[None]:
    settings = workbench.plugin_settings("llm", LlmSettings)
    models = LlmGateway(workbench, settings, StoredCallLog(workbench.store))
    workbench.provide(LANGUAGE_MODELS, models)
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
        await models.close()


def _make_local(workbench: Workbench) -> LocalBackend:
    settings = workbench.plugin_settings("llm", LlmSettings)
    return LocalBackend(
        settings.local,
        find_folder(workbench.settings, settings.local),
        max_tokens=settings.max_tokens,
        timeout=settings.timeout,
    )


@dataclass(frozen=True)
class _Maker:
    """Makes the backend of a server."""

    settings: LlmSettings
    name: str
    server: OpenAiSettings

    def __call__(self, _: Workbench) -> OpenAiBackend:
        terms = find_backend_limits(self.settings, self.name)
        return OpenAiBackend(
            self.server,
            max_tokens=terms.max_tokens,
            timeout=terms.timeout,
            place="plugins.llm."
            + (self.name if self.name == "openai" else f"backends.{self.name}"),
        )

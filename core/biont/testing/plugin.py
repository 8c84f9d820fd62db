"""Pytest plugin: fixtures for the tests of a plugin.

A test overrides `sections` and `plugins` to change the settings and to load plugins that are
not installed. Fixtures are async and need `pytest-asyncio`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from types import ModuleType

import pytest
import pytest_asyncio
from aiohttp.test_utils import TestServer

from biont.accounts.principal import Scope
from biont.application import Application, open_application
from biont.settings.loading import load_settings
from biont.testing.client import ApiClient, MakeClient
from biont.testing.clock import ManualClock
from biont.testing.config import write_config
from biont.testing.database_template import DatabaseTemplate
from biont.testing.keys import make_key
from biont.testing.loopback import keep_to_loopback
from biont.testing.model_server import ModelServer
from biont.testing.receiver import WebhookReceiver
from biont.workbench import Workbench


@pytest.fixture(scope="session")
def loopback_only() -> None:
    """Refuse connections beyond the loopback, in this and in all later tests."""
    keep_to_loopback()


@pytest.fixture
def clock() -> ManualClock:
    """The clock of `application`; it stands still."""
    return ManualClock()


@pytest_asyncio.fixture
async def receiver() -> AsyncIterator[WebhookReceiver]:
    """A webhook receiver."""
    async with WebhookReceiver() as running:
        yield running


@pytest_asyncio.fixture
async def model() -> AsyncIterator[ModelServer]:
    """A model server; the settings of `ModelServer.sections` make it the default backend."""
    async with ModelServer() as running:
        yield running


@pytest.fixture
def sections() -> dict[str, object]:
    """Top-level YAML sections of the settings; to be overridden.

    Each replaces the whole section of that name in the settings that every test has.
    """
    return {}


@pytest.fixture
def plugins() -> Mapping[str, ModuleType]:
    """Plugins by name, beside the installed ones; to be overridden."""
    return {}


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def database_template(tmp_path_factory: pytest.TempPathFactory) -> DatabaseTemplate:
    """A migrated database, made once a session."""
    template = DatabaseTemplate(tmp_path_factory.mktemp("template"))
    await template.make()
    return template


@pytest_asyncio.fixture
async def application(
    tmp_path: Path,
    clock: ManualClock,
    sections: dict[str, object],
    plugins: Mapping[str, ModuleType],
    database_template: DatabaseTemplate,
) -> AsyncIterator[Application]:
    """A running application with all installed plugins and those of `plugins`."""
    database_template.copy_to(tmp_path, sections)
    settings = load_settings(write_config(tmp_path, sections), environ={})
    async with open_application(settings, clock=clock, plugins=plugins) as running:
        yield running


@pytest.fixture
def workbench(application: Application) -> Workbench:
    """The workbench of `application`."""
    return application.workbench


@pytest_asyncio.fixture
async def open_client(application: Application) -> AsyncIterator[MakeClient]:
    """Return a function that opens clients of `application`, by user and scope.

    For example ``await open_client("ada", Scope.CHAT)``. The user None makes a client
    without a key.
    """
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(TestServer(application.app, host="127.0.0.1"))

        async def open_one(user: str | None = "ada", scope: Scope = Scope.FULL) -> ApiClient:
            key = None if user is None else await make_key(application.workbench, user, scope)
            url = str(server.make_url("")).rstrip("/")
            return await stack.enter_async_context(ApiClient(url, key))

        yield open_one


@pytest_asyncio.fixture
async def client(open_client: MakeClient) -> ApiClient:
    """A client of `application`: of the user "ada", with a key of scope ``full``."""
    return await open_client()

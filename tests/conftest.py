"""Fixtures of the whole suite, beside those of `biont.testing`."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing
from pathlib import Path

import pytest
from aiohttp.test_utils import TestServer
from support.node import Node, find_node
from support.process import Server, run_biont

from biont import Scope
from biont.application import open_application
from biont.settings import load_settings
from biont.store.lock import is_held
from biont.testing import (
    ApiClient,
    DatabaseTemplate,
    ManualClock,
    ModelServer,
    write_config,
)
from biont.testing import make_key as make_workbench_key

pytest_plugins = ["biont.testing.plugin"]

StartServer = Callable[..., Awaitable[Server]]
Restart = Callable[[], AbstractAsyncContextManager[ApiClient]]
MakeKey = Callable[..., Awaitable[str]]


@pytest.fixture(scope="session", autouse=True)
def _guard(loopback_only: None) -> None:
    """No test leaves the loopback."""


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Let commands keep nothing in the cache folder of whoever runs the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture
def node() -> Node:
    """Node, with the packages of ``tests/node``."""
    return find_node()


@pytest.fixture
async def scripted() -> AsyncIterator[ModelServer]:
    """Somebody's model server, which answers as it is told."""
    async with ModelServer() as running:
        yield running


@pytest.fixture
def restart(
    tmp_path: Path,
    clock: ManualClock,
    sections: dict[str, object],
    database_template: DatabaseTemplate,
) -> Restart:
    """Start a workbench in this process, each time on the same database; yield a client."""

    @asynccontextmanager
    async def start() -> AsyncIterator[ApiClient]:
        database_template.copy_to(tmp_path, sections)
        settings = load_settings(write_config(tmp_path, sections), environ={})
        async with (
            open_application(settings, clock=clock) as application,
            TestServer(application.app, host="127.0.0.1") as server,
        ):
            key = await make_workbench_key(application.workbench, "ada", Scope.FULL)
            async with ApiClient(str(server.make_url("")).rstrip("/"), key) as client:
                yield client

    return start


@pytest.fixture
async def start_server(
    tmp_path: Path, database_template: DatabaseTemplate
) -> AsyncIterator[StartServer]:
    """Start a real process; sections given override the configuration."""
    servers: list[Server] = []

    async def start(**sections: object) -> Server:
        database_template.copy_to(tmp_path, sections)
        server = Server(write_config(tmp_path, sections))
        await server.start()
        servers.append(server)
        return server

    yield start
    for server in servers:
        await server.kill()


@pytest.fixture
async def make_key(tmp_path: Path) -> MakeKey:
    """Make a user and a key by the command line, beside the process that serves."""

    async def make(user: str = "ada", scope: str = "full") -> str:
        config = tmp_path / "config"
        await run_biont("users", "create", user, config=config)
        code, out, error = await run_biont(
            "keys", "create", "--user", user, "--scope", scope, config=config
        )
        assert code == 0, error
        await _wait_for_inbox(config)
        return out.strip()

    return make


async def _wait_for_inbox(config: Path) -> None:
    """Wait until a running workbench has taken the events of the commands.

    A webhook that a test registers next would get them too.
    """
    path = load_settings(config, environ={}).database.path
    async with asyncio.timeout(30):
        while is_held(path) and _count_inbox(path):  # noqa: ASYNC110  # the database tells nobody
            await asyncio.sleep(0.02)


def _count_inbox(path: Path) -> int:
    with closing(sqlite3.connect(path)) as database:
        (count,) = database.execute("SELECT count(*) FROM inbox").fetchone()
    return int(count)

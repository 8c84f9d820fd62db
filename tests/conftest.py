"""What many tests need: the network guard, a workbench, a real process."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
from aiohttp.test_utils import TestServer
from support.client import Client
from support.clock import FakeClock
from support.config import write_config
from support.loopback import keep_to_loopback
from support.node import Node, find_node
from support.process import Server, run_biont
from support.receiver import Receiver
from support.scripted_server import ScriptedServer

from biont import Scope, Workbench
from biont.application import Application, open_application
from biont.settings import load_settings

OpenWorkbench = Callable[..., Awaitable[Workbench]]
OpenClient = Callable[..., Awaitable[Client]]
StartServer = Callable[..., Awaitable[Server]]
Restart = Callable[[], AbstractAsyncContextManager[Client]]
MakeKey = Callable[..., Awaitable[str]]


@pytest.fixture(scope="session", autouse=True)
def _loopback_only() -> None:
    keep_to_loopback()


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Let commands keep nothing in the cache folder of whoever runs the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def node() -> Node:
    """Node, with the packages of ``tests/node``."""
    return find_node()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with Receiver() as running:
        yield running


@pytest.fixture
async def scripted() -> AsyncIterator[ScriptedServer]:
    """Somebody's model server, which answers as it is told."""
    async with ScriptedServer() as running:
        yield running


@pytest.fixture
def sections() -> dict[str, object]:
    """The settings of `workbench` that are not as every test has them; to be parametrized."""
    return {}


@pytest.fixture
async def application(
    tmp_path: Path, clock: FakeClock, sections: dict[str, object]
) -> AsyncIterator[Application]:
    """An application in this process, with all built-in plugins and a clock that stands still."""
    settings = load_settings(write_config(tmp_path, sections), environ={})
    async with open_application(settings, clock=clock) as running:
        yield running


@pytest.fixture
def workbench(application: Application) -> Workbench:
    """The workbench of `application`."""
    return application.workbench


@pytest.fixture
async def open_client(application: Application) -> AsyncIterator[OpenClient]:
    """Return a client of `application`: of the named user, with a key of the given scope."""
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(TestServer(application.app, host="127.0.0.1"))

        async def open_one(user: str | None = "ada", scope: Scope = Scope.FULL) -> Client:
            key = None if user is None else await _make_key(application.workbench, user, scope)
            url = str(server.make_url("")).rstrip("/")
            return await stack.enter_async_context(Client(url, key))

        yield open_one


@pytest.fixture
async def client(open_client: OpenClient) -> Client:
    """A client of `workbench` with a full key."""
    return await open_client()


@pytest.fixture
def restart(tmp_path: Path, clock: FakeClock, sections: dict[str, object]) -> Restart:
    """Start a workbench in this process, each time on the same database; yield a client."""

    @asynccontextmanager
    async def start() -> AsyncIterator[Client]:
        settings = load_settings(write_config(tmp_path, sections), environ={})
        async with (
            open_application(settings, clock=clock) as application,
            TestServer(application.app, host="127.0.0.1") as server,
        ):
            key = await _make_key(application.workbench, "ada", Scope.FULL)
            async with Client(str(server.make_url("")).rstrip("/"), key) as client:
                yield client

    return start


@pytest.fixture
async def start_server(tmp_path: Path) -> AsyncIterator[StartServer]:
    """Start a real process; sections given override the configuration."""
    servers: list[Server] = []

    async def start(**sections: object) -> Server:
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
        return out.strip()

    return make


async def _make_key(workbench: Workbench, user: str, scope: Scope) -> str:
    known = {found.name: found for found in await workbench.users.list_all()}
    owner = known.get(user) or await workbench.users.create(user)
    plain, _ = await workbench.keys.create(owner.id, "test", scope)
    return plain

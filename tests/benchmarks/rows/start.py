"""The process itself: the memory it keeps, and the time until it serves."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import cast

from benchmarks.measure import Result, alternate
from benchmarks.processes import Server, Workbench, perform, serve, set_up
from benchmarks.twins import Answer, FindImportable, Imports

_HEALTH = "/api/v1/health"
_REQUEST = f"GET {_HEALTH} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode()
_LIMIT = 30.0
_MEBIBYTE = 1024 * 1024

Serve = Callable[[int], AbstractAsyncContextManager[Server]]


async def idle_rss(folder: Path) -> Result:
    """Compare the memory of an idle workbench with that of its imports alone."""
    workbench = await set_up(folder)
    imports = await find_imports(workbench)
    ours, bare = await alternate(
        lambda: _weigh(workbench.serve()), lambda: _weigh(serve(Imports(imports)))
    )
    return Result("MiB", ours, bare, note=f"{len(imports)} modules of libraries")


async def ready_time(folder: Path) -> Result:
    """Compare the time from exec to a first 200 of ``/api/v1/health``."""
    workbench = await set_up(folder)
    imports = await find_imports(workbench)

    def serve_ours(port: int) -> AbstractAsyncContextManager[Server]:
        return workbench.serve("--port", str(port))

    _, body = await _start_and_ask(serve_ours)

    def serve_bare(port: int) -> AbstractAsyncContextManager[Server]:
        return serve(Answer(port, "GET", _HEALTH, 200, body.decode(), imports))

    ours, bare = await alternate(
        lambda: _start_and_ask(serve_ours), lambda: _start_and_ask(serve_bare)
    )
    return Result(
        "ms",
        [seconds * 1000 for seconds, _ in ours],
        [seconds * 1000 for seconds, _ in bare],
        note=f"{len(imports)} modules of libraries",
    )


async def find_imports(workbench: Workbench) -> list[str]:
    """Return the modules of libraries that ``biont serve`` has imported once it is idle."""
    async with workbench.serve(python=["-X", "importtime"]) as server:
        await server.settle()
        lines = server.read_log().splitlines()
    names = [line.rpartition("|")[2].strip() for line in lines if line.startswith("import time:")]
    tried = [name for name in dict.fromkeys(names) if _is_of_a_library(name)]
    return cast("list[str]", await perform(FindImportable(tried)))


def _is_of_a_library(name: str) -> bool:
    package = name.partition(".")[0]
    return package.isidentifier() and not (
        package.startswith("biont") or package in sys.stdlib_module_names
    )


async def _weigh(serving: AbstractAsyncContextManager[Server]) -> float:
    async with serving as server:
        await server.settle()
        return server.rss / _MEBIBYTE


async def _start_and_ask(serve_at: Serve) -> tuple[float, bytes]:
    """Return how long a start took until health was answered, in seconds, and the answer."""
    port = _find_free_port()
    started = time.perf_counter()
    asking = asyncio.create_task(_ask_until_healthy(port))
    try:
        async with serve_at(port):
            answered, body = await asking
            return answered - started, body
    finally:
        asking.cancel()


async def _ask_until_healthy(port: int) -> tuple[float, bytes]:
    async with asyncio.timeout(_LIMIT):
        while True:
            with contextlib.suppress(ConnectionError):
                answer = await _ask(port)
                if b" 200 " in answer.partition(b"\r\n")[0]:
                    return time.perf_counter(), answer.partition(b"\r\n\r\n")[2]
            await asyncio.sleep(0.002)


async def _ask(port: int) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(_REQUEST)
        return await reader.read()
    finally:
        writer.close()


def _find_free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port

"""An aiohttp application in a process of its own."""

from __future__ import annotations

import asyncio
import signal
from dataclasses import dataclass

from aiohttp import web

from benchmarks.child import Child, tell


@dataclass(frozen=True)
class Served(Child):
    """An aiohttp application in a process of its own.

    Attributes:
        port: where to listen; 0 is any free port.
    """

    port: int = 0

    def make_app(self) -> web.Application:
        """Return what is to be served."""
        raise NotImplementedError

    async def run(self) -> None:
        """Serve until the process is ended."""
        stop = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
        runner = web.AppRunner(self.make_app(), access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", self.port).start()
        host, port = runner.addresses[0][:2]
        tell(f"http://{host}:{port}")
        await stop.wait()
        await runner.cleanup()

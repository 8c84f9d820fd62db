"""The workbench of the demonstration: a real process in a temporary folder."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from biont.exceptions import BiontError

_START = 30.0
_STOP = 20.0


class DemoServer:
    """Runs ``biont`` commands on a configuration of their own.

    Args:
        folder: where everything is kept.
        receiver_port: the one port on this machine that webhooks may go to.
    """

    def __init__(self, folder: Path, receiver_port: int) -> None:
        self._log = folder / "biont.log"
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("BIONT_")},
            "BIONT_CONFIG": str(folder / "biont.yaml"),
        }
        (folder / "biont.yaml").write_text(
            "server: {port: 0}\n"
            f"database: {{url: 'sqlite:///{folder / 'biont.sqlite3'}'}}\n"
            f"vault: {{key_file: '{folder / 'biont.key'}'}}\n"
            f"egress: {{allow: ['127.0.0.1:{receiver_port}']}}\n"
        )

    async def run_command(self, *arguments: str) -> str:
        """Return what a command prints.

        Raises:
            BiontError: it failed.
        """
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "biont",
            *arguments,
            env=self._environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, error = await process.communicate()
        if process.returncode:
            raise BiontError(f"biont {' '.join(arguments)}: {error.decode().strip()}")
        return out.decode().strip()

    @asynccontextmanager
    async def serve(self) -> AsyncIterator[str]:
        """Run the workbench while this is open, and yield its URL.

        Raises:
            BiontError: it does not start; the message ends with its log.
        """
        with self._log.open("wb") as log:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "biont",
                "serve",
                env=self._environment,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
            )
        try:
            yield await self._read_url(process)
        finally:
            await _stop(process)

    async def _read_url(self, process: asyncio.subprocess.Process) -> str:
        assert process.stdout is not None  # noqa: S101  # narrows the type for mypy
        async with asyncio.timeout(_START):
            line = (await process.stdout.readline()).decode()
        if not line:
            raise BiontError(f"it does not start: {self._log.read_text()[-2000:].strip()}")
        return line.split()[-1]


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    process.terminate()
    try:
        async with asyncio.timeout(_STOP):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()

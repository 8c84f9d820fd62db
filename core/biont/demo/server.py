"""The workbench of the demonstration: a real process in a temporary folder."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from biont.exceptions import BiontError
from biont.user_cache import find_user_cache

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
            f"plugins: {{llm: {{local: {{model_folder: '{_make_model_folder(folder)}'}}}}}}\n"
        )

    async def pull_model(self) -> None:
        """Fetch the model unless it is there; the command prints its own progress.

        Raises:
            BiontError: the command failed.
        """
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "biont", "models", "pull", env=self._environment
        )
        if await process.wait():
            raise BiontError("biont models pull: see above")

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


def _make_model_folder(folder: Path) -> Path:
    """Return the folder in which the model stays for the next demonstration.

    Where the user has no cache folder, the model goes with the demonstration's own `folder`.
    """
    cache = find_user_cache(os.environ)
    if cache is not None:
        with contextlib.suppress(OSError):
            (cache / "models").mkdir(parents=True, exist_ok=True)
            return cache / "models"
    return folder / "models"


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

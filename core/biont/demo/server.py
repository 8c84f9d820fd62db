"""Workbench of the demo: a separate process in a temporary folder."""

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

_START_SECONDS = 30.0
_STOP_SECONDS = 20.0


class DemoServer:
    """Runner of ``biont`` commands with a temporary configuration.

    Args:
        folder: the folder of configuration, database, keys and log.
        receiver_port: the only port of this machine that webhooks may go to.
    """

    def __init__(self, folder: Path, receiver_port: int) -> None:
        self._log = folder / "biont.log"
        # The operator's own BIONT_ variables must not lead to the operator's own database.
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
        """Download the model if it is missing; the command prints its own progress.

        Raises:
            BiontError: the command failed.
        """
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "biont", "models", "pull", env=self._environment
        )
        if await process.wait():
            raise BiontError("biont models pull: see above")

    async def run_command(self, *arguments: str) -> str:
        """Return the output of a command.

        Raises:
            BiontError: the command failed.
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
        """Run the workbench while the context is open, and yield the workbench's URL.

        Raises:
            BiontError: the workbench does not start; the message ends with its log.
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
            yield await self._read_url(process.stdout)
        finally:
            await _stop_process(process)

    async def _read_url(self, stdout: asyncio.StreamReader | None) -> str:
        """Return the URL at the end of the first line that the workbench prints."""
        line = b""
        if stdout is not None:
            async with asyncio.timeout(_START_SECONDS):
                line = await stdout.readline()
        if not line:
            log = self._log.read_text()[-2000:].strip()
            raise BiontError(f"the workbench does not start: {log}")
        return line.decode().split()[-1]


def _make_model_folder(folder: Path) -> Path:
    """Return the folder that keeps the model for the next demo.

    For a user without a cache folder, the model is in the demo's `folder` and is deleted with it.
    """
    cache = find_user_cache(os.environ)
    if cache is not None:
        with contextlib.suppress(OSError):
            (cache / "models").mkdir(parents=True, exist_ok=True)
            return cache / "models"
    return folder / "models"


async def _stop_process(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    process.terminate()
    try:
        async with asyncio.timeout(_STOP_SECONDS):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()

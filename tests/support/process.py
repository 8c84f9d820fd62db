"""A real ``biont serve``, in a process of its own."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

_START = 90


async def start_biont(
    *arguments: str, config: Path, **variables: str
) -> asyncio.subprocess.Process:
    """Start a command; its output can be read from the process.

    Args:
        arguments: the command line.
        config: the folder of its configuration.
        variables: stand in its environment.
    """
    return await asyncio.create_subprocess_exec(
        *_command(*arguments),
        env=_environment(config) | variables,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def run_biont(*arguments: str, config: Path) -> tuple[int, str, str]:
    """Run a command to its end; return exit code, standard output, standard error."""
    process = await start_biont(*arguments, config=config)
    out, error = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), error.decode()


@asynccontextmanager
async def keep_biont(
    *arguments: str, config: Path, **variables: str
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Start a command as `start_biont` does; it is killed at the end."""
    process = await start_biont(*arguments, config=config, **variables)
    try:
        async with asyncio.timeout(_START):
            yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


@asynccontextmanager
async def run_script(
    script: str, folder: Path, **variables: str
) -> AsyncIterator[asyncio.StreamReader]:
    """Run lines of a shell as a user would; return what they write. They are killed at the end.

    Args:
        script: finds this Python's `biont`.
        folder: where it runs.
        variables: stand in its environment.
    """
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    process = await asyncio.create_subprocess_exec(
        "bash",
        "-euc",
        script,
        cwd=folder,
        env=os.environ | {"PATH": path} | variables,
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(_START):
            yield process.stdout
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.communicate()


def hide_packages(folder: Path, *names: str) -> dict[str, str]:
    """Return the environment of a process that cannot import the packages `names`.

    Args:
        folder: where the modules are written that stand in their place.
        names: of installed packages.
    """
    hiding = folder / "hidden"
    hiding.mkdir(parents=True)
    for name in names:
        (hiding / f"{name}.py").write_text("raise ImportError('not here')\n")
    paths = [str(hiding), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
    return {"PYTHONPATH": os.pathsep.join(filter(None, paths))}


class Server:
    """A workbench that serves; it can be killed and started again.

    Args:
        config: the folder of its configuration.
        variables: stand in its environment.
        arguments: follow ``serve``.
    """

    def __init__(
        self,
        config: Path,
        variables: Mapping[str, str] | None = None,
        arguments: Sequence[str] = (),
    ) -> None:
        self.config = config
        self._variables = variables or {}
        self._arguments = arguments
        self.url = ""
        self._log = config.parent / "biont.log"
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start the process and wait until it serves."""
        with self._log.open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                *_command("serve", *self._arguments),
                env=_environment(self.config) | dict(self._variables),
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
            )
        self._process = process
        assert process.stdout is not None
        async with asyncio.timeout(_START):
            line = (await process.stdout.readline()).decode()
        assert "http://" in line, f"it did not start: {self.read_log()}"
        self.url = line.split()[-1]

    async def kill(self) -> None:
        """End it as ``kill -9`` does."""
        await self._end(signal.SIGKILL)

    async def stop(self) -> int:
        """End it as an operator does; return the exit code."""
        return await self._end(signal.SIGTERM)

    async def wait(self) -> None:
        """Wait until it has ended."""
        assert self._process is not None
        await self._process.wait()

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def read_log(self) -> str:
        """Return what it has written to standard error so far."""
        return self._log.read_text()

    async def _end(self, number: signal.Signals) -> int:
        assert self._process is not None
        if self._process.returncode is None:
            self._process.send_signal(number)
        await self._process.communicate()
        assert self._process.returncode is not None
        return self._process.returncode


def _command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "biont", *arguments]


def _environment(config: Path) -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("BIONT_")}
    return clean | {"BIONT_CONFIG": str(config)}

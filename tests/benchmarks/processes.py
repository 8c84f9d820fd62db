"""Processes: ours, its twins and the tasks of a row. All end with the block they belong to."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

import psutil
from support.process import run_biont

from benchmarks.child import Child
from benchmarks.measure import MeasurementFailed
from biont.testing import write_config

PLUGINS = Path(__file__).parent / "plugins"
"""The folder of plugins that rows need."""

_TESTS = Path(__file__).parents[1]
_GRACE = 15.0
_LOOK = 0.25
_SETTLE_LIMIT = 60.0


@dataclass(frozen=True)
class Server:
    """A process that serves.

    Attributes:
        pid: its number.
        url: where it serves.
        log: what it has written to its standard error.
    """

    pid: int
    url: str
    log: IO[bytes]

    @property
    def rss(self) -> int:
        """The memory that it keeps resident, in bytes."""
        return int(psutil.Process(self.pid).memory_info().rss)

    async def settle(self) -> None:
        """Wait until it has caught up with all work: a busy one would slow its twin."""
        used, waited = self._cpu_seconds(), 0.0
        while waited < _SETTLE_LIMIT:
            await asyncio.sleep(_LOOK)
            waited += _LOOK
            before, used = used, self._cpu_seconds()
            if used - before < 0.05 * _LOOK:
                return
        raise MeasurementFailed(f"{self.url} is still busy {_SETTLE_LIMIT:g} s after its load")

    def read_log(self) -> str:
        """Return what it has written to its standard error so far."""
        return _read(self.log)

    def _cpu_seconds(self) -> float:
        times = psutil.Process(self.pid).cpu_times()
        return float(times.user + times.system)


@dataclass(frozen=True)
class Workbench:
    """A workbench that is set up, with a user and a key, and can be started.

    Attributes:
        config: the folder of its configuration.
        key: a full key of its user.
    """

    config: Path
    key: str

    @property
    def database(self) -> Path:
        """The file in which it keeps everything."""
        return self.config.parent / "biont.sqlite3"

    @asynccontextmanager
    async def serve(self, *options: str, python: Sequence[str] = ()) -> AsyncIterator[Server]:
        """Run ``biont serve`` with these options, on a Python with those."""
        command = [*python, "-m", "biont", "serve", *options]
        async with _start(command, self.config) as server:
            yield server


async def set_up(folder: Path, **sections: object) -> Workbench:
    """Prepare a workbench in `folder`; sections given override its configuration."""
    config = _configure(folder, sections)
    await _run_command("users", "create", "ada", config=config)
    key = await _run_command("keys", "create", "--user", "ada", config=config)
    return Workbench(config, key)


async def add_user(workbench: Workbench, name: str) -> str:
    """Add another user to a workbench; return a full key of theirs."""
    await _run_command("users", "create", name, config=workbench.config)
    return await _run_command("keys", "create", "--user", name, config=workbench.config)


def _configure(folder: Path, sections: dict[str, object]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return write_config(folder, sections)


async def _run_command(*arguments: str, config: Path) -> str:
    code, out, error = await run_biont(*arguments, config=config)
    if code:
        raise MeasurementFailed(f"biont {' '.join(arguments)}: {error}")
    return out.strip()


@asynccontextmanager
async def serve(child: Child) -> AsyncIterator[Server]:
    """Run a twin that serves, or another server that is needed."""
    async with _start(_command(child)) as server:
        yield server


async def perform(child: Child) -> object:
    """Run a task in a process of its own and return what it answers."""
    return await read_answer([sys.executable, *_command(child)])


async def read_answer(command: Sequence[str]) -> object:
    """Run a command to its end; return the JSON of its last line."""
    with TemporaryFile() as log:
        process = await _execute(command, log)
        try:
            out, _ = await process.communicate()
        finally:
            await _end(process)
        if process.returncode or not out.strip():
            raise MeasurementFailed(f"{' '.join(command[:6])}: {_read(log)[-2000:]}")
    return json.loads(out.strip().splitlines()[-1])


@asynccontextmanager
async def _start(arguments: Sequence[str], config: Path | None = None) -> AsyncIterator[Server]:
    with TemporaryFile() as log:
        process = await _execute([sys.executable, *arguments], log, config)
        try:
            assert process.stdout is not None
            line = (await process.stdout.readline()).decode()
            if not line:
                await process.wait()
                raise MeasurementFailed(
                    f"{' '.join(arguments[:4])} did not start: {_read(log)[-2000:]}"
                )
            yield Server(process.pid, line.split()[-1], log)
        finally:
            await _end(process)


async def _execute(
    command: Sequence[str], log: IO[bytes], config: Path | None = None
) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *command, env=_environment(config), stdout=asyncio.subprocess.PIPE, stderr=log
    )


async def _end(process: asyncio.subprocess.Process) -> None:
    """End a process by its number, gently at first."""
    if process.returncode is not None:
        return
    process.send_signal(signal.SIGTERM)
    try:
        await asyncio.wait_for(process.wait(), _GRACE)
    except TimeoutError:
        process.kill()
        await process.wait()


def _command(child: Child) -> list[str]:
    kind = type(child)
    return ["-m", "benchmarks.child", kind.__module__, kind.__name__, json.dumps(asdict(child))]


def _environment(config: Path | None) -> dict[str, str]:
    # Whoever may not keep compiled modules would compile them at each start.
    left_out = ("BIONT_", "PYTHONDONTWRITEBYTECODE")
    kept = {name: text for name, text in os.environ.items() if not name.startswith(left_out)}
    paths = [str(_TESTS), *filter(None, [os.environ.get("PYTHONPATH")])]
    chosen = {} if config is None else {"BIONT_CONFIG": str(config)}
    return kept | {"PYTHONPATH": os.pathsep.join(paths)} | chosen


def _read(log: IO[bytes]) -> str:
    # The child shares this file's place in it, and writes on from there.
    return os.pread(log.fileno(), 2**24, 0).decode(errors="replace").strip()

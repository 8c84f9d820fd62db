"""Commands end although a task of a plugin ignores its cancellation."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from support.process import run_biont

from biont.testing import write_config

ENDLESS = """
import asyncio
from contextlib import asynccontextmanager

from biont import hookimpl


@hookimpl
def lifespan(workbench):
    return stay(workbench)


@asynccontextmanager
async def stay(workbench):
    while True:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            pass
    yield
"""


@pytest.mark.parametrize("command", [("plugins",), ("config", "check")])
async def test_a_plugin_that_ignores_its_cancellation_is_reported(
    tmp_path: Path, command: tuple[str, ...]
) -> None:
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "endless.py").write_text(ENDLESS)
    plugins = {"folder": str(tmp_path / "plugins"), "start_timeout": 1}
    config = write_config(tmp_path, {"plugins": plugins})
    async with asyncio.timeout(120):
        code, out, error = await run_biont(*command, config=config)
    assert code == 1
    assert "endless" in out + error
    assert "Traceback" not in error

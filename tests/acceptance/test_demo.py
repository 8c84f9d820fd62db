"""``biont demo``, as a newcomer runs it."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path


async def run_demo(**environment: str) -> tuple[int | None, str, str]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "biont", "demo"),
        env=os.environ | environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, error = await process.communicate()
    return process.returncode, out.decode(), error.decode()


async def test_the_demo_does_the_main_job_or_names_the_step_that_failed(tmp_path: Path) -> None:
    (tmp_path / "xllamacpp.py").write_text("raise ImportError('not here')\n")
    good, bad = await asyncio.gather(run_demo(), run_demo(PYTHONPATH=str(tmp_path)))

    code, out, _ = good
    assert code == 0
    told = out.partition("Read the note")[2]
    assert "library" in told.lower()
    assert '"event_type": "scheduled_trigger"' in told
    assert told.count("curl -H") == 5

    code, _, error = bad
    assert code == 1
    assert "failed at step 6" in error
    assert "pip install 'biont[local]'" in error
    assert "Traceback" not in error

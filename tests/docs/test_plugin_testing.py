"""The example of a plugin's tests is run as an integrator would run it."""

from __future__ import annotations

import asyncio
import re
import sys
from pathlib import Path

import pytest
from support.pages import read_examples

from biont.testing import plugin

ROOT = Path(__file__).parents[2]
PAGE = "docs/how-to/test-a-plugin.md"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project that consists of the page's examples."""
    for name in ("pyproject.toml", "conftest.py", "note_counter.py", "test_note_counter.py"):
        (tmp_path / name).write_text(read_examples(PAGE, name)[0])
    return tmp_path


async def run_pytest(project: Path) -> tuple[int | None, str]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "pytest", "-q", "-p", "no:randomly"),
        cwd=project,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    out, _ = await process.communicate()
    return process.returncode, out.decode()


async def test_the_test_of_the_example_plugin_passes(project: Path) -> None:
    code, out = await run_pytest(project)
    assert code == 0, out
    assert "1 passed" in out


async def test_the_test_of_the_example_plugin_fails_when_the_plugin_is_wrong(
    project: Path,
) -> None:
    broken = (project / "note_counter.py").read_text().replace("% 10", "% 5")
    (project / "note_counter.py").write_text(broken)
    code, out = await run_pytest(project)
    assert code == 1, out


def test_the_page_lists_every_fixture() -> None:
    fixtures = {
        name
        for name, value in vars(plugin).items()
        if type(value).__name__ == "FixtureFunctionDefinition"
    }
    rows = set(re.findall(r"^\| `(\w+)` \|", (ROOT / PAGE).read_text(), re.MULTILINE))
    assert rows == fixtures

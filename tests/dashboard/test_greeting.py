"""Start of a real workbench: the first link is printed, and a broken greeting harms nothing."""

from __future__ import annotations

from pathlib import Path

from support.process import keep_biont, run_biont
from support.visitor import Visitor

from biont.testing import write_config

PLUGIN = """
from biont import hookimpl


@hookimpl
async def greet_operator(workbench, url):
    raise ValueError("broken")
"""


async def test_serve_prints_a_link_only_until_there_is_a_user(tmp_path: Path) -> None:
    folder = tmp_path / "plugins"
    folder.mkdir()
    (folder / "broken_greeting.py").write_text(PLUGIN)
    config = write_config(tmp_path, {"plugins": {"folder": str(folder)}})
    async with keep_biont("serve", config=config) as process:
        assert process.stdout is not None
        url = (await process.stdout.readline()).decode().split()[-1]
        link = (await process.stdout.readline()).decode().split()[-1]
        assert link.startswith(f"{url}/dashboard/link/")
        async with Visitor(url) as visitor:
            screen = await visitor.open(link.removeprefix(url))
            screen = await visitor.press(screen, "Make my user", name="ada")
            assert "Generate API key" in screen.text
    code, _, error = await run_biont("dashboard", "link", config=config)
    assert (code, "--user NAME" in error) == (1, True)
    async with keep_biont("serve", config=config) as process:
        assert process.stdout is not None
        await process.stdout.readline()
        process.terminate()
        assert await process.stdout.read() == b""

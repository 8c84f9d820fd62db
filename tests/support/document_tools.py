"""Other people's tools that read the API document."""

from __future__ import annotations

import asyncio
import shutil
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1] / "node" / "document"
"""Folder of the Node packages."""


async def run_node_tool(name: str, *arguments: str, folder: Path) -> tuple[int, str]:
    """Run a tool of ``tests/node/document`` in `folder`; return exit code and output.

    The test is skipped where Node or the packages are missing.
    """
    if shutil.which("node") is None:
        pytest.skip("there is no node on PATH")
    program = FOLDER / "node_modules" / ".bin" / name
    if not program.exists():
        pytest.skip("Node packages are missing: run python tests/node/install.py document")
    return await _run(str(program), *arguments, folder=folder)


async def generate_python_client(document: Path, folder: Path) -> str:
    """Write a package with a client for `document` to `folder`; return the generator's output.

    The test is skipped where openapi-python-client is missing.
    """
    program = Path(sys.executable).with_name("openapi-python-client")
    if not program.exists():
        pytest.skip("openapi-python-client is missing: run tox run -e api")
    config = document.with_name("generator.yaml")
    # The generator would format the code, which takes a while.
    config.write_text("post_hooks: []\n")
    arguments = ("--path", document.name, "--output-path", str(folder), "--meta", "none")
    code, output = await _run(
        str(program), "generate", *arguments, "--config", config.name, folder=document.parent
    )
    assert code == 0, output
    return output


async def _run(program: str, *arguments: str, folder: Path) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        program,
        *arguments,
        cwd=folder,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, output.decode()

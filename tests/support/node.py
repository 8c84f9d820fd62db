"""Other people's JavaScript, run by Node."""

from __future__ import annotations

import asyncio
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

_FOLDER = Path(__file__).parents[1] / "node"


@dataclass(frozen=True)
class Node:
    """Runs scripts of ``tests/node``.

    Args:
        program: where Node is.
    """

    program: str

    async def run(self, script: str, *arguments: str, stdin: bytes = b"") -> str:
        """Run a script to its end; return its standard output."""
        process = await asyncio.create_subprocess_exec(
            self.program,
            str(_FOLDER / script),
            *arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, error = await process.communicate(stdin)
        assert process.returncode == 0, error.decode()
        return out.decode()

    def lend_packages(self, folder: Path) -> None:
        """Let scripts in `folder` import the same packages."""
        (folder / "node_modules").symlink_to(_FOLDER / "node_modules")


def find_node() -> Node:
    """Return Node; skip the test where it, or a package that scripts need, is missing."""
    program = shutil.which("node")
    if program is None:
        pytest.skip("there is no node on PATH")
    if not (_FOLDER / "node_modules").is_dir():
        pytest.skip("Node packages are missing: run python tests/node/install.py")
    return Node(program)

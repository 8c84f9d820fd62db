"""Installs the Node packages that some tests use, where there is npm.

The packages of this folder, or of the folder below that the command line names.
"""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

FOLDER = Path(__file__).parent.joinpath(*sys.argv[1:2])
WANTED = FOLDER / "package-lock.json"
INSTALLED = FOLDER / "node_modules" / ".installed.json"


def main() -> int:
    """Install what the lock file says, unless it is there already; return the exit code."""
    npm = shutil.which("npm")
    if npm is None:
        sys.stdout.write("no npm on PATH: the tests that need Node packages will be skipped\n")
        return 0
    with _alone():
        if INSTALLED.exists() and INSTALLED.read_bytes() == WANTED.read_bytes():
            return 0
        command = [npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--prefer-offline"]
        code = subprocess.run(command, cwd=FOLDER, check=False).returncode
        if code == 0:
            INSTALLED.write_bytes(WANTED.read_bytes())
        return code


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """Wait until no other environment of `tox run-parallel` installs."""
    with contextlib.closing(
        sqlite3.connect(FOLDER / ".install.lock", timeout=300, isolation_level=None)
    ) as lock:
        lock.execute("BEGIN EXCLUSIVE")
        yield


if __name__ == "__main__":
    sys.exit(main())

"""tox plugin: finds pyenv's Pythons, and reports the missing ones at the end.

tox loads this file because it stands beside tox.ini. tox itself finds the Pythons on PATH and
uv's. Of pyenv's, PATH has only the active version; the others are in `$PYENV_ROOT/versions`.
"""

from __future__ import annotations

import atexit
import os
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from tox.config.sets import ConfigSet
from tox.plugin import impl
from tox.plugin.manager import MANAGER
from tox.session.state import State
from tox.tox_env.api import ToxEnv
from tox.tox_env.errors import Skip
from tox.tox_env.python.api import NoInterpreter, Python

_RELEASE = re.compile(r"(\d+)\.(\d+)\.(\d+)")
# As in pyproject.toml. One Python that is too old to be asked, and tox finds none at all.
_OLDEST = (3, 11)


class MissingPythons:
    """The environments of a run whose interpreter was not found."""

    def __init__(self) -> None:
        self._names: set[str] = set()

    @impl
    def tox_env_teardown(self, tox_env: ToxEnv) -> None:
        """Note an environment that has ended without an interpreter."""
        try:
            _ = isinstance(tox_env, Python) and tox_env.base_python
        except (Skip, NoInterpreter):
            self._names.add(tox_env.name)

    def report(self) -> None:
        """Print the names of the environments, if there are any."""
        if self._names:
            names = ", ".join(sorted(self._names))
            print(  # noqa: T201  # a report for the terminal
                f"\n  !!! NOT TESTED: {names}: no such Python on PATH, in pyenv or in uv.\n"
                "  !!! `pyenv install VERSION` or `uv python install VERSION` adds one.",
                flush=True,
            )


@impl
def tox_add_core_config(core_conf: ConfigSet, state: State) -> None:
    """Let tox look for Pythons in pyenv, too, and report missing ones when it exits."""
    _ = core_conf
    options = state.conf.options
    if hasattr(options, "discover"):
        options.discover = [*options.discover, *map(str, find_pyenv_pythons(os.environ))]
    missing = MissingPythons()
    MANAGER.manager.register(missing)
    # tox has no hook after its summary, and what is printed before is not read.
    atexit.register(missing.report)


def find_pyenv_pythons(environ: Mapping[str, str]) -> Iterator[Path]:
    """Yield the newest release of each minor version in pyenv, except the running version's.

    tox tries these before PATH, and the environment of the running version shall use the
    interpreter that runs tox.
    """
    root = Path(environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    newest: dict[tuple[int, int], tuple[int, Path]] = {}
    for folder in root.glob("versions/*"):
        python = folder / "bin" / "python"
        release = _RELEASE.fullmatch(folder.name)
        if release is None or not os.access(python, os.X_OK):
            continue
        major, minor, patch = map(int, release.groups())
        if (major, minor) < _OLDEST:
            continue
        newest[major, minor] = max(newest.get((major, minor), (-1, python)), (patch, python))
    newest.pop(sys.version_info[:2], None)
    for _, (_, python) in sorted(newest.items()):
        yield python

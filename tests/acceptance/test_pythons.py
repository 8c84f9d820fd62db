"""tox runs the suite on every Python of the machine, and names those that are missing."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

TOXFILE = Path(__file__).parents[2] / "toxfile.py"
CONFIG = "[tox]\nenv_list = 3.97, 3.98\nskip_missing_interpreters = true\nno_package = true\n"
RUNNING = f"{sys.version_info.major}.{sys.version_info.minor}.99"


@pytest.fixture
def toxfile() -> ModuleType:
    spec = importlib.util.spec_from_file_location("toxfile", TOXFILE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_newest_release_of_each_version_is_found_in_pyenv(
    tmp_path: Path, toxfile: ModuleType
) -> None:
    for name in ("3.98.2", "3.98.10", "3.97.0", "2.7.18", RUNNING, "3.96.0rc1", "graal-1"):
        python = tmp_path / "versions" / name / "bin" / "python"
        python.parent.mkdir(parents=True)
        python.touch(mode=0o755)
    (tmp_path / "versions" / "3.98.11" / "bin").mkdir(parents=True)
    found = toxfile.find_pyenv_pythons({"PYENV_ROOT": str(tmp_path)})
    assert [python.parts[-3] for python in found] == ["3.97.0", "3.98.10"]


def test_the_last_lines_name_the_pythons_that_are_missing(tmp_path: Path) -> None:
    (tmp_path / "tox.ini").write_text(CONFIG)
    shutil.copy(TOXFILE, tmp_path)
    command = [sys.executable, "-m", "tox", "run"]
    # The suite itself runs in tox, whose variables would be options of this one.
    environ = {name: value for name, value in os.environ.items() if not name.startswith("TOX_")}
    ran = subprocess.run(
        command, cwd=tmp_path, env=environ, capture_output=True, text=True, check=False
    )
    assert "NOT TESTED: 3.97, 3.98: no such Python" in "\n".join(ran.stdout.splitlines()[-2:])

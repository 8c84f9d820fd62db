"""llama.cpp's own server inside this process, and the model it runs."""

from __future__ import annotations

import importlib
import importlib.util
import secrets
from pathlib import Path
from types import ModuleType

from biont.exceptions import BackendMissing
from biont_llm.local.model_file import find_model, name_model

_LIBRARY = "xllamacpp"
_INSTALL = "the local model needs llama.cpp: pip install 'biont[local]'"


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


def find_installed(configured: Path | None, folder: Path) -> Path:
    """Return the model's file without loading anything.

    Args:
        configured: the operator's own file, if there is one.
        folder: the folder of the pulled file.

    Raises:
        BackendMissing: it is missing, or the library that runs it is.
    """
    if importlib.util.find_spec(_LIBRARY) is None:
        raise BackendMissing(_INSTALL)
    return find_model(configured, folder)


def _import_library() -> ModuleType:
    try:
        return importlib.import_module(_LIBRARY)
    except ImportError as error:
        raise BackendMissing(f"{_INSTALL} ({error})") from error

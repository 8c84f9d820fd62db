"""llama.cpp's HTTP server inside this process.

States:

    starting --model loaded, metrics read--> listening --`close`--> stopped
       |
       +--not a model, not enough memory--> `BackendMissing`

The server listens as soon as the constructor returns. `close` blocks, together with all other
threads, until no client waits for an answer: the library holds the interpreter lock meanwhile.
Therefore the clients must be closed first.
"""

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


class LlamaServer:
    """Server of a model: speaks OpenAI's protocol on a free port of the loopback interface.

    Loading the small model takes a quarter of a second and 200 MB. The library stops all other
    threads meanwhile.

    Args:
        path: a GGUF file.
        context: tokens of prompt and answer together.
        threads: number of computing threads.

    Attributes:
        url: base URL of the API.
        api_key: random key, so that other users of this machine cannot use the server.
        model: readable name of the model.

    Raises:
        BackendMissing: llama.cpp is not installed, or cannot load the model.
    """

    def __init__(self, path: Path, *, context: int, threads: int) -> None:
        library = _import_library()
        self.api_key = secrets.token_hex(32)
        self.model = name_model(path)
        parameters = library.CommonParams()
        parameters.model.path = str(path)
        parameters.model_alias = {self.model}
        # Other users of the machine can reach the loopback interface too.
        parameters.api_keys = [self.api_key]
        parameters.hostnames = ["127.0.0.1"]
        parameters.port = 0
        parameters.n_ctx = context
        # Answers under way at the same time would share the context.
        parameters.n_parallel = 1
        parameters.fit_params = False
        parameters.ui = False
        # Otherwise llama.cpp writes its log to the standard error of the workbench.
        parameters.verbosity = -1
        # Needed by `handle_metrics` below.
        parameters.endpoint_metrics = True
        parameters.cpuparams.n_threads = threads
        parameters.cpuparams_batch.n_threads = threads
        try:
            self._server = library.Server(parameters)
        except RuntimeError as error:
            raise BackendMissing(
                f"llama.cpp cannot load {path}: {error} Is the file a whole GGUF file, and does "
                "plugins.llm.local.context fit into memory?"
            ) from error
        # A server that is freed before its first response hangs for ever.
        self._server.handle_metrics()
        self.url = f"{self._server.listening_address}/v1"

    def close(self) -> None:
        """Stop the server and free its memory; close all clients before.

        Blocks all threads of the process until no client waits for an answer.
        """
        del self._server


def find_runnable_model(configured: Path | None, folder: Path) -> Path:
    """Return the path of the model file, without loading library or model.

    Args:
        configured: the operator's own file; None without such a file.
        folder: folder of the pulled file.

    Raises:
        BackendMissing: the file or the library is missing.
    """
    if importlib.util.find_spec(_LIBRARY) is None:
        raise BackendMissing(_INSTALL)
    return find_model(configured, folder)


def _import_library() -> ModuleType:
    try:
        return importlib.import_module(_LIBRARY)
    except ImportError as error:
        raise BackendMissing(f"{_INSTALL} ({error})") from error

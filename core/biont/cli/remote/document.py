"""API document for the command line: of the server, or of this version of Biont.

The document of a server is fetched when a command needs it, and kept in the user's cache folder
for an hour. Shell completion asks no server: it takes the kept document, or the packaged one.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from biont.clock import SystemClock
from biont.exceptions import BiontError
from biont.user_cache import find_user_cache

if TYPE_CHECKING:
    from biont.client import Client

_KEPT_SECONDS = 3600
_PATH = "/api/v1/openapi.json"

Document = dict[str, Any]


def read_packaged_document() -> Document:
    """Return the document of this version of Biont."""
    text = (files("biont.client") / "assets" / "commands.json").read_text("utf-8")
    return cast("Document", json.loads(text))


def read_kept_document(server: str, *, seconds: float = _KEPT_SECONDS) -> Document | None:
    """Return the kept document of a server; None if there is none, or an old document.

    Args:
        server: the URL of the server.
        seconds: the largest age of the document.
    """
    path = _find_path(server)
    if path is None:
        return None
    try:
        if SystemClock().now().timestamp() - path.stat().st_mtime > seconds:
            return None
        return cast("Document", json.loads(path.read_bytes()))
    except (OSError, ValueError):  # Nothing is kept, or another process was killed meanwhile.
        return None


def fetch_document(client: Client, server: str) -> Document:
    """Return the document of a server, and keep the document.

    Raises:
        BiontError: the server does not answer.
    """
    from biont.client import ApiError, ClientError  # help must not wait
    from biont.client.commands import trim_document

    try:
        answer = client.request("GET", _PATH)
        document = trim_document(cast("Document", answer))
    except ApiError as error:
        if error.status in (401, 403, 404):
            # A server may show its document to nobody, but still take commands.
            return read_packaged_document()
        raise BiontError(str(error)) from error
    except (KeyError, TypeError, AttributeError) as error:
        raise BiontError(f"{server} has no API document of a workbench; check the URL") from error
    except ClientError as error:
        raise BiontError(str(error)) from error
    _keep(document, server)
    return document


def _keep(document: Document, server: str) -> None:
    path = _find_path(server)
    if path is None:
        return
    with contextlib.suppress(OSError):  # A cache that cannot be written only costs time.
        path.parent.mkdir(parents=True, exist_ok=True)
        # Another process may read the file at the same time.
        part = path.with_suffix(f".{os.getpid()}")
        part.write_text(json.dumps(document), "utf-8")
        part.replace(path)


def _find_path(server: str) -> Path | None:
    cache = find_user_cache(os.environ)
    digest = hashlib.sha256(server.rstrip("/").encode()).hexdigest()[:16]
    return None if cache is None else cache / f"api-{digest}.json"

"""Package index on the loopback, which pip and uv read as they read PyPI."""

from __future__ import annotations

import base64
import hashlib
import os
from pathlib import Path
from typing import Self
from zipfile import ZIP_STORED, ZipFile

from aiohttp import web
from aiohttp.test_utils import TestServer

from biont_llm.local.model_file import ModelRelease


def make_wheel(folder: Path, release: ModelRelease, content: bytes) -> Path:
    """Write a wheel of `release` that has `content` as the model's file; return its path."""
    name = release.package.replace("-", "_")
    information = f"{name}-{release.version}.dist-info"
    files = {
        f"{name}/__init__.py": b"raise ImportError('a model is found, and never imported')\n",
        f"{name}/{release.file}": content,
        f"{information}/METADATA": (
            f"Metadata-Version: 2.1\nName: {release.package}\nVersion: {release.version}\n"
            "Requires-Dist: llama-cpp-python\n"
        ).encode(),
        f"{information}/WHEEL": (
            b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        ),
    }
    record = [f"{path},sha256={_digest(data)},{len(data)}" for path, data in files.items()]
    record.append(f"{information}/RECORD,,\n")
    path = folder / f"{name}-{release.version}-py3-none-any.whl"
    with ZipFile(path, "w", ZIP_STORED) as archive:
        for inner, data in files.items():
            archive.writestr(inner, data)
        archive.writestr(f"{information}/RECORD", "\n".join(record))
    return path


class PackageIndex:
    """Serves wheels by PEP 503. Use `async with` to run it.

    Args:
        wheels: files to serve; more may be added while it runs.

    Attributes:
        requests: the paths that were asked for, in order.
    """

    def __init__(self, *wheels: Path) -> None:
        self.wheels = list(wheels)
        self.requests: list[str] = []

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_get("/simple/{project}/", self._list_wheels)
        app.router.add_get("/files/{name}", self._send_wheel)
        self._server = TestServer(app, host="127.0.0.1")
        await self._server.start_server()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._server.close()

    @property
    def environment(self) -> dict[str, str]:
        """The variables by which pip and uv use this index and no other."""
        url = str(self._server.make_url("/simple"))
        return {
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_INDEX_URL": url,
            "PIP_EXTRA_INDEX_URL": "",
            "PIP_FIND_LINKS": "",
            "PIP_NO_CACHE_DIR": "1",
            "PIP_RETRIES": "0",
            "UV_NO_CONFIG": "1",
            "UV_NO_CACHE": "1",
            "UV_DEFAULT_INDEX": url,
            "NO_PROXY": "127.0.0.1",
        }

    async def _list_wheels(self, request: web.Request) -> web.Response:
        self.requests.append(request.path)
        project = request.match_info["project"].replace("-", "_")
        names = [wheel.name for wheel in self.wheels if wheel.name.startswith(f"{project}-")]
        if not names:
            raise web.HTTPNotFound
        links = "".join(f'<a href="/files/{name}">{name}</a>' for name in names)
        page = f"<!DOCTYPE html><html><body>{links}</body></html>"
        return web.Response(text=page, content_type="text/html")

    async def _send_wheel(self, request: web.Request) -> web.FileResponse:
        self.requests.append(request.path)
        for wheel in self.wheels:
            if wheel.name == request.match_info["name"]:
                return web.FileResponse(wheel)
        raise web.HTTPNotFound


def _digest(data: bytes) -> str:
    digest = hashlib.sha256(data).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()

"""The bare twins of the workbench as a server: plain aiohttp, nothing else."""

from __future__ import annotations

import signal
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module

import orjson
from aiohttp import web

from benchmarks.child import Child, answer, tell
from benchmarks.served import Served


@dataclass(frozen=True)
class Answer(Served):
    """Answers one route with the same bytes again and again; a POST's JSON is parsed.

    Attributes:
        method: of the route.
        path: of the route.
        status: of each answer.
        body: of each answer.
        imports: modules that are imported first.
    """

    method: str = "GET"
    path: str = "/"
    status: int = 200
    body: str = ""
    imports: Sequence[str] = ()

    def make_app(self) -> web.Application:
        """Return the application with its one route."""
        for name in self.imports:
            import_module(name)
        body, reads = self.body.encode(), self.method == "POST"

        async def handle(request: web.Request) -> web.Response:
            if reads:
                orjson.loads(await request.read())
            return web.Response(body=body, status=self.status, content_type="application/json")

        app = web.Application()
        app.router.add_route(self.method, self.path, handle)
        return app


@dataclass(frozen=True)
class Imports(Child):
    """Imports modules and then does nothing.

    Attributes:
        names: of the modules.
    """

    names: Sequence[str]

    def main(self) -> None:
        """Import, say so, and wait to be ended; no event loop runs."""
        for name in self.names:
            import_module(name)
        tell("imported")
        signal.pause()

    async def run(self) -> None:
        """Nothing is left to do."""


@dataclass(frozen=True)
class FindImportable(Child):
    """Answers which modules can be imported here; libraries try for some that are absent.

    Attributes:
        names: of the modules.
    """

    names: Sequence[str]

    async def run(self) -> None:
        """Try all of them."""
        answer([name for name in self.names if _can_import(name)])


def _can_import(name: str) -> bool:
    try:
        import_module(name)
    except ModuleNotFoundError:
        return False
    return True

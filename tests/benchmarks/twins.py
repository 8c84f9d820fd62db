"""The bare twins of the workbench as a server: plain aiohttp, nothing else."""

from __future__ import annotations

import signal
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module

import jinja2
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
class TemplatePage(Served):
    """Answers one route with a page that jinja2 renders, of as many bytes as a given page.

    Attributes:
        path: of the route.
        body: the given page; its table is made of rows again, all else stands in the template.
    """

    path: str = "/"
    body: str = ""

    def make_app(self) -> web.Application:
        """Return the application with its one route."""
        head, *rows = self.body.split("<tr")
        last, _, tail = rows.pop().partition("</tr>") if rows else ("", "", "")
        size = sum(map(len, [*rows, last])) // max(len(rows) * _CELLS, 1)
        cells = [["x" * max(size - len("<td></td>"), 0)] * _CELLS] * len(rows)
        template = jinja2.Environment(autoescape=True).from_string(_PAGE)

        async def handle(_: web.Request) -> web.Response:
            text = template.render(head=head, tail=tail, rows=cells)
            return web.Response(text=text, content_type="text/html")

        app = web.Application()
        app.router.add_get(self.path, handle)
        return app


_CELLS = 6
_PAGE = """{{ head|safe }}{% for row in rows %}
<tr>{% for cell in row %}<td>{{ cell }}</td>{% endfor %}
</tr>{% endfor %}{{ tail|safe }}"""


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

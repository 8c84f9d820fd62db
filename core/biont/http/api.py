"""Routes as a plugin writes them: typed functions, marked by method and path."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from aiohttp import web

from biont.accounts.api_keys import Scope
from biont.http.problem_details import ProblemDetails

F = TypeVar("F", bound=Callable[..., Awaitable[object]])

ROOT = "/api/v1"


@dataclass(frozen=True)
class Dialect:
    """The ways of an API that is not of our own making.

    Its keys come as bearer tokens (``Authorization: Bearer asb_...``) as well.

    Attributes:
        write_problem: returns the response that tells of a problem.
    """

    write_problem: Callable[[ProblemDetails], web.Response]


@dataclass(frozen=True)
class Route:
    """One method on one path.

    Attributes:
        method: ``GET`` and so on.
        path: with parameters in braces: ``/api/v1/notes/{note_id}``.
        function: what answers it.
        scopes: the keys that may use it beside those of scope ``full``.
        public: whether it is open to all, without a key.
        status: the status of a success.
        tag: the group under which the documentation lists it.
        media_type: what a function answers that makes a response of its own, or each that
            it may answer; it may also do so only now and then: ``-> View | web.StreamResponse``.
        dialect: how keys and problems are told where that is not our own way.
    """

    method: str
    path: str
    function: Callable[..., Awaitable[object]]
    scopes: frozenset[Scope]
    public: bool
    status: int
    tag: str
    media_type: str | tuple[str, ...] | None = None
    dialect: Dialect | None = None


class Api:
    """The routes of one plugin.

    A route's function is async. Its first parameter is the `Request`; those
    named in the path come from there, ``body`` from the request's JSON, all
    others from the query; what has a default may be left out. Annotations say
    what is accepted and answered, and the function's docstring is its
    documentation::

        api = Api("notes")

        @api.get("/notes/{note_id}")
        async def read_note(request: Request, note_id: RowId) -> NoteView:
            \"\"\"Read a note.\"\"\"

    Args:
        tag: the group under which the documentation lists the routes.
        root: what goes before each path.
        dialect: how keys and problems are told where that is not our own way.
    """

    def __init__(self, tag: str, *, root: str = ROOT, dialect: Dialect | None = None) -> None:
        self._tag = tag
        self._root = root
        self._dialect = dialect
        self._routes: list[Route] = []

    def __iter__(self) -> Iterator[Route]:
        """Yield the routes in the order of their definition."""
        return iter(self._routes)

    def include(self, routes: Iterable[Route]) -> None:
        """Take in the routes of another, so that a plugin's may stand in several modules."""
        self._routes += routes

    def route(
        self,
        method: str,
        path: str,
        *,
        scopes: frozenset[Scope] = frozenset(),
        public: bool = False,
        status: int = 200,
        media_type: str | tuple[str, ...] | None = None,
    ) -> Callable[[F], F]:
        """Mark a function as what answers `method` on `path`; see `Route`."""

        def mark(function: F) -> F:
            self._routes.append(
                Route(
                    method,
                    self._root + path,
                    function,
                    scopes,
                    public,
                    status,
                    self._tag,
                    media_type,
                    self._dialect,
                )
            )
            return function

        return mark

    def get(
        self,
        path: str,
        *,
        scopes: frozenset[Scope] = frozenset(),
        public: bool = False,
        media_type: str | tuple[str, ...] | None = None,
    ) -> Callable[[F], F]:
        """Mark a function that reads."""
        return self.route("GET", path, scopes=scopes, public=public, media_type=media_type)

    def post(
        self,
        path: str,
        *,
        scopes: frozenset[Scope] = frozenset(),
        public: bool = False,
        status: int = 201,
        media_type: str | tuple[str, ...] | None = None,
    ) -> Callable[[F], F]:
        """Mark a function that creates something or starts an action."""
        return self.route(
            "POST", path, scopes=scopes, public=public, status=status, media_type=media_type
        )

    def patch(
        self, path: str, *, scopes: frozenset[Scope] = frozenset(), public: bool = False
    ) -> Callable[[F], F]:
        """Mark a function that changes the fields in the body and leaves all others."""
        return self.route("PATCH", path, scopes=scopes, public=public)

    def delete(
        self, path: str, *, scopes: frozenset[Scope] = frozenset(), public: bool = False
    ) -> Callable[[F], F]:
        """Mark a function that deletes; the response is 204 without a body."""
        return self.route("DELETE", path, scopes=scopes, public=public, status=204)

"""Declaration of routes: typed functions, marked by method and path."""

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
    """Conventions of a foreign API, such as OpenAI's, for errors and keys.

    Routes with a dialect accept API keys as bearer tokens (``Authorization: Bearer asb_...``) too.

    Attributes:
        write_problem: returns the error response for a problem.
    """

    write_problem: Callable[[ProblemDetails], web.Response]


@dataclass(frozen=True)
class Route:
    """One method on one path.

    Attributes:
        method: ``GET`` and so on.
        path: with parameters in braces: ``/api/v1/notes/{note_id}``.
        function: the route function.
        scopes: the key scopes that may use the route, in addition to ``full``.
        public: whether the route is open to callers without a key.
        status: the status of a successful response.
        tag: the group under which the documentation lists the route.
        media_type: the media type, or media types, of responses that the function builds itself.
            A function that builds only some of its responses returns
            ``View | web.StreamResponse``.
        dialect: the conventions for keys and errors; None for Biont's own.
        location: the path of the created object, for the header ``Location``; the names in braces
            are path parameters or fields of the result. None if nothing is created.
        problems: the statuses of problems besides those that follow from the parameters, such as
            404 for a path without parameters.
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
    location: str | None = None
    problems: tuple[int, ...] = ()


class Api:
    """Routes of one plugin or of the core.

    A route function is async, and its first parameter is the `Request`. Path
    parameters come from the path, ``body`` comes from the JSON body, and all others come from
    the query. A parameter with a default is optional. The annotations validate the input and
    encode the output; the docstring becomes the OpenAPI summary and description::

        api = Api("notes")

        @api.get("/notes/{note_id}")
        async def read_note(request: Request, note_id: RowId) -> NoteView:
            \"\"\"Read a note.\"\"\"

    Args:
        tag: the group under which the documentation lists the routes.
        root: the prefix of each path.
        dialect: the conventions for keys and errors; None for Biont's own.
    """

    def __init__(self, tag: str, *, root: str = ROOT, dialect: Dialect | None = None) -> None:
        self._tag = tag
        self._root = root
        self._dialect = dialect
        self._routes: list[Route] = []

    def __iter__(self) -> Iterator[Route]:
        """Yield the routes in order of definition."""
        return iter(self._routes)

    def include(self, routes: Iterable[Route]) -> None:
        """Add the routes of another `Api`, for plugins with routes in several modules."""
        self._routes += routes

    def route(  # noqa: PLR0913  # each is an option of a route
        self,
        method: str,
        path: str,
        *,
        scopes: frozenset[Scope] = frozenset(),
        public: bool = False,
        status: int = 200,
        media_type: str | tuple[str, ...] | None = None,
        location: str | None = None,
        problems: tuple[int, ...] = (),
    ) -> Callable[[F], F]:
        """Register a function as the route function of `method` and `path`; see `Route`."""

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
                    None if location is None else self._root + location,
                    problems,
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
        problems: tuple[int, ...] = (),
    ) -> Callable[[F], F]:
        """Register a GET route, for a function that reads."""
        return self.route(
            "GET", path, scopes=scopes, public=public, media_type=media_type, problems=problems
        )

    def post(
        self,
        path: str,
        *,
        scopes: frozenset[Scope] = frozenset(),
        public: bool = False,
        status: int = 201,
        media_type: str | tuple[str, ...] | None = None,
        location: str | None = None,
    ) -> Callable[[F], F]:
        """Register a POST route, for a function that creates something or starts an action."""
        return self.route(
            "POST",
            path,
            scopes=scopes,
            public=public,
            status=status,
            media_type=media_type,
            location=location,
        )

    def patch(
        self, path: str, *, scopes: frozenset[Scope] = frozenset(), public: bool = False
    ) -> Callable[[F], F]:
        """Register a PATCH route, for a function that changes the fields in the body only."""
        return self.route("PATCH", path, scopes=scopes, public=public)

    def delete(
        self,
        path: str,
        *,
        scopes: frozenset[Scope] = frozenset(),
        public: bool = False,
        problems: tuple[int, ...] = (),
    ) -> Callable[[F], F]:
        """Register a DELETE route; the response is 204 without a body."""
        return self.route(
            "DELETE", path, scopes=scopes, public=public, status=204, problems=problems
        )

"""Declaration of routes: typed functions, marked by method and path."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypedDict, TypeVar, Unpack

from aiohttp import web
from pydantic import JsonValue

from biont.accounts.principal import Scope
from biont.http.deprecation import Deprecation
from biont.http.problem_details import ProblemDetails
from biont.http.rate_class import RateClass
from biont.schema import Schema

F = TypeVar("F", bound=Callable[..., Awaitable[object]])

Present = Callable[..., Schema]
"""Function that returns the view of the object that a request changes."""

ROOT = "/api/v1"


@dataclass(frozen=True)
class Dialect:
    """Conventions for errors and keys: of a foreign API, such as OpenAI's, or of pages.

    Attributes:
        write_problem: returns the error response of a request for a problem.
        problem: the model of the body of an error response, for the documentation.
        read_key: returns the API key of a request without the header ``X-API-Key``, such as
            from a cookie; None for a bearer token (``Authorization: Bearer asb_...``). A route
            with keys in cookies guards itself against requests that other sites cause.
        read_user: returns the user whose rows an administrator looks at, for a request without
            the header ``X-User-ID``; None if the requests of the dialect never look.
        media_type: the media type of error responses, for the documentation.
        statuses: the statuses that `write_problem` changes, for the documentation.
    """

    write_problem: Callable[[web.Request, ProblemDetails], web.Response]
    problem: type[object] = object
    read_key: Callable[[web.Request], str | None] | None = None
    read_user: Callable[[web.Request], str | None] | None = None
    media_type: str = "application/json"
    statuses: Mapping[int, int] = field(default_factory=dict, hash=False)


@dataclass(frozen=True)
class Header:
    """Header of requests or responses, for the documentation.

    Attributes:
        name: the name of the header.
        description: the meaning of the header.
    """

    name: str
    description: str


class RouteOptions(TypedDict, total=False):
    """Options of a route; `Route` explains each of them."""

    operation: str | None
    described: bool
    takes_any_query: bool
    scopes: frozenset[Scope]
    readable: bool
    narrowable: bool
    admin: bool
    public: bool
    counts_itself: bool
    status: int
    media_type: str | tuple[str, ...] | None
    location: str | None
    problems: tuple[int, ...]
    example: Mapping[str, JsonValue] | None
    reads: tuple[Header, ...]
    sends: tuple[Header, ...]
    present: Present | None
    rate_class: RateClass | None
    quota: str | None
    deprecated: Deprecation | None


@dataclass(frozen=True)
class Route:
    """One method on one path.

    Attributes:
        method: ``GET`` and so on.
        path: with parameters in braces: ``/api/v1/notes/{note_id}``.
        function: the route function.
        tag: the group under which the documentation lists the route.
        tag_description: the description of the group.
        dialect: the conventions for keys and errors; None for Biont's own.
        operation: the `operationId`, by which generated clients name their functions: a verb and
            a noun, ``read_note``. None for the name of the route function.
        described: whether the documentation lists the route; false for pages of a browser.
        takes_any_query: whether a request may have query parameters that the function does not
            name, as links to pages often have; other routes refuse unknown parameters.
        scopes: the key scopes that may use the route, in addition to ``full`` and, for GET,
            ``read``.
        readable: whether a key of scope ``read`` may use the route; None for each GET route. False
            for a GET route that acts or shows a secret; true for a form that changes no rows.
        narrowable: whether a key that is narrowed to some events or models may use the route;
            false for a route that shows or does more than a narrowed key may.
        admin: whether the route is for administrators only.
        public: whether the route is open to callers without a key.
        counts_itself: whether the function of a public route limits the rate of its requests
            itself; requests to other public routes count for ``limits.public``.
        status: the status of a successful response.
        media_type: the media type, or media types, of responses that the function builds itself.
            A function that builds only some of its responses returns
            ``View | web.StreamResponse``.
        location: the path of the created object, for the header ``Location``; the names in braces
            are path parameters or fields of the result. None if nothing is created.
        problems: the statuses of problems besides those that follow from the signature, such as
            404 for a path without parameters.
        example: a body for the documentation; None to make one from the model of the body.
        reads: the request headers that the function reads.
        sends: the response headers that the function sends.
        present: returns the view of the object that the route changes, so that clients can send
            ``If-Match``. A plain function with the annotations of the route function's request
            and path parameters; it is called on a thread of the store and reads the database.
        rate_class: the rate that the requests count for; None for ``read`` or ``write`` by method.
        quota: the quota that the user must not have used up, such as ``webhooks``; see
            `biont.accounts.quotas`.
        deprecated: the deprecation of the route; None for a route that stays.
    """

    method: str
    path: str
    function: Callable[..., Awaitable[object]]
    tag: str
    tag_description: str
    dialect: Dialect | None = None
    operation: str | None = None
    described: bool = True
    takes_any_query: bool = False
    scopes: frozenset[Scope] = frozenset()
    readable: bool | None = None
    narrowable: bool = True
    admin: bool = False
    public: bool = False
    counts_itself: bool = False
    status: int = 200
    media_type: str | tuple[str, ...] | None = None
    location: str | None = None
    problems: tuple[int, ...] = ()
    example: Mapping[str, JsonValue] | None = field(default=None, hash=False)
    reads: tuple[Header, ...] = ()
    sends: tuple[Header, ...] = ()
    present: Present | None = None
    rate_class: RateClass | None = None
    quota: str | None = None
    deprecated: Deprecation | None = None

    @property
    def name(self) -> str:
        """The method and the path."""
        return f"{self.method} {self.path}"

    @property
    def allowed_scopes(self) -> list[Scope]:
        """The scopes of the keys that may use the route, in the order of `Scope`."""
        # A key of scope read does nothing, whatever the scopes say.
        others = self.scopes - {Scope.READ}
        reads = self.method == "GET" if self.readable is None else self.readable
        return [
            scope
            for scope in Scope
            if scope is Scope.FULL or scope in others or (scope is Scope.READ and reads)
        ]


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
        description: the description of the group.
        root: the prefix of each path.
        dialect: the conventions for keys and errors; None for Biont's own.
    """

    def __init__(
        self,
        tag: str,
        *,
        description: str = "",
        root: str = ROOT,
        dialect: Dialect | None = None,
    ) -> None:
        self._tag = tag
        self._description = description
        self._root = root
        self._dialect = dialect
        self._routes: list[Route] = []

    def __iter__(self) -> Iterator[Route]:
        """Yield the routes in order of definition."""
        return iter(self._routes)

    def include(self, routes: Iterable[Route]) -> None:
        """Add the routes of another `Api`, for plugins with routes in several modules."""
        self._routes += routes

    def route(self, method: str, path: str, **options: Unpack[RouteOptions]) -> Callable[[F], F]:
        """Register a function as the route function of `method` and `path`; see `Route`."""
        location = options.get("location")
        if location is not None:
            options["location"] = self._root + location

        def mark(function: F) -> F:
            self._routes.append(
                Route(
                    method,
                    self._root + path,
                    function,
                    self._tag,
                    self._description,
                    self._dialect,
                    **options,
                )
            )
            return function

        return mark

    def get(self, path: str, **options: Unpack[RouteOptions]) -> Callable[[F], F]:
        """Register a GET route, for a function that reads."""
        return self.route("GET", path, **options)

    def post(self, path: str, **options: Unpack[RouteOptions]) -> Callable[[F], F]:
        """Register a POST route, for a function that creates something or starts an action.

        The status of a successful response is 201 unless the options name another.
        """
        options.setdefault("status", 201)
        return self.route("POST", path, **options)

    def patch(self, path: str, **options: Unpack[RouteOptions]) -> Callable[[F], F]:
        """Register a PATCH route, for a function that changes the fields in the body only."""
        return self.route("PATCH", path, **options)

    def delete(self, path: str, **options: Unpack[RouteOptions]) -> Callable[[F], F]:
        """Register a DELETE route; the response is 204 without a body."""
        options["status"] = 204
        return self.route("DELETE", path, **options)

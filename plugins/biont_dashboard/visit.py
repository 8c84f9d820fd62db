"""Visit: one request of a browser, which reads the REST API with the key of the session.

Pages have no data of their own. All that a page shows is an answer of the REST API to the key of
the session, so a page can show nothing that the key may not read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from aiohttp import web
from pydantic import JsonValue

from biont import Request, Scope
from biont.accounts import User
from biont.exceptions import (
    BiontError,
    Conflict,
    Forbidden,
    InputProblem,
    InvalidInput,
    MalformedBody,
    NotFound,
    StoreUnavailable,
    Unauthorized,
)
from biont.http import SYSTEM, LocalAnswer, QueryValue, call_api
from biont_dashboard.sessions import read_key

Object = dict[str, JsonValue]
"""JSON object of the API."""


class ApiRefusal(BiontError):
    """The REST API has refused a call of a page; the answer says why."""

    def __init__(self, answer: LocalAnswer) -> None:
        problem = answer.read_json()
        detail = problem.get("detail") if isinstance(problem, dict) else None
        super().__init__(str(detail or f"the API has answered {answer.status}"))
        self.answer = answer


class _NotSignedIn(ApiRefusal, Unauthorized):
    pass


class _NotAllowed(ApiRefusal, Forbidden):
    pass


class _NotThere(ApiRefusal, NotFound):
    pass


class _NotNow(ApiRefusal, StoreUnavailable):
    pass


class _NotAccepted(ApiRefusal, MalformedBody):
    pass


class _NotPossible(ApiRefusal, Conflict):
    pass


class _NotValid(ApiRefusal, InvalidInput):
    def __init__(self, answer: LocalAnswer) -> None:
        InvalidInput.__init__(self, *_list_problems(answer))
        self.answer = answer


def _list_problems(answer: LocalAnswer) -> Sequence[InputProblem]:
    """Return the problems that the API has found in a request."""
    problem = answer.read_json()
    errors = list_objects(problem, "errors") if isinstance(problem, dict) else []
    return [
        InputProblem(
            str(error.get("detail")), str(error.get("parameter") or error.get("pointer") or "")
        )
        for error in errors
    ]


# A page answers with the status of the call that it could not make.
_REFUSALS: Mapping[int, type[ApiRefusal]] = MappingProxyType(
    {
        400: _NotAccepted,
        401: _NotSignedIn,
        403: _NotAllowed,
        404: _NotThere,
        # The path is there, but the plugin with this method of the path does not run.
        405: _NotThere,
        409: _NotPossible,
        422: _NotValid,
        503: _NotNow,
    }
)


class Listing(NamedTuple):
    """Page of a list, with the path of the next page.

    Attributes:
        rows: the rows.
        older: the path of the next page; None at the end.
        first: the path of the first page; None on the first page.
    """

    rows: Sequence[Object]
    older: str | None
    first: str | None


class Visit:
    """Request of a browser, with the session's access to the REST API.

    Attributes:
        request: the request of the browser.
        user: the user who has signed in.
        viewed: the user whose rows an administrator looks at; None for own rows.
        system: the state of the workbench.
        waiting: the number of tool calls that wait for an approval; None for none.
        key: the key of the session.
    """

    def __init__(self, request: Request, user: User, viewed: User | None = None) -> None:
        self.request = request
        self.user = user
        self.viewed = viewed
        self.system = request.workbench.get(SYSTEM)
        self.waiting: int | None = None
        self.key = read_key(request.http) or ""

    @property
    def http(self) -> web.Request:
        """The request of aiohttp."""
        return self.request.http

    @property
    def is_admin(self) -> bool:
        """True if the user is an administrator."""
        principal = self.request.principal
        return principal is not None and principal.is_admin

    @property
    def is_read_only(self) -> bool:
        """True if the session can change nothing."""
        principal = self.request.principal
        return principal is None or principal.scope is not Scope.FULL or self.viewed is not None

    def list_headers(self) -> Mapping[str, str]:
        """Return the headers of each call: the user whose rows are looked at."""
        return {} if self.viewed is None else {"X-User-ID": str(self.viewed.id)}

    def has_plugin(self, name: str) -> bool:
        """Return whether a plugin runs."""
        return name in self.system.running_plugins

    def need_plugin(self, name: str) -> None:
        """Check that the plugin of the page runs.

        Raises:
            NotFound: the plugin does not run.
        """
        if not self.has_plugin(name):
            raise NotFound(f"the plugin {name!r} does not run; see the page Plugins")

    async def call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, QueryValue] | None = None,
        body: JsonValue = None,
        headers: Mapping[str, str] | None = None,
    ) -> LocalAnswer:
        """Return the answer of the REST API to a call with the session's key."""
        return await call_api(
            self.http,
            method,
            path,
            key=self.key,
            query=query or {},
            body=body,
            headers={**self.list_headers(), **(headers or {})},
        )

    async def read(self, path: str, **query: QueryValue) -> Object:
        """Return the object with which the API answers ``GET path``.

        Raises:
            ApiRefusal: the API refuses the call.
        """
        return read_object(await self.call("GET", path, query=query))

    async def read_or_none(self, path: str, **query: QueryValue) -> Object | None:
        """Return the answer of the API; None for a route that is missing or closed to the key.

        Raises:
            ApiRefusal: the API refuses the call for another reason.
        """
        try:
            return await self.read(path, **query)
        except (_NotAllowed, _NotThere):
            # The plugin of the route does not run, or the key is narrowed.
            return None

    async def read_rows(self, path: str, **query: QueryValue) -> Sequence[Object]:
        """Return the rows of the first page of a list; none where `read_or_none` returns None.

        Raises:
            ApiRefusal: the API refuses the call for another reason.
        """
        found = await self.read_or_none(path, **query)
        return [] if found is None else list_rows(found)

    async def read_list(self, path: str, **query: QueryValue) -> Listing:
        """Return the page of a list that the query of this page names, by `cursor`."""
        found = await self.read(path, cursor=self.http.query.get("cursor"), **query)
        following = found.get("next")
        here = self.http.rel_url
        return Listing(
            list_rows(found),
            str(here.update_query(cursor=following)) if isinstance(following, str) else None,
            str(here.without_query_params("cursor")) if "cursor" in here.query else None,
        )

    async def count_waiting(self) -> None:
        """Count the tool calls that wait for an approval, which every page shows."""
        if self.has_plugin("agents"):
            waiting = await self.read_rows(
                "/api/v1/tool-calls", status="waiting", fields="id", limit=100
            )
            self.waiting = len(waiting) or None


def read_object(answer: LocalAnswer) -> Object:
    """Return the object of an answer of the API.

    Raises:
        ApiRefusal: the API has refused the call.
    """
    if not answer.is_ok:
        raise _REFUSALS.get(answer.status, _NotPossible)(answer)
    found = answer.read_json()
    return found if isinstance(found, dict) else {"data": found}


def list_rows(found: Object) -> Sequence[Object]:
    """Return the rows of an answer of the API."""
    return list_objects(found, "data")


def list_objects(found: Object, name: str) -> Sequence[Object]:
    """Return the objects of a list in an answer of the API; none if there is no such list."""
    data = found.get(name)
    return [row for row in data if isinstance(row, dict)] if isinstance(data, list) else []

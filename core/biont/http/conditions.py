"""Conditions of requests that change an object: ``If-Match`` and ``If-None-Match``.

Two clients that edit the same object would overwrite each other. A client that sends the ``ETag``
of its last reading in ``If-Match`` gets 412 instead, if the object has changed since then. The
condition is tested in the transaction of the change: nothing can happen between both.
"""

from __future__ import annotations

import typing
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import TypeVar

from aiohttp import hdrs

from biont.exceptions import PreconditionFailed
from biont.http.api import Present, Route
from biont.http.entity_tags import Tagger, is_known, is_wanted, read_tags
from biont.http.location import normalise_path
from biont.http.request import Request
from biont.store.companion import Companion, accompanied_by
from biont.store.transaction import Transaction

T = TypeVar("T")

CONDITIONS = (hdrs.IF_MATCH, hdrs.IF_NONE_MATCH)
"""The headers of conditions."""

_CHANGED = (
    "the object is not as If-Match or If-None-Match asks; read it again, then repeat the change"
)
_UNTESTED = (
    "this route cannot test If-Match or If-None-Match, so that nothing was done; leave both out"
)


class _Condition(Companion):
    """Companion that tests the condition of a request before its first write."""

    def __init__(self, test: Callable[[], None]) -> None:
        self._test = test
        self.is_tested = False

    def precede(self, _: Transaction) -> None:
        if not self.is_tested:
            self._test()
            self.is_tested = True


class ConditionalChange:
    """Route that changes an object if a condition is met.

    Args:
        tagger: makes the tags of the object.
        present: returns the present view of the object.
    """

    def __init__(self, tagger: Tagger, present: Present) -> None:
        self._tagger = tagger
        self._present = present

    async def call(
        self,
        request: Request,
        arguments: Mapping[str, object],
        change: Callable[[], Awaitable[T]],
    ) -> T:
        """Return the result of `change`.

        Args:
            request: the request with the condition.
            arguments: the parameters of the path.
            change: changes the object.

        Raises:
            InvalidInput: the condition is not valid.
            PreconditionFailed: the condition is not met; nothing was changed.
        """
        http, store = request.http, request.workbench.store
        for name in CONDITIONS:
            if name in http.headers:
                # Here already, so that a condition that is not valid is no work for the writer.
                read_tags(http, name)

        def test() -> None:
            tag = self._tagger.make_tag(self._present(request, **arguments))
            if not is_wanted(http, tag) or is_known(http, tag):
                raise PreconditionFailed(_CHANGED)

        condition = _Condition(test)
        with accompanied_by(condition):
            result = await change()
        if not condition.is_tested:
            # A change of nothing, such as an empty merge patch, has written nothing.
            await store.read(test)
        return result


def has_condition(request: Request) -> bool:
    """Return whether a request has a condition."""
    headers = request.http.headers
    return hdrs.IF_MATCH in headers or hdrs.IF_NONE_MATCH in headers


def refuse_conditions() -> typing.NoReturn:
    """Refuse a condition that cannot be tested.

    Raises:
        PreconditionFailed: always.
    """
    raise PreconditionFailed(_UNTESTED)


def make_taggers(routes: Iterable[Route]) -> dict[Route, Tagger]:
    """Return the tagger of each route that answers with an object that has tags.

    These are the routes that change an object and declare `present`, the GET route of the same
    path, and the route that creates such an object.
    """
    routes = list(routes)
    taggers: dict[str, Tagger] = {}
    for route in routes:
        if route.present is not None and normalise_path(route.path) not in taggers:
            view = typing.get_type_hints(route.present)["return"]
            taggers[normalise_path(route.path)] = Tagger(view)
    return {
        route: taggers[place]
        for route in routes
        if (place := _find_place(route)) is not None and place in taggers
    }


def _find_place(route: Route) -> str | None:
    """Return the path of the object that a route answers with."""
    if route.location is not None:
        return normalise_path(route.location)
    return normalise_path(route.path) if route.method == hdrs.METH_GET or route.present else None

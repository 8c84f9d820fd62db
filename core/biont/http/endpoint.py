"""A route made ready: its signature decides what is parsed, checked and answered."""

from __future__ import annotations

import inspect
import operator
import typing
from collections.abc import Mapping
from functools import lru_cache, reduce
from string import Formatter
from typing import TYPE_CHECKING

import orjson
from aiohttp import hdrs, web
from multidict import istr
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError, create_model
from yarl import URL

from biont.event import caused_by
from biont.exceptions import Forbidden, InvalidInput, MalformedBody, PluginError, point_to
from biont.http.api import Route
from biont.http.cause import read_cause
from biont.http.paging import Page
from biont.http.problems import answer_error
from biont.http.request import Request
from biont.keys import Scope

if TYPE_CHECKING:
    from biont.workbench import Workbench

_BODY = "body"
_KEY = istr("X-API-Key")
_JSON: Mapping[str, str] = {"Content-Type": "application/json"}


class Endpoint:
    """Answers the requests of one route.

    Args:
        owner: the plugin it belongs to.
        route: what was marked.
        workbench: handed on with each request.

    Raises:
        PluginError: the function's signature does not say what is needed.
    """

    def __init__(self, owner: str, route: Route, workbench: Workbench) -> None:
        self.owner = owner
        self.route = route
        self._workbench = workbench
        self._function = route.function
        self._dialect = route.dialect
        self._may_emit = route.method != "GET"
        self._scopes = {Scope.FULL, *route.scopes}
        hints = _read_hints(owner, route)
        self.path_names = {name for _, name, _, _ in Formatter().parse(route.path) if name}
        self.body: TypeAdapter[object] | None = None
        if _BODY in hints:
            self.body = _adapt(hints[_BODY])
        self.body_is_required = _is_required(route)
        self.parameters = _make_parameters(owner, route, hints, self.path_names)
        self._has_parameters = bool(self.parameters.model_fields)
        answer = _drop_response(hints["return"])
        self.answer = None if answer is type(None) else _adapt(answer)
        # To ask a class of theirs about each answer is slow; most routes need not.
        self._may_respond = answer is not hints["return"]
        self._is_list = isinstance(answer, type) and issubclass(answer, Page)

    async def answer_request(self, http: web.Request) -> web.StreamResponse:
        """Return the route's answer, or the problem that has come up."""
        try:
            request = await self._authorise(http)
            arguments = self._read_parameters(http)
            if self.body is not None:
                content = await http.read()
                if content or self.body_is_required:
                    arguments[_BODY] = self._check_body(_decode(http, content))
            if self._may_emit:
                with caused_by(read_cause(http.headers)):
                    result = await self._function(request, **arguments)
            else:
                result = await self._function(request, **arguments)
            return self._respond(http, result)
        except Exception as error:  # noqa: BLE001  # the one boundary, at which all end
            return answer_error(http, error, self._dialect)

    def _respond(self, http: web.Request, result: object) -> web.StreamResponse:
        if self._may_respond and isinstance(result, web.StreamResponse):
            return result
        if self.answer is None:
            return web.Response(status=204)
        return web.Response(
            body=self.answer.serializer.to_json(result),
            status=self.route.status,
            headers=_make_headers(http, result) if self._is_list else _JSON,
        )

    async def _authorise(self, http: web.Request) -> Request:
        if self.route.public:
            return Request(http, self._workbench, None)
        plain = http.headers.get(_KEY)
        if plain is None and self._dialect is not None:
            plain = _read_bearer(http)
        principal = self._workbench.keys.recall(plain) or await self._workbench.keys.check(plain)
        if principal.scope not in self._scopes:
            raise Forbidden(f"a key of scope {principal.scope} may not do this; use a full one")
        return Request(http, self._workbench, principal)

    def _read_parameters(self, http: web.Request) -> dict[str, object]:
        if not self._has_parameters and "?" not in http.raw_path:
            return {}
        try:
            values = self.parameters.model_validate({**http.query, **http.match_info})
        except ValidationError as error:
            raise InvalidInput.from_validation(error, lambda place: str(place[0])) from error
        return dict(values)

    def _check_body(self, document: object) -> object:
        assert self.body is not None  # noqa: S101  # narrows the type for mypy
        try:
            return self.body.validator.validate_python(document)
        except ValidationError as error:
            raise InvalidInput.from_validation(error, point_to) from error


def _read_bearer(http: web.Request) -> str | None:
    scheme, _, token = http.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def _decode(http: web.Request, body: bytes) -> object:
    content_type = http.headers.get(hdrs.CONTENT_TYPE)
    if content_type is not None and not _is_json(content_type):
        raise web.HTTPUnsupportedMediaType(
            text="the body must be JSON: send Content-Type: application/json"
        )
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise MalformedBody(f"the body is not JSON: {error}") from error


@lru_cache(maxsize=256)
def _is_json(content_type: str) -> bool:
    media_type = content_type.partition(";")[0].strip().lower()
    return media_type.endswith(("/json", "+json"))


def _is_required(route: Route) -> bool:
    body = inspect.signature(route.function).parameters.get(_BODY)
    return body is not None and body.default is inspect.Parameter.empty


def _read_hints(owner: str, route: Route) -> dict[str, object]:
    place = f"plugin {owner}, {route.method} {route.path}"
    hints: dict[str, object] = typing.get_type_hints(route.function, include_extras=True)
    names = list(inspect.signature(route.function).parameters)
    if not names or hints.get(names[0]) is not Request:
        raise PluginError(f"{place}: the function's first parameter must be a Request")
    missing = [name for name in [*names, "return"] if name not in hints]
    if missing:
        raise PluginError(f"{place}: annotate {', '.join(missing)}")
    del hints[names[0]]
    return hints


def _make_parameters(
    owner: str, route: Route, hints: Mapping[str, object], path_names: set[str]
) -> type[BaseModel]:
    signature = inspect.signature(route.function)
    names = [name for name in hints if name not in (_BODY, "return")]
    absent = path_names - set(names)
    if absent:
        raise PluginError(
            f"plugin {owner}, {route.method} {route.path}: "
            f"the function lacks the path's parameter {', '.join(sorted(absent))}"
        )
    fields: dict[str, tuple[object, object]] = {}
    for name in names:
        default = signature.parameters[name].default
        fields[name] = (hints[name], ... if default is inspect.Parameter.empty else default)
    config = ConfigDict(extra="forbid")
    # pydantic types what create_model takes as Any: fields are data here.
    return typing.cast(
        "type[BaseModel]",
        create_model("Parameters", __config__=config, **fields),  # type: ignore[call-overload]
    )


def _adapt(annotation: object) -> TypeAdapter[object]:
    return TypeAdapter(typing.cast("type[object]", annotation))


def _drop_response(answer: object) -> object:
    """Return what is left of an annotation without the responses that a function makes itself."""
    if isinstance(answer, type) and issubclass(answer, web.StreamResponse):
        return type(None)
    if web.StreamResponse in typing.get_args(answer):
        rest = [part for part in typing.get_args(answer) if part is not web.StreamResponse]
        return reduce(operator.or_, rest)
    return answer


def _make_headers(http: web.Request, result: object) -> Mapping[str, str]:
    if not isinstance(result, Page) or result.next is None:
        return _JSON
    url = URL(http.path).with_query({**http.query, "cursor": result.next})
    return {**_JSON, "Link": f'<{url}>; rel="next"'}

"""Endpoint: authenticates, validates and answers the requests of one route."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from functools import partial

from aiohttp import hdrs, web
from pydantic import TypeAdapter, ValidationError
from yarl import URL

from biont.accounts.principal import Principal
from biont.accounts.quotas import QUOTAS
from biont.event import set_cause
from biont.exceptions import Forbidden, InvalidInput, point_to
from biont.http.accept import check_accept, list_media_types
from biont.http.admission import Admission
from biont.http.api import Route
from biont.http.body import check_content_type, read_body
from biont.http.causation_headers import read_causation_headers
from biont.http.chosen_fields import drop_fields, make_choice
from biont.http.compression import compress_answer
from biont.http.conditions import ConditionalChange, has_condition, refuse_conditions
from biont.http.deprecation import DEPRECATION_HEADERS
from biont.http.entity_tags import Tagger
from biont.http.error_responses import answer_error
from biont.http.idempotency import IDEMPOTENCY_KEY, answer_once, refuse_streams
from biont.http.location import make_location
from biont.http.looks import USER_ID, begin_look, may_look
from biont.http.merge_patch import NOT_EMPTY
from biont.http.paging import Page
from biont.http.rate_class import find_rate_class
from biont.http.request import KEY_HEADER, OTHER_KEY, Request
from biont.http.request_id import begin_request
from biont.http.signature import BODY, read_signature
from biont.http.tagged_responses import respond_tagged
from biont.http.text_parameters import keep_known, read_texts
from biont.json_text import parse_json
from biont.runtime.containment import contain_exit
from biont.runtime.plugin_tasks import current_plugin
from biont.schema import Schema

_NO_QUOTA = nullcontext()
_JSON: Mapping[str, str] = {"Content-Type": "application/json"}


class Endpoint:
    """Answers the requests of one route.

    Args:
        owner: the plugin that has the route, or ``core``.
        route: the route.
        admission: decides which requests are answered.
        make_request: returns the request for the route function; the principal is None on
            a public route.
        uses: counts the requests of each key.
        tagger: makes the entity tags of the answers; None for answers without.

    Raises:
        PluginError: the function's signature is incomplete.
    """

    def __init__(
        self,
        owner: str,
        route: Route,
        *,
        admission: Admission,
        make_request: Callable[[web.Request, Principal | None], Request],
        uses: dict[int, int],
        tagger: Tagger | None = None,
    ) -> None:
        self.owner = owner
        self.route = route
        self._plugin = None if owner == "core" else owner
        # The core does not end the process, and the context takes 4 % of the time of a request.
        self._contain = contain_exit if self._plugin else nullcontext
        self._admission = admission
        self._rate_class = route.rate_class or find_rate_class(route.method)
        self._make_request = make_request
        self._uses = uses
        self._function = route.function
        self._dialect = route.dialect
        self._read_key = None
        if route.dialect is not None:
            self._read_key = route.dialect.read_key or _read_bearer
        # The header alone, or what a dialect has in its place, such as a cookie.
        self._reads_user = route.dialect is not None and route.dialect.read_user is not None
        self.shows_rows = may_look(route)
        # Clients of a foreign API send what that API takes.
        self._is_strict = route.dialect is None
        # Reading emits no events, so the most frequent requests skip the causation headers.
        self._may_emit = route.method != "GET"
        # A public route has no API key to which an idempotency key could belong.
        self.is_repeatable = route.method == hdrs.METH_POST and not route.public
        self._null_detail = NOT_EMPTY if route.method == hdrs.METH_PATCH else None
        media_type = route.media_type or "application/json"
        self._media_type = media_type if isinstance(media_type, str) else media_type[0]
        self._scopes = frozenset(route.allowed_scopes)
        self.signature = signature = read_signature(owner, route)
        self._body = signature.body
        self._has_parameters = bool(signature.parameters.model_fields)
        chooses = route.method == hdrs.METH_GET and self._is_strict
        self.field_choice = make_choice(signature.answer_type) if chooses else None
        # A route that creates an object may answer with something else, such as a number.
        is_tagged = tagger is not None and signature.answers_with(tagger.view)
        self.tagger = tagger if is_tagged else None
        self._change = None
        if tagger is not None and route.present is not None:
            self._change = ConditionalChange(tagger, route.present)
        self.accepts = list_media_types(route, signature)

    @property
    def takes_conditions(self) -> bool:
        """True if the route tests ``If-Match`` and ``If-None-Match``."""
        return self._change is not None or self.may_be_known

    @property
    def may_be_known(self) -> bool:
        """True if a client that knows the answer gets 304."""
        return self.tagger is not None and self.route.method == hdrs.METH_GET

    @property
    def may_be_minimal(self) -> bool:
        """True if the answer is short for a client that sends ``Prefer: return=minimal``."""
        tagger = self.tagger
        return tagger is not None and self._may_emit and self.signature.answer_type is tagger.view

    async def answer_request(self, http: web.Request) -> web.StreamResponse:
        """Return the response of the route function, or an error response."""
        if self.route.deprecated is not None:
            http[DEPRECATION_HEADERS] = self.route.deprecated.make_headers()
        response = await self._answer_request(http)
        if hdrs.ACCEPT_ENCODING in http.headers:
            await compress_answer(http, response)
        return response

    async def _answer_request(self, http: web.Request) -> web.StreamResponse:
        begin_request(http)
        try:
            request = await self._authorise(http)
            check_accept(http, self.accepts)
            arguments = self._read_parameters(http)
            content = b""
            if self._body is not None:
                # After authentication: a stranger's large body is never read.
                content = await read_body(http, is_required=self.signature.body_is_required)
                if content or self.signature.body_is_required:
                    arguments[BODY] = self._check_body(self._body, http, content)
            # aiohttp serves all requests of a connection in one task: reset the cause each time.
            set_cause(read_causation_headers(http.headers) if self._may_emit else None)
            # Tasks that the function creates belong to the plugin.
            current_plugin.set(self._plugin)
            if http.method == hdrs.METH_HEAD and self.signature.streams:
                # The headers alone: a stream has no end, and an export takes long.
                return web.Response(content_type=self._media_type)
            if self.is_repeatable and IDEMPOTENCY_KEY in http.headers:
                self._check_stream(arguments.get(BODY))
                answer = partial(self._answer, request, arguments)
                return await answer_once(request, self.route, content, answer)
            return self._respond(http, await self._call(request, arguments))
        except Exception as error:  # noqa: BLE001  # the one boundary of errors
            return answer_error(http, error, self._dialect)

    async def _answer(
        self, request: Request, arguments: Mapping[str, object]
    ) -> web.StreamResponse:
        """Return the response of the route function, or an error response."""
        try:
            return self._respond(request.http, await self._call(request, arguments))
        except Exception as error:  # noqa: BLE001  # as in `answer_request`
            return answer_error(request.http, error, self._dialect)

    async def _call(self, request: Request, arguments: Mapping[str, object]) -> object:
        """Return the result of the route function, if the condition of the request is met."""
        with self._contain(), self._guard_quota(request):
            if not self._may_emit or not has_condition(request):
                return await self._function(request, **arguments)
            if self._change is None:
                refuse_conditions()
            place = {name: arguments[name] for name in self.signature.path_names}
            change = partial(self._function, request, **arguments)
            return await self._change.call(request, place, change)

    def _guard_quota(self, request: Request) -> AbstractContextManager[None]:
        if self.route.quota is None:
            return _NO_QUOTA
        return request.workbench.get(QUOTAS).guard(self.route.quota, request.user_id)

    def _check_stream(self, body: object) -> None:
        """Refuse an idempotency key if the answer is a stream."""
        may_stream = self.signature.may_respond and getattr(body, "stream", False)
        if self.signature.streams or may_stream:
            refuse_streams()

    def _respond(self, http: web.Request, result: object) -> web.StreamResponse:
        signature = self.signature
        if signature.may_respond and isinstance(result, web.StreamResponse):
            return result
        if signature.answer is None:
            return web.Response(status=204)
        # Called directly: `TypeAdapter.dump_json` hands a dozen options on with each call.
        write = signature.answer.serializer.to_json
        chosen = None if self.field_choice is None else self.field_choice.read(http)
        content = write(result) if chosen is None else write(result, include=chosen)
        headers = self._make_headers(http, result)
        if self.tagger is not None and isinstance(result, Schema):
            return respond_tagged(http, self.route.status, headers, content, self.tagger, result)
        return web.Response(body=content, status=self.route.status, headers=headers)

    def _make_headers(self, http: web.Request, result: object) -> Mapping[str, str]:
        if self.signature.answers_page:
            return _make_page_headers(http, result)
        if self.route.location is None:
            return _JSON
        try:
            location = make_location(self.route.location, result, http.match_info)
        except AttributeError:
            if not self.signature.has_forms:
                raise
            # A form of the result that names no object, such as the number of a dry run.
            return _JSON
        return {**_JSON, hdrs.LOCATION: location}

    async def _authorise(self, http: web.Request) -> Request:
        if self.route.public:
            if not self.route.counts_itself:
                await self._admission.admit_stranger(http)
            return self._make_request(http, None)
        plain = http.headers.get(KEY_HEADER)
        if plain is None and self._read_key is not None:
            plain = self._read_key(http)
            if plain is not None:
                http[OTHER_KEY] = plain
        principal = await self._admission.admit(http, plain, self._rate_class)
        if principal.scope not in self._scopes:
            raise Forbidden(
                f"a key of scope {principal.scope} may not do this; use a key of scope "
                f"{' or '.join(self.route.allowed_scopes)}"
            )
        if self.route.admin and not principal.is_admin:
            raise Forbidden("only an administrator may do this; see `biont users role`")
        if not self.route.narrowable and principal.narrowing.is_narrow:
            raise Forbidden(
                "a key that is narrowed to some events or models may not do this; use another key"
            )
        uses = self._uses
        uses[principal.key_id] = uses.get(principal.key_id, 0) + 1
        request = self._make_request(http, principal)
        if USER_ID in http.headers or self._reads_user:
            return await begin_look(request, self.route)
        return request

    def _read_parameters(self, http: web.Request) -> dict[str, object]:
        # A route without parameters still refuses an unknown query parameter.
        if not self._has_parameters and "?" not in http.raw_path:
            return {}
        try:
            query = http.query if self.field_choice is None else drop_fields(http.query)
            if self.route.takes_any_query:
                query = keep_known(query, self.signature.texts)
            texts = read_texts(self.signature.texts, query, http.match_info)
            values = self.signature.parameters.model_validate(texts)
        except ValidationError as error:
            raise InvalidInput.from_validation(error, lambda place: str(place[0])) from error
        # Not `model_dump`, which would turn nested models into dictionaries.
        arguments = dict(values)
        for name, group in self.signature.groups.items():
            parts = {each: arguments.pop(each) for each in group.model_fields}
            arguments[name] = group.model_construct(**parts)
        return arguments

    def _check_body(self, body: TypeAdapter[object], http: web.Request, content: bytes) -> object:
        check_content_type(http)
        # Before the model, whose parser would accept NaN.
        parse_json(content)
        try:
            # As JSON, where strict still takes instants and enumerations from texts.
            return body.validator.validate_json(content, strict=self._is_strict)
        except ValidationError as error:
            raise InvalidInput.from_validation(
                error, point_to, null_detail=self._null_detail
            ) from error


def _read_bearer(http: web.Request) -> str | None:
    scheme, _, token = http.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def _make_page_headers(http: web.Request, result: object) -> Mapping[str, str]:
    if not isinstance(result, Page) or result.next is None:
        return _JSON
    url = URL(http.path).with_query({**http.query, "cursor": result.next})
    return {**_JSON, "Link": f'<{url}>; rel="next"'}

"""Idempotency keys: a request that is repeated with the same key takes effect once.

The header ``Idempotency-Key`` (draft-ietf-httpapi-idempotency-key-header) belongs to the API key
of the request. The states of a key:

    free --request begins--> running --answered--> answered --after some hours--> free
                               |--no effect, and an error--> free
                               |--crash before the commit--> free
                               |--crash after the commit---> claimed --after some hours--> free

A running key is in memory, the other states are rows (`biont.accounts.idempotency_records`). The
row is written by a companion of the request's writes, in the transaction of the effect.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Awaitable, Callable
from datetime import timedelta
from http import HTTPStatus

import orjson
import structlog
from aiohttp import hdrs, web
from multidict import CIMultiDict, istr

from biont.accounts.idempotency_records import (
    IdempotencyRecord,
    RequestMark,
    delete_request,
    find_request,
    save_request,
)
from biont.exceptions import Conflict, InputProblem, InvalidInput, StoreUnavailable, VaultError
from biont.http.api import Route
from biont.http.error_responses import write_problem
from biont.http.location import guess_location
from biont.http.problem_details import ProblemDetails
from biont.http.request import Request
from biont.http.request_id import get_request_id
from biont.services import Service
from biont.store.companion import Companion, accompanied_by
from biont.store.transaction import Transaction

IDEMPOTENCY_KEY = istr("Idempotency-Key")
REPLAYED = istr("Idempotency-Replayed")

# A string of a structured field (RFC 9651), or the same text without quotes.
_QUOTED = re.compile(r'"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"')
_PLAIN = re.compile(r"[\x20\x21\x23-\x7e][\x20-\x7e]*")
_LONGEST = 255

_RUNNING = "the first request with this Idempotency-Key is still running; repeat the request"
_LOST = "the first request with this Idempotency-Key took effect, but its answer is not known; "

_log = structlog.get_logger("biont.http")


class RunningKeys:
    """The idempotency keys of the requests that are being answered, with their fingerprints."""

    def __init__(self) -> None:
        self.fingerprints: dict[tuple[int, str], str] = {}


RUNNING_KEYS = Service[RunningKeys]("running idempotency keys", provider="core")


class _Claim(Companion):
    """Companion that records a request in the transaction of its effect."""

    def __init__(self, mark: RequestMark, locate: Callable[[object], str | None]) -> None:
        self._mark = mark
        self._locate = locate
        self.is_open = True
        self.has_effect = False

    def follow(self, transaction: Transaction, result: object) -> None:
        # A task that outlives the request still has this companion.
        if self.is_open:
            save_request(self._mark, self._locate(result))
            transaction.after_commit(self._note_effect)

    def _note_effect(self) -> None:
        self.has_effect = True


async def answer_once(
    request: Request,
    route: Route,
    content: bytes,
    answer: Callable[[], Awaitable[web.StreamResponse]],
) -> web.StreamResponse:
    """Answer a request with an idempotency key: by `answer`, or as the first time.

    Args:
        request: the request.
        route: the route of the request.
        content: the body, decompressed.
        answer: answers the request.

    Raises:
        InvalidInput: the idempotency key is not valid, or belongs to another request.
    """
    name = read_idempotency_key(request.http)
    running = request.workbench.get(RUNNING_KEYS).fingerprints
    mark = RequestMark(
        request.key_id,
        name,
        _make_fingerprint(request.http, content),
        request.workbench.clock.now(),
    )
    place = (mark.key_id, name)
    if place in running:
        _check_fingerprint(mark, running[place])
        return _refuse(request, route, _RUNNING, {hdrs.RETRY_AFTER: "1"})
    running[place] = mark.fingerprint
    try:
        record = await _find_record(request, mark)
        if record is not None:
            return _replay(request, route, mark, record)
        return await _answer_first(request, route, mark, answer)
    finally:
        del running[place]


async def _answer_first(
    request: Request,
    route: Route,
    mark: RequestMark,
    answer: Callable[[], Awaitable[web.StreamResponse]],
) -> web.StreamResponse:
    path = dict(request.http.match_info)
    claim = _Claim(mark, lambda result: guess_location(route.location, result, path))
    try:
        with accompanied_by(claim):
            response = await answer()
    finally:
        claim.is_open = False
    if response.status < HTTPStatus.BAD_REQUEST or (
        claim.has_effect and response.status < HTTPStatus.INTERNAL_SERVER_ERROR
    ):
        await _save_answer(request, mark, response)
    return response


def read_idempotency_key(http: web.Request) -> str:
    """Return the idempotency key of a request.

    Raises:
        InvalidInput: the header is not valid.
    """
    values = http.headers.getall(IDEMPOTENCY_KEY)
    text = values[0].strip()
    quoted = _QUOTED.fullmatch(text)
    if quoted is not None:
        text = re.sub(r'\\(["\\])', r"\1", quoted[1])
    if (
        len(values) > 1
        or len(text) > _LONGEST
        or not text
        or (quoted is None and not _PLAIN.fullmatch(text))
    ):
        raise InvalidInput(
            InputProblem(
                f"must be one text of 1-{_LONGEST} printable ASCII characters, with or without "
                "quotes",
                IDEMPOTENCY_KEY,
            )
        )
    return text


def refuse_streams() -> None:
    """Refuse an idempotency key of a request for a stream.

    Raises:
        InvalidInput: always.
    """
    raise InvalidInput(
        InputProblem(
            "cannot be used for a streamed answer, which is not stored and cannot be repeated; "
            "leave the header out, or ask for an answer in one piece",
            IDEMPOTENCY_KEY,
        )
    )


def _make_fingerprint(http: web.Request, content: bytes) -> str:
    head = f"{http.method} {http.raw_path}\n".encode(errors="surrogateescape")
    return hashlib.sha256(head + content).hexdigest()


def _check_fingerprint(mark: RequestMark, first: str) -> None:
    if mark.fingerprint != first:
        raise InvalidInput(
            InputProblem(
                "was sent before with another path or body; choose a new key for each request",
                IDEMPOTENCY_KEY,
            )
        )


async def _find_record(request: Request, mark: RequestMark) -> IdempotencyRecord | None:
    workbench = request.workbench
    record = await workbench.store.read(find_request, mark.key_id, mark.name)
    kept = timedelta(hours=workbench.settings.server.idempotency_hours)
    if record is not None and record.created_at < mark.created_at - kept:
        # Retention deletes records once an hour, so a record may be older than promised.
        await workbench.store.write(delete_request, record.id)
        return None
    return record


def _replay(
    request: Request, route: Route, mark: RequestMark, record: IdempotencyRecord
) -> web.Response:
    _check_fingerprint(mark, record.fingerprint)
    answer = None
    if record.answer is not None:
        try:
            answer = orjson.loads(request.workbench.vault.decrypt(record.answer))
        except VaultError as error:
            # The key that has encrypted the answer was taken out of the key file.
            _log.warning("a stored answer cannot be decrypted", error=str(error))
    if answer is None:
        if record.location is None:
            detail = _LOST + "look at the state before you send a new key"
            return _refuse(request, route, detail, {})
        detail = _LOST + "Location names the created object"
        return _refuse(request, route, detail, {hdrs.LOCATION: record.location})
    return web.Response(
        status=answer["status"],
        headers=CIMultiDict([*answer["headers"], (REPLAYED, "true")]),
        body=answer["body"].encode("latin-1"),
    )


def _refuse(request: Request, route: Route, detail: str, headers: dict[str, str]) -> web.Response:
    problem = ProblemDetails(
        409, detail, headers=headers, cause=Conflict, request_id=get_request_id()
    )
    return write_problem(request.http, problem, route.dialect)


async def _save_answer(request: Request, mark: RequestMark, response: web.StreamResponse) -> None:
    """Store an answer, so that a repeated request gets the same bytes."""
    body = response.body if isinstance(response, web.Response) else None
    if not isinstance(response, web.Response) or not isinstance(body, bytes | None):
        # A stream or a file: a repeated request learns that the first took effect.
        return
    text = orjson.dumps(
        {
            "status": response.status,
            "headers": [*response.headers.items()],
            # Each byte becomes one character.
            "body": (body or b"").decode("latin-1"),
        }
    ).decode()
    # An answer may have a secret, such as a new API key, of which the database has only a digest.
    token = request.workbench.vault.encrypt(text)
    try:
        await request.workbench.store.write(
            save_request, mark, response.headers.get(hdrs.LOCATION), token
        )
    except StoreUnavailable as error:
        # The effect is committed, so that the answer is right. A repeated request gets 409.
        _log.warning("an answer cannot be stored for repeated requests", error=str(error))

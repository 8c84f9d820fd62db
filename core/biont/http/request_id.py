"""Request id: names a request in its response, in its problem document and in the log.

aiohttp runs each request in a task of its own, so an id never reaches the next request of the
connection.
"""

from __future__ import annotations

import re
from contextvars import ContextVar

import structlog
import uuid_utils
from aiohttp import web
from multidict import istr

REQUEST_ID = istr("X-Request-ID")

_SANE = re.compile(r"[A-Za-z0-9._~:+/=@-]{1,100}")

_request_id: ContextVar[str | None] = ContextVar("biont_request_id", default=None)


def begin_request(http: web.BaseRequest) -> str:
    """Return the id of a request, and bind it to all log records of the running task.

    The client may choose the id by ``X-Request-ID``; an id that could forge a log line or a header
    is replaced.
    """
    request_id = http.headers.get(REQUEST_ID)
    if request_id is None or not _SANE.fullmatch(request_id):
        request_id = str(uuid_utils.uuid7())
    _request_id.set(request_id)
    structlog.contextvars.bind_contextvars(request_id=request_id)
    return request_id


def get_request_id() -> str | None:
    """Return the id of the request that the running task answers."""
    return _request_id.get()

"""Responses with an entity tag: whole, or as short as the client asks for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from http import HTTPStatus

from aiohttp import hdrs, web
from multidict import istr

from biont.exceptions import PreconditionFailed
from biont.http.compression import name_coded_tag
from biont.http.entity_tags import Tagger, is_known, is_wanted
from biont.http.looks import USER_ID
from biont.schema import Schema

PREFER = istr("Prefer")
PREFERENCE_APPLIED = istr("Preference-Applied")

# The client keeps the answer, and asks each time whether the answer is still right.
_REVALIDATE = "private, no-cache"
_MINIMAL = "return=minimal"
_ASKS_FOR_MINIMAL = re.compile(
    r'(?:^|,)\s*return\s*=\s*(?:minimal|"minimal")\s*(?:;[^,]*)?(?=,|$)', re.IGNORECASE
)


def respond_tagged(
    http: web.Request,
    status: int,
    headers: Mapping[str, str],
    content: bytes,
    tagger: Tagger,
    view: Schema,
) -> web.Response:
    """Return a response with the tag of an object.

    A client that knows the answer by ``If-None-Match`` gets 304. A client that asks for little by
    ``Prefer: return=minimal`` (RFC 7240) gets no content after a change, unless the answer says
    more than a later reading of the object would, such as a secret.

    Args:
        http: the request.
        status: the status of a whole response.
        headers: the headers of a whole response.
        content: the whole response.
        tagger: makes the tag.
        view: the object.

    Raises:
        InvalidInput: the condition of the request is not valid.
        PreconditionFailed: ``If-Match`` names another object.
    """
    if http.method in (hdrs.METH_GET, hdrs.METH_HEAD):
        tag = tagger.make_tag(view, content)
        kept: dict[str, str] = {
            hdrs.ETAG: f'"{tag}"',
            hdrs.CACHE_CONTROL: _REVALIDATE,
            hdrs.VARY: USER_ID,
        }
        if not is_wanted(http, tag):
            raise PreconditionFailed("the object is not the one that If-Match names")
        if is_known(http, tag):
            # As a whole response would have been sent (RFC 9110, section 15.4.5).
            kept[hdrs.ETAG] = f'"{name_coded_tag(http, tag, len(content))}"'
            kept[hdrs.VARY] = f"{USER_ID}, {hdrs.ACCEPT_ENCODING}"
            return web.Response(status=HTTPStatus.NOT_MODIFIED, headers=kept)
        return web.Response(body=content, status=status, headers={**headers, **kept})
    headers = {**headers, hdrs.ETAG: f'"{tagger.make_tag(view)}"'}
    if type(view) is tagger.view and _asks_for_minimal(http):
        return _respond_minimal(status, headers)
    return web.Response(body=content, status=status, headers=headers)


def _asks_for_minimal(http: web.BaseRequest) -> bool:
    return any(_ASKS_FOR_MINIMAL.search(each) for each in http.headers.getall(PREFER, ()))


def _respond_minimal(status: int, headers: Mapping[str, str]) -> web.Response:
    # 200 promises content; 201 says where the new object is.
    status = HTTPStatus.NO_CONTENT if status == HTTPStatus.OK else status
    rest = {name: value for name, value in headers.items() if name != hdrs.CONTENT_TYPE}
    return web.Response(status=status, headers={**rest, PREFERENCE_APPLIED: _MINIMAL})

"""Media types that a client accepts, by the header ``Accept`` (RFC 9110, section 12.5.1)."""

from __future__ import annotations

from functools import lru_cache

from aiohttp import hdrs, web

from biont.http.api import Route
from biont.http.signature import Signature

_JSON = "application/json"


def list_media_types(route: Route, signature: Signature) -> frozenset[str]:
    """Return the media types of the answers of a route; none for a route that need not choose."""
    if route.dialect is not None:
        # Clients of a foreign API ask for JSON also where they get a stream.
        return frozenset()
    kinds = (route.media_type,) if isinstance(route.media_type, str) else route.media_type or ()
    return frozenset({*kinds, *((_JSON,) if signature.answer is not None else ())})


def check_accept(http: web.BaseRequest, offered: frozenset[str]) -> None:
    """Check that a client accepts one of the media types that a route has.

    Args:
        http: the request.
        offered: the media types; none for a route that need not choose.

    Raises:
        web.HTTPNotAcceptable: the client accepts none of them.
    """
    accepted = http.headers.get(hdrs.ACCEPT)
    if accepted is None or not offered or accepted == "*/*" or _is_met(accepted, offered):
        return
    raise web.HTTPNotAcceptable(
        text=f"the answers of this path are {', '.join(sorted(offered))}; send Accept: */*"
    )


@lru_cache(maxsize=256)
def _is_met(accepted: str, offered: frozenset[str]) -> bool:
    for part in accepted.lower().split(","):
        media_type, *parameters = (piece.strip() for piece in part.split(";"))
        if "q=0" in parameters or any(each.startswith("q=0.000") for each in parameters):
            continue
        kind, _, subtype = media_type.partition("/")
        if subtype != "*":
            if media_type in offered:
                return True
        elif kind == "*" or any(each.startswith(f"{kind}/") for each in offered):
            return True
    return False

"""One call of an operation: the request, the same for each attempt."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import quote

QueryValue = str | int | float | bool | datetime | Sequence[str] | Sequence[int] | None
"""Value of a query parameter; None leaves the parameter out."""

_MERGE_PATCH = "application/merge-patch+json"


@dataclass(frozen=True)
class Call:
    """Request of an operation.

    Attributes:
        method: ``GET`` and so on.
        path: the path, with its parameters.
        query: the query parameters.
        headers: the headers besides the client's own.
        content: the body; None for a request without a body.
        is_repeatable: whether a second attempt after a lost answer does no harm.
    """

    method: str
    path: str
    query: Sequence[tuple[str, str]] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes | None = None
    is_repeatable: bool = True


def make_call(
    method: str,
    path: str,
    segments: Sequence[str | int] = (),
    *,
    query: Mapping[str, QueryValue] | None = None,
    headers: Mapping[str, str | None] | None = None,
    body: object = None,
) -> Call:
    """Return the call of an operation.

    A value None in `headers` leaves the header out, except for ``Idempotency-Key``: a new key is
    made, because the operation takes a key.

    Args:
        method: ``GET`` and so on.
        path: the path; each ``{}`` is replaced by the next of the `segments`.
        segments: the path parameters.
        query: the query parameters; None for no parameter; a sequence repeats a parameter.
        headers: the headers that the operation reads.
        body: the value of the JSON body; None for a request without a body.
    """
    given = dict(headers or {})
    if "Idempotency-Key" in given:
        given["Idempotency-Key"] = given["Idempotency-Key"] or str(uuid.uuid4())
    sent = {name: value for name, value in given.items() if value is not None}
    content = None
    if body is not None:
        sent["Content-Type"] = _MERGE_PATCH if method == "PATCH" else "application/json"
        content = json.dumps(body, default=_encode, allow_nan=False).encode()
    return Call(
        method,
        _fill(path, segments),
        [pair for name, value in (query or {}).items() for pair in _list_pairs(name, value)],
        sent,
        content,
        # A condition fails at the second attempt because of the effect of the first.
        is_repeatable=("Idempotency-Key" in sent if method == "POST" else "If-Match" not in sent),
    )


def _fill(path: str, segments: Sequence[str | int]) -> str:
    for segment in segments:
        # A point alone would be taken for a step in the path.
        path = path.replace("{}", quote(str(segment), safe="").replace(".", "%2E"), 1)
    return path


def _list_pairs(name: str, value: QueryValue) -> list[tuple[str, str]]:
    if value is None:
        return []
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [(name, str(each)) for each in value]
    if isinstance(value, bool):
        return [(name, str(value).lower())]
    return [(name, value.isoformat() if isinstance(value, datetime) else str(value))]


def _encode(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"a {type(value).__name__} is no JSON value")

"""Requests to outside systems: JSON to send, and answers that say why a message is refused."""

from __future__ import annotations

import math
from collections.abc import Mapping

import orjson
from pydantic import BaseModel, SecretStr
from yarl import URL

from biont import IntegrationContext
from biont.egress import EgressResponse
from biont.exceptions import DeliveryFailed, ForbiddenAddress, RequestFailed

_REASON_LIMIT = 200
_LONGEST_WAIT = 86_400.0

_HINTS: Mapping[int, str] = {
    401: "the token or the URL is not valid",
    403: "the token or the URL does not permit this",
    404: "the URL, the channel or the room does not exist",
    410: "the URL, the channel or the room does not exist any more",
    429: "too many messages",
}


async def send_json(
    context: IntegrationContext[BaseModel],
    url: URL | str,
    document: Mapping[str, object] | None,
    *,
    method: str = "POST",
    headers: Mapping[str, SecretStr] | None = None,
) -> Mapping[str, object]:
    """Send a JSON document; return the JSON object of the answer, empty for any other answer.

    Args:
        context: the connection.
        url: the URL.
        document: the document; None for a request without a body.
        method: the HTTP method.
        headers: headers with secret values.

    Raises:
        DeliveryFailed: the system did not accept the request, also by ``{"ok": false}`` with
            status 200; the message says why.
    """
    sent = {} if document is None else {"Content-Type": "application/json"}
    own = {name: value.get_secret_value() for name, value in (headers or {}).items()}
    try:
        response = await context.egress.request(
            method,
            url,
            body=b"" if document is None else orjson.dumps(document),
            headers=sent | own,
            timeout=context.timeout,
        )
    except (ForbiddenAddress, RequestFailed) as error:
        raise DeliveryFailed(str(error)) from error
    except TimeoutError:
        raise DeliveryFailed("the system did not answer in time") from None
    answer = _read_object(response.body)
    if not 200 <= response.status < 300:
        raise _make_error(response, answer)
    if answer.get("ok") is False:
        raise DeliveryFailed(f"the system refused the message: {_find_reason(answer) or 'not ok'}")
    return answer


def join_secret_token(token: str) -> SecretStr:
    """Return the value of a header ``Authorization`` with a token."""
    return SecretStr(f"Bearer {token}")


def truncate(text: str, limit: int) -> str:
    """Return `text` in at most `limit` characters."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def truncate_bytes(text: str, limit: int) -> str:
    """Return the beginning of `text` in at most `limit` bytes of UTF-8."""
    return text.encode(errors="replace")[:limit].decode(errors="ignore")


def _make_error(response: EgressResponse, answer: Mapping[str, object]) -> DeliveryFailed:
    words = [f"the system answered with status {response.status}"]
    if hint := _HINTS.get(response.status):
        words.append(hint)
    if reason := _find_reason(answer):
        words.append(reason)
    error = DeliveryFailed(": ".join(words))
    error.retry_after = _find_wait(response, answer)
    return error


def _find_reason(answer: Mapping[str, object]) -> str | None:
    """Return the reason in an answer, by the names that the known systems use."""
    for name in ("description", "error", "message", "errcode"):
        reason = answer.get(name)
        if isinstance(reason, str) and reason:
            return truncate("".join(filter(str.isprintable, reason)), _REASON_LIMIT)
    return None


def _find_wait(response: EgressResponse, answer: Mapping[str, object]) -> float | None:
    """Return the seconds to wait that an answer asks for, by header or in the JSON object."""
    parameters = answer.get("parameters")
    inner = parameters.get("retry_after") if isinstance(parameters, dict) else None
    milliseconds = answer.get("retry_after_ms")
    scaled = milliseconds / 1000 if isinstance(milliseconds, int | float) else None
    for found in (answer.get("retry_after"), inner, scaled, response.headers.get("Retry-After")):
        try:
            wait = float(str(found))
        except ValueError:
            continue
        if math.isfinite(wait):
            return min(max(wait, 0.0), _LONGEST_WAIT)
    return None


def _read_object(body: bytes) -> Mapping[str, object]:
    try:
        found = orjson.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}

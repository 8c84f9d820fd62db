"""Incoming message: one request of another system, as a JSON document.

Filters, templates and signature templates name values of the document by paths::

    {"event": "issues", "delivery_id": "72d3162e", "headers": {"x-github-event": "issues"},
     "query": {}, "body": {"action": "opened"}}

The names of headers are in lower case. A form is an object of texts; a form with the field
``payload``, as GitHub and Slack send it, is the JSON document of that field.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import HTTP
from functools import cached_property

from pydantic import JsonValue

from biont import JsonObject
from biont.exceptions import MalformedBody
from biont.http import parse_form, parse_json

CREDENTIALS = frozenset(
    {"authorization", "cookie", "proxy-authorization", "x-api-key", "x-gitlab-token"}
)
"""Headers that hold a secret of the sender or the webhook."""

_LONGEST_EVENT = 200
_MOST_FIELDS = 1000
_FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class IncomingMessage:
    """Request of another system.

    Attributes:
        headers: the headers, with names in lower case; repeated headers are joined by commas.
        query: the parameters of the query.
        content: the exact bytes of the body.
        url: the URL, as the sender knows it.
    """

    headers: Mapping[str, str]
    query: Mapping[str, str]
    content: bytes
    url: str

    @cached_property
    def body(self) -> JsonValue:
        """The body: the JSON document, an object of the fields of a form, or a text.

        Raises:
            MalformedBody: the body is not what its content type says.
            InvalidInput: the JSON document cannot be kept exactly.
        """
        content_type = self.headers.get("content-type", "")
        media_type = content_type.partition(";")[0].strip().lower()
        if media_type == _FORM:
            return _open_payload(self.form)
        if media_type == "multipart/form-data":
            return _open_payload(_read_multipart(content_type, self.content))
        if media_type.startswith("text/"):
            return _decode(self.content)
        if not self.content:
            return None
        return _read_json(self.content)

    @cached_property
    def form(self) -> dict[str, str]:
        """The fields of a form; empty for any other body."""
        if not self.headers.get("content-type", "").lower().startswith(_FORM):
            return {}
        return dict(parse_form(self.content))

    def make_document(self, event: object = None, delivery_id: str | None = None) -> JsonObject:
        """Return the document of the request.

        Args:
            event: the sender's name of the event.
            delivery_id: the id of the request.
        """
        return {
            "event": event[:_LONGEST_EVENT] if isinstance(event, str) else None,
            "delivery_id": delivery_id,
            # Without credentials, which templates would copy into events and notes.
            "headers": {
                name: value for name, value in self.headers.items() if name not in CREDENTIALS
            },
            "query": dict(self.query),
            "body": self.body,
        }


def _read_json(content: bytes) -> JsonValue:
    # `parse_json` returns what JSON has: the type of the parser is only wider.
    document: JsonValue = parse_json(content)  # type: ignore[assignment]  # see above
    return document


def _open_payload(form: Mapping[str, str]) -> JsonValue:
    payload = form.get("payload", "")
    if payload.startswith("{"):
        return _read_json(payload.encode())
    return dict(form)


def _decode(content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise MalformedBody("the body must be text in UTF-8") from error


def _read_multipart(content_type: str, content: bytes) -> dict[str, str]:
    """Return the text fields of a multipart form; files are left out."""
    if re.search(r"boundary=", content_type, re.IGNORECASE) is None:
        raise MalformedBody("the Content-Type multipart/form-data needs a boundary")
    head = f"Content-Type: {content_type}\r\n\r\n".encode(errors="replace")
    message = BytesParser(EmailMessage, policy=HTTP).parsebytes(head + content)
    fields: dict[str, str] = {}
    for part in message.iter_parts():
        name = part.get_param("name", header="content-disposition")
        if isinstance(name, str) and part.get_filename() is None and len(fields) < _MOST_FIELDS:
            payload = part.get_payload(decode=True)
            fields[name] = _decode(payload if isinstance(payload, bytes) else b"")
    return fields

"""Messages as outside systems want them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import orjson
from yarl import URL

from biont_integrations.settings import Kind


@dataclass(frozen=True)
class Post:
    """What is posted, and where.

    Attributes:
        url: where to.
        body: JSON.
    """

    url: URL
    body: bytes


def format_message(kind: Kind, url: URL, title: str, text: str) -> Post:
    """Return a message as a system of that kind wants it; what is too long for it is cut."""
    return _FORMATS[kind](url, title, text)


def _format_json(url: URL, title: str, text: str) -> Post:
    return _post(url, {"title": title, "text": text})


def _format_slack(url: URL, title: str, text: str) -> Post:
    # https://docs.slack.dev/messaging/formatting-message-text: these three are escaped.
    content = f"*{title}*\n{text}"
    for sign, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        content = content.replace(sign, entity)
    return _post(url, {"text": _cut(content, 40_000)})


def _format_discord(url: URL, title: str, text: str) -> Post:
    # https://discord.com/developers/docs/resources/webhook: 2,000 characters, and what a
    # model writes shall call nobody.
    content = _cut(f"**{title}**\n{text}", 2000)
    return _post(url, {"content": content, "allowed_mentions": {"parse": []}})


def _format_ntfy(url: URL, title: str, text: str) -> Post:
    # https://docs.ntfy.sh/publish/#publish-as-json: posted to the root, 4,096 bytes.
    message = text.encode()[:4096].decode(errors="ignore")
    # What is behind the question mark may be what it is let in by.
    server = url.parent.with_query(url.query)
    return _post(server, {"topic": url.name, "title": title, "message": message})


def _post(url: URL, document: Mapping[str, object]) -> Post:
    return Post(url, orjson.dumps(document))


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


_FORMATS: Mapping[Kind, Callable[[URL, str, str], Post]] = {
    Kind.JSON: _format_json,
    Kind.SLACK: _format_slack,
    Kind.DISCORD: _format_discord,
    Kind.NTFY: _format_ntfy,
}

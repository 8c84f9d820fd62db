"""Message formats of the integration kinds: JSON, Slack, Discord, ntfy."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import orjson
from yarl import URL

from biont_integrations.settings import Kind


@dataclass(frozen=True)
class Post:
    """HTTP request of a message.

    Attributes:
        url: the URL to post to.
        body: the JSON body.
    """

    url: URL
    body: bytes


def format_message(kind: Kind, url: URL, title: str, text: str) -> Post:
    """Return the request for a message; a text above the limit of the kind is truncated."""
    return _FORMATS[kind](url, title, text)


def _format_json(url: URL, title: str, text: str) -> Post:
    return _make_post(url, {"title": title, "text": text})


def _format_slack(url: URL, title: str, text: str) -> Post:
    # https://docs.slack.dev/messaging/formatting-message-text: these three characters
    # must be escaped.
    content = f"*{title}*\n{text}"
    for sign, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        content = content.replace(sign, entity)
    return _make_post(url, {"text": _truncate(content, 40_000)})


def _format_discord(url: URL, title: str, text: str) -> Post:
    # https://discord.com/developers/docs/resources/webhook: at most 2,000 characters. No
    # mentions, because a model writes the text and could notify everybody by `@everyone`.
    content = _truncate(f"**{title}**\n{text}", 2000)
    return _make_post(url, {"content": content, "allowed_mentions": {"parse": []}})


def _format_ntfy(url: URL, title: str, text: str) -> Post:
    # https://docs.ntfy.sh/publish/#publish-as-json: JSON goes to the root of the server, with
    # at most 4,096 bytes.
    message = text.encode()[:4096].decode(errors="ignore")
    # ntfy accepts an access token in the query, so the query stays.
    server = url.parent.with_query(url.query)
    return _make_post(server, {"topic": url.name, "title": title, "message": message})


def _make_post(url: URL, document: Mapping[str, object]) -> Post:
    return Post(url, orjson.dumps(document))


def _truncate(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


_FORMATS: Mapping[Kind, Callable[[URL, str, str], Post]] = {
    Kind.JSON: _format_json,
    Kind.SLACK: _format_slack,
    Kind.DISCORD: _format_discord,
    Kind.NTFY: _format_ntfy,
}

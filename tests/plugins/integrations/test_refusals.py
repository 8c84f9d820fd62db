"""Integrations: refusals of Slack and Discord, as their servers word them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import orjson
import pytest
from aiohttp import web

from biont.testing import ApiClient, ModelServer, WebhookReceiver


@pytest.fixture
def sections(scripted: ModelServer) -> dict[str, object]:
    return scripted.sections


def respond(status: int, document: object) -> Callable[[web.Request], Awaitable[web.Response]]:
    """Return a server's function that answers with a JSON document."""

    async def answer(_: web.Request) -> web.Response:
        return web.Response(
            status=status, body=orjson.dumps(document), content_type="application/json"
        )

    return answer


@pytest.mark.parametrize(
    ("kind", "status", "document", "reason"),
    [
        ("slack", 200, {"ok": False, "error": "channel_not_found"}, "channel_not_found"),
        ("slack", 404, {"ok": False, "error": "no_service"}, "no_service"),
        (
            "discord",
            429,
            {"message": "You are being rate limited.", "retry_after": 1.5, "global": False},
            "You are being rate limited.",
        ),
        ("discord", 401, {"message": "Invalid Webhook Token", "code": 50027}, "Invalid Webhook"),
    ],
)
async def test_a_refusal_is_told_with_the_words_of_the_system(
    client: ApiClient,
    receiver: WebhookReceiver,
    kind: str,
    status: int,
    document: object,
    reason: str,
) -> None:
    made = await client.post(
        "/integrations", {"name": "team", "kind": kind, "settings": {"url": receiver.url}}
    )
    receiver.respond = respond(status, document)
    answered, problem = await client.ask("POST", "/integrations/team/send", {"title": "Hi"})
    assert (answered, reason in str(problem["detail"])) == (502, True)
    view = await client.get(f"/integrations/{made['id']}")
    assert view["failing"] is True
    assert reason in str(view["last_error"])
    receiver.respond = respond(200, {"ok": True})
    assert (await client.ask("POST", "/integrations/team/send", {"title": "Hi"}))[0] == 204
    assert (await client.get(f"/integrations/{made['id']}"))["failing"] is False

"""Page of integrations: connections, sent messages, and the form of a message."""

from __future__ import annotations

import pytest
from dashboard.conftest import Visit
from support.visitor import Visitor

from biont import Scope
from biont.testing import WebhookReceiver

PAGE = "/dashboard/integrations"


async def test_without_connections_the_page_says_how_to_add_one(visitor: Visitor) -> None:
    assert "plugins.integrations.connections" in (await visitor.open(PAGE)).text


class TestWithConnections:
    """A workbench with two connections."""

    @pytest.fixture
    def sections(self, receiver: WebhookReceiver) -> dict[str, object]:
        """Connections to the receiver."""
        host = receiver.url.split("/")[2]
        connections = {
            "team": {"url": receiver.url, "kind": "slack"},
            "board": {"url": receiver.url, "kind": "json"},
        }
        return {
            "egress": {"allow": [host]},
            "plugins": {"integrations": {"connections": connections}},
        }

    async def test_message_is_sent_by_the_form_and_listed(
        self, visitor: Visitor, receiver: WebhookReceiver
    ) -> None:
        screen = await visitor.open(f"{PAGE}?to=team")
        assert "No messages yet" in screen.text
        sent = {"body.title": "<b>Deployed</b>", "body.text:optional": "All good"}
        screen = await visitor.press(screen, "Send", **sent)
        assert "The message is sent." in screen.text
        assert "&lt;b&gt;Deployed" in screen.text
        assert b"All good" in receiver.requests[0].body

    async def test_refused_message_says_why(
        self, visitor: Visitor, receiver: WebhookReceiver
    ) -> None:
        receiver.status = 500
        screen = await visitor.press(
            await visitor.open(PAGE), "Send", **{"body.title": "Deployed"}
        )
        assert screen.status == 502
        assert "answered with status 500" in screen.text

    async def test_read_only_session_and_other_users_see_no_messages_to_send(
        self, visit: Visit
    ) -> None:
        visitor = await visit()
        screen = await visitor.open(f"{PAGE}?to=team")
        await visitor.press(screen, "Send", **{"body.title": "Secret plan"})
        reader = await visit("ada", Scope.READ)
        screen = await reader.open(PAGE)
        assert ("Secret plan" in screen.text, "/dashboard/act" in screen.text) == (True, False)
        assert "Secret plan" not in (await (await visit("bob")).open(PAGE)).text

"""Page of the echo receiver: signed requests before there is a receiver."""

from __future__ import annotations

import hmac
import html
import re

import orjson
import pytest
from dashboard.conftest import Visit
from support.visitor import Visitor

from biont import Scope
from biont.testing import ApiClient, rows_of

PATH = "/dashboard/webhooks/echo"
START = "Start the echo receiver"


async def test_echo_receiver_shows_the_signed_requests(
    visitor: Visitor, client: ApiClient
) -> None:
    for page in ("/dashboard", "/dashboard/webhooks"):
        assert f'href="{PATH}"' in (await visitor.open(page)).text
    shown = await visitor.press(await visitor.open(PATH), START)
    secret = re.search(r"whsec_[A-Za-z0-9+/=]+", shown.text)
    assert secret is not None
    screen = await visitor.open(PATH)
    assert "Waiting for the first event" in screen.text
    assert secret[0] not in screen.text
    await visitor.press(screen, "Send an event")
    note = {"title": "<script>x</script> it's", "content": "x"}
    await client.post("/notes", {**note})
    screen = await visitor.open(PATH)
    listing = screen.text.partition('id="messages"')[2]
    assert listing.index("note_created") < listing.index("custom_hello")
    requests = re.findall(r'aria-label="Request">(.+?)</pre>', screen.text, re.DOTALL)
    assert len(requests) == 2
    for request in map(html.unescape, requests):
        head, _, body = request.partition("\n\n")
        signature = re.search(r"X-ASI-Signature: (\w+)", head)
        assert signature is not None
        assert hmac.new(secret[0].encode(), body.encode(), "sha256").hexdigest() == signature[1]
        assert orjson.loads(body)["event_type"] in ("custom_hello", "note_created")
    assert "openssl dgst -sha256 -hmac" in screen.text
    cleared = await visitor.press(screen, "Clear")
    assert "Waiting for the first event" in cleared.text
    stopped = await visitor.press(cleared, "Stop")
    assert START in stopped.text
    assert rows_of(await client.get("/webhooks/listeners")) == []


async def test_others_and_readers_see_no_signed_request(
    visitor: Visitor, visit: Visit, client: ApiClient
) -> None:
    await visitor.press(await visitor.open(PATH), START)
    await client.post("/events", {"event_type": "custom_secret", "payload": {}})
    assert "custom_secret" not in (await (await visit("bob")).open(PATH)).text
    reader = await (await visit("ada", Scope.READ)).open(PATH)
    assert (reader.status, "custom_secret" in reader.text) == (200, False)
    assert "Not for this session." in reader.text


@pytest.mark.parametrize("sections", [{"plugins": {"disable": ["audit"]}}])
async def test_page_needs_the_event_log(visitor: Visitor) -> None:
    assert "The event log does not run." in (await visitor.open(PATH)).text

"""Pages of the chat and of approvals: messages, tool calls, search, and forms without a script."""

from __future__ import annotations

import re

import pytest
from dashboard.conftest import Visit
from pydantic import JsonValue
from support.visitor import Visitor

from biont import Scope
from biont.testing import ApiClient, ManualClock, ModelServer, say

SEND = say(calls=[("send_message", '{"integration": "x", "title": "Hi <b>all</b>"}')])
NOTE = say(calls=[("create_note", '{"title": "Kept", "content": "x"}')])


@pytest.fixture
def sections(scripted: ModelServer) -> dict[str, object]:
    """Settings with the scripted model."""
    return scripted.sections


async def test_form_without_script_asks_and_shows_the_answer(
    visitor: Visitor, scripted: ModelServer
) -> None:
    scripted.script = [say("It is **noon** <script>x</script>."), say("One.")]
    screen = await visitor.open("/dashboard/chat")
    assert "No conversations yet." in screen.text
    shown = await visitor.press(screen, "Send", **{"body.message": "What <i>time</i>?"})
    assert shown.path == "/dashboard/chat/1"
    assert "What &lt;i&gt;time&lt;/i&gt;?" in shown.text
    assert "<strong>noon</strong> &lt;script&gt;" in shown.text
    again = await visitor.press(shown, "Send", **{"body.message": "And then?"})
    assert again.path == "/dashboard/chat/1"
    assert again.text.index("noon") < again.text.index("And then?") < again.text.index("One.")


async def test_search_rename_and_delete(visitor: Visitor, client: ApiClient) -> None:
    await client.post("/chat", {"message": "Where is the library?"})
    found = await visitor.open("/dashboard/chat?q=library")
    assert "<mark>library</mark>" in found.text
    assert "No message has these words." in (await visitor.open("/dashboard/chat?q=zebra")).text
    path = "/dashboard/chat/1"
    renamed = await visitor.press(
        await visitor.open(path), "Rename", **{"body.title": "Places", "next": path}
    )
    assert "<h1>Places</h1>" in renamed.text
    gone = await visitor.press(renamed, "Delete")
    assert (gone.path, "Places" in gone.text) == ("/dashboard/chat", False)
    assert (await visitor.open(path)).status == 404


async def test_tool_calls_stand_before_the_answer_that_they_led_to(
    visitor: Visitor, client: ApiClient, clock: ManualClock, scripted: ModelServer
) -> None:
    scripted.script = [NOTE, say("First."), NOTE, say("Second.")]
    body: dict[str, JsonValue] = {"message": "Keep it", "tools": ["create_note"]}
    await client.post("/chat", {**body})
    clock.advance(minutes=1)
    await client.post("/chat", {**body, "conversation_id": 1})
    text = (await visitor.open("/dashboard/chat/1")).text
    calls = [place for place in range(len(text)) if text.startswith("<code>create_note", place)]
    assert len(calls) == 2
    assert calls[0] < text.index("First.") < calls[1] < text.index("Second.")


async def test_call_that_waits_is_approved_in_the_conversation(
    visitor: Visitor, client: ApiClient, scripted: ModelServer
) -> None:
    scripted.script = [SEND, say("It was tried.")]
    await client.post("/chat", {"message": "Tell them", "tools": ["send_message"]})
    path = "/dashboard/chat/1"
    screen = await visitor.open(path)
    assert "Hi &lt;b&gt;all&lt;/b&gt;" in screen.text
    assert (await visitor.press(screen, "Approve")).path == path
    await client.get_until("/conversations/1", lambda found: "It was tried." in str(found))
    assert "It was tried." in (await visitor.open(path)).text


async def test_approvals_show_what_waits_and_what_was_decided(
    visitor: Visitor, client: ApiClient, scripted: ModelServer
) -> None:
    assert "Nothing waits" in (await visitor.open("/dashboard/approvals")).text
    scripted.script = [SEND, say("Well.")]
    await client.post("/chat", {"message": "Tell them", "tools": ["send_message"]})
    screen = await visitor.open("/dashboard/approvals")
    assert 'href="/dashboard/chat/1"' in screen.text
    assert "No tool calls" in screen.text
    after = await visitor.press(screen, "Reject", **{"body.reason:optional": "Too <early>"})
    assert "Nothing waits" in after.text
    assert "Rejected: Too &lt;early&gt;" in after.text
    call = await client.get_until("/tool-calls/1", lambda found: found["result"])
    assert (call["status"], call["reason"]) == ("rejected", "Too <early>")
    assert "Too <early>" in str(call["result"])
    filtered = await visitor.open("/dashboard/approvals?status=succeeded")
    assert "No tool calls" in filtered.text


async def test_long_conversation_is_paged(visitor: Visitor, client: ApiClient) -> None:
    await client.post("/chat", {"message": "Question 0!"})
    for index in range(1, 21):
        await client.post("/chat", {"message": f"Question {index}!", "conversation_id": 1})
    screen = await visitor.open("/dashboard/chat/1")
    assert '<div class="text">Question 0!' not in screen.text
    assert '<div class="text">Question 1!' in screen.text
    older = re.search(r'href="(/dashboard/chat/1\?cursor=[^"]+)">↑ Older messages', screen.text)
    assert older is not None
    assert '<div class="text">Question 0!' in (await visitor.open(older[1])).text


async def test_other_user_and_reader(
    visit: Visit, client: ApiClient, scripted: ModelServer
) -> None:
    scripted.script = [SEND]
    await client.post("/chat", {"message": "Secret plan", "tools": ["send_message"]})
    bob = await visit("bob")
    assert (await bob.open("/dashboard/chat/1")).status == 404
    for path in ("/dashboard/chat", "/dashboard/chat?q=secret", "/dashboard/approvals"):
        text = (await bob.open(path)).text
        assert "Secret plan" not in text
        assert (
            "send_message" not in text.replace("such as send_message", "").partition("<main")[2]
            or path != "/dashboard/approvals"
        )
    reader = await visit("ada", Scope.READ)
    for path in ("/dashboard/chat/1", "/dashboard/approvals"):
        screen = await reader.open(path)
        assert (screen.status, "send_message" in screen.text) == (200, True)
        assert not [form for form in screen.forms if form.action == "/dashboard/act"]

"""Page of approvals: changed arguments and deadlines."""

from __future__ import annotations

import pytest
from pydantic import JsonValue
from support.visitor import Visitor

from biont.testing import ApiClient, ManualClock, ModelServer, say

SEND = say(calls=[("send_message", '{"integration": "x", "title": "Hi <b>all</b>"}')])
ASK: JsonValue = {"message": "Tell them", "tools": ["send_message"]}
FIELD = "body.arguments:json"


@pytest.fixture
def late() -> str:
    """Fate of late calls, set by `parametrize`."""
    return "wait"


@pytest.fixture
def sections(scripted: ModelServer, late: str) -> dict[str, object]:
    """Settings with the scripted model and a deadline."""
    agents = {"approval_timeout": 3600, "approval_default": late}
    scripted.script = [SEND, say("Well.")]
    openai = {"base_url": scripted.url, "model": "m"}
    return {"plugins": {"llm": {"backend": "openai", "openai": openai}, "agents": agents}}


async def test_arguments_are_changed_before_the_call_is_approved(
    visitor: Visitor, client: ApiClient
) -> None:
    await client.post("/chat", ASK)
    screen = await visitor.open("/dashboard/approvals")
    form = screen.find_form("Approve with changes")
    assert '"title": "Hi <b>all</b>"' in form.fields[FIELD]
    for wrong in ('{"integration": "x"}', "no JSON", '["x"]'):
        refused = await visitor.press(screen, "Approve with changes", **{FIELD: wrong})
        assert (refused.status, "arguments" in refused.text) == (422, True)
    changed = '{"integration": "x", "title": "Hi <i>Ada</i>"}'
    after = await visitor.press(screen, "Approve with changes", **{FIELD: changed})
    assert "Nothing waits" in after.text
    assert "Approved with changes: " in after.text
    assert "Hi &lt;i&gt;Ada" in after.text
    call = await client.get_until("/tool-calls/1", lambda found: found["result"])
    assert call["approved_arguments"] == {"integration": "x", "title": "Hi <i>Ada</i>"}


@pytest.mark.parametrize(
    ("late", "before", "after"),
    [
        ("wait", "is overdue, and waits on", "the call still waits"),
        ("deny", "is rejected", "Rejected: nobody decided within 3600 s"),
    ],
)
async def test_page_says_the_deadline_and_its_effect(
    visitor: Visitor, client: ApiClient, clock: ManualClock, late: str, before: str, after: str
) -> None:
    await client.post("/chat", ASK)
    screen = await visitor.open("/dashboard/approvals")
    assert "without a decision, the call" in screen.text
    assert "in 1 h" in screen.text
    assert before in screen.text
    clock.advance(hours=1)
    if late == "deny":
        await client.get_until("/tool-calls/1", lambda found: found["status"] == "rejected")
    assert after in (await visitor.open("/dashboard/approvals")).text

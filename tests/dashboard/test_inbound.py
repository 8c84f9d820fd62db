"""Pages of inbound webhooks: create, the last requests, a trial, secrets and URLs."""

from __future__ import annotations

import html
import re

import orjson
import pytest
from dashboard.conftest import Visit
from pydantic import JsonValue
from support.senders import ISSUE, Sender
from support.visitor import Screen, Visitor

from biont import Scope
from biont.testing import ApiClient, ModelServer, rows_of, say

HOOKS = "/dashboard/inbound"
NAUGHTY = "<script>alert(1)</script>'\"{{ 7 * 7 }}"
NOTE: JsonValue = {
    "kind": "note",
    "title": "{{ event }}: {{ body.issue.title }}",
    "content": "{{ body.issue.body }}",
}


@pytest.fixture
def sections(scripted: ModelServer) -> dict[str, object]:
    return dict(scripted.sections)


async def make_hook(client: ApiClient, **fields: JsonValue) -> Sender:
    """Make an inbound webhook for GitHub; return its sender."""
    body = {"name": "Issues", "preset": "github", "action": NOTE, **fields}
    made = await client.post("/webhooks/incoming", body)
    return Sender(str(made["url"]), str(made["secret"]))


def read_shown(screen: Screen) -> list[str]:
    """Return the texts that a page shows once."""
    return re.findall(r'<code id="c[0-9a-f]+">([^<]+)</code>', screen.text)


async def test_empty_list_explains_and_offers_the_senders(visitor: Visitor) -> None:
    screen = await visitor.open(HOOKS)
    assert "No inbound webhooks yet" in screen.text
    for preset in ("github", "stripe", "slack"):
        assert f'href="{HOOKS}/new?preset={preset}"' in screen.text


@pytest.mark.parametrize(
    ("kind", "fields", "action"),
    [
        (
            "note",
            {"body.action.tags:words:optional": "github triage"},
            {"title": "{{ event }}", "content": "{{ body }}", "tags": ["github", "triage"]},
        ),
        (
            "prompt",
            {"body.action.prompt": "Sum up {{ body }}"},
            {"title": "{{ event }}", "prompt": "Sum up {{ body }}", "tags": [], "model": None},
        ),
        (
            "mission",
            {"body.action.goal": "Look at {{ body }}"},
            {"goal": "Look at {{ body }}", "tools": None, "model": None},
        ),
        (
            "event",
            {
                "body.action.event_type": "custom_issue",
                "body.action.payload:json:optional": '{"a": "{{ body }}"}',
            },
            {"event_type": "custom_issue", "payload": {"a": "{{ body }}"}},
        ),
    ],
)
async def test_form_adds_a_webhook_and_shows_url_and_secret_once(
    visitor: Visitor,
    client: ApiClient,
    kind: str,
    fields: dict[str, str],
    action: dict[str, JsonValue],
) -> None:
    form = await visitor.open(f"{HOOKS}/new?preset=github&kind={kind}")
    chosen = {
        "body.name": "Issues of ours",
        "body.filter:json:optional": '{"path": "event", "op": "eq", "value": "issues"}',
        "body.addresses:words:optional": "127.0.0.0/8, ::1",
    }
    screen = await visitor.press(form, "Add inbound webhook", **chosen, **fields)
    url, secret = read_shown(screen)
    assert url.startswith(f"{visitor.url}/hooks/")
    assert "enter the secret under Secret" in screen.text
    assert f'href="{HOOKS}/1"' in screen.text
    webhook = await client.get("/webhooks/incoming/1")
    assert webhook["action"] == {"kind": kind, **action}
    assert webhook["addresses"] == ["127.0.0.0/8", "::1/128"]
    assert (await Sender(url, secret).send(event="issues")).status == 202
    for path in ("", "/1", "/1/settings", "/1/try"):
        page = await visitor.open(HOOKS + path)
        assert "Issues of ours" in page.text
        assert url.rpartition("/")[2] not in page.text
        assert secret not in page.text


async def test_missing_secret_is_loud_and_can_be_set(visitor: Visitor, client: ApiClient) -> None:
    form = await visitor.open(f"{HOOKS}/new?preset=stripe")
    made = await visitor.press(form, "Add inbound webhook", **{"body.name": "Payments"})
    assert len(read_shown(made)) == 1
    assert "secret missing" in (await visitor.open(HOOKS)).text
    for path in ("", "/try", "/settings"):
        screen = await visitor.open(f"{HOOKS}/1{path}")
        assert "The secret of the sender is missing" in screen.text
    after = await visitor.press(screen, "Set secret", **{"body.secret": "whsec_12345678"})
    assert "The secret is set." in after.text
    assert "The secret of the sender is missing" not in after.text
    assert "whsec_12345678" not in after.text
    assert (await client.get("/webhooks/incoming/1"))["has_secret"] is True


async def test_refused_request_shows_its_reason_and_accepted_one_its_result(
    visitor: Visitor, client: ApiClient
) -> None:
    sender = await make_hook(client, filter={"path": "body.action", "op": "eq", "value": "opened"})
    event = (await sender.send()).document["event_id"]
    await sender.send({"action": "closed"}, delivery="d-2")
    await sender.send()
    await Sender(sender.url, "another secret").send(delivery="d-3")
    screen = await visitor.open(f"{HOOKS}/1")
    for verdict in ("accepted", "filtered", "duplicate", "refused"):
        assert f">{verdict}</span>" in screen.text
    requests = rows_of(await client.get("/webhooks/incoming/1/requests"))
    for request in requests:
        if request["reason"] is not None:
            reason = str(request["reason"])
            assert html.escape(reason[1:], quote=False) in html.unescape(screen.text)
    (note,) = rows_of(await client.get("/notes"))
    assert f'href="/dashboard/notes/{note["id"]}"' in screen.text
    assert f'href="/dashboard/events/{event}"' in screen.text
    assert "body.action is &#34;opened&#34;" in screen.text
    assert "keeps a note" in screen.text
    # From the result and the event, links lead back to the webhook.
    for path in (f"/dashboard/notes/{note['id']}", f"/dashboard/events/{event}"):
        assert f'href="{HOOKS}/1"' in (await visitor.open(path)).text


async def test_a_request_is_tried_without_acting(visitor: Visitor, client: ApiClient) -> None:
    sender = await make_hook(client, filter={"path": "event", "op": "eq", "value": "issues"})
    await Sender(sender.url, "another secret").send()
    last = await visitor.open(f"{HOOKS}/1")
    (link,) = re.findall(rf'href="({HOOKS}/1/try\?last=\d+)"', last.text)
    form = await visitor.open(link)
    assert orjson.loads(form.find_form("Try").fields["body"]) == ISSUE
    tried = await visitor.press(form, "Try")
    assert ">accepted</span>" in tried.text
    assert "issues: It hangs" in tried.text
    checked = await visitor.press(tried, "Try", check="true")
    assert ">refused</span>" in checked.text
    other = await visitor.press(
        checked, "Try", headers='{"X-GitHub-Event": "ping"}', check="false"
    )
    assert ">filtered</span>" in other.text
    wrong = await visitor.press(other, "Try", headers="{")
    assert "The headers are not JSON" in wrong.text
    wrong = await visitor.press(other, "Try", headers='{"a": 1}')
    assert "This cannot be tried." in wrong.text
    assert wrong.find_form("Try").fields["headers"] == '{"a": 1}'
    assert rows_of(await client.get("/notes")) == []
    fields = wrong.find_form("Try").fields | {"csrf": "forged"}
    forged = await visitor.send(f"{HOOKS}/1/try", fields)
    assert forged.status == 403


async def test_secret_and_url_are_replaced_and_shown_once(
    visitor: Visitor, client: ApiClient
) -> None:
    sender = await make_hook(client)
    settings = await visitor.open(f"{HOOKS}/1/settings")
    (secret,) = read_shown(await visitor.press(settings, "Rotate secret"))
    (url,) = read_shown(await visitor.press(settings, "Rotate URL"))
    assert (await sender.send()).status == 404
    assert (await Sender(url, secret).send(delivery="d-2")).status == 202
    assert (await Sender(url, sender.secret).send(delivery="d-3")).status == 202
    settings = await visitor.open(f"{HOOKS}/1/settings")
    assert "Replaced secrets are accepted until" in settings.text
    assert secret not in settings.text
    assert url not in settings.text


async def test_settings_change_pause_and_delete(visitor: Visitor, client: ApiClient) -> None:
    sender = await make_hook(client, filter={"path": "event", "op": "exists"}, rate=5)
    settings = await visitor.open(f"{HOOKS}/1/settings")
    changes = {
        "body.name": "Renamed",
        "body.action:json": '{"kind": "event", "event_type": "custom_issue"}',
        "body.filter:json:null": "",
        "body.rate:float:null": "2.5",
    }
    saved = await visitor.press(settings, "Save", **changes)
    assert "The inbound webhook is changed." in saved.text
    webhook = await client.get("/webhooks/incoming/1")
    assert (webhook["name"], webhook["filter"], webhook["rate"]) == ("Renamed", None, 2.5)
    assert isinstance(webhook["action"], dict)
    assert webhook["action"]["event_type"] == "custom_issue"
    paused = await visitor.press(saved, "Pause")
    assert "This inbound webhook is paused." in paused.text
    assert (await sender.send()).status == 409
    await visitor.press(await visitor.open(HOOKS), "Resume")
    assert (await sender.send()).status == 202
    settings = await visitor.open(f"{HOOKS}/1/settings")
    gone = await visitor.press(settings, "Delete inbound webhook")
    assert "No inbound webhooks yet" in gone.text
    assert (await sender.send(delivery="d-2")).status == 404


async def test_texts_of_strangers_stay_texts(visitor: Visitor, client: ApiClient) -> None:
    sender = await make_hook(client, name=NAUGHTY)
    issue: JsonValue = {"issue": {"title": NAUGHTY, "body": NAUGHTY}}
    await sender.send(issue, delivery=NAUGHTY, event=NAUGHTY)
    await Sender(sender.url, "another secret").send(issue, X_Other=NAUGHTY)
    form = await visitor.open(f"{HOOKS}/1/try?last=2")
    assert NAUGHTY in form.find_form("Try").fields["body"].replace('\\"', '"')
    tried = await visitor.press(form, "Try")
    pages = [await visitor.open(HOOKS + path) for path in ("", "/1", "/1/settings")]
    found = await visitor.open(f"/dashboard/palette?q={NAUGHTY[:8]}")
    for screen in (*pages, form, tried, found):
        assert screen.status == 200
        assert "<script>alert" not in screen.text
        assert "49" not in re.findall(r"alert\(1\)[^a-z]*", html.unescape(screen.text))
        assert html.escape("<script>alert(1)") in screen.text


async def test_readers_see_all_and_change_nothing(visit: Visit, client: ApiClient) -> None:
    await (await make_hook(client)).send()
    await client.post(
        "/webhooks/incoming", {"name": "Payments", "preset": "stripe", "action": NOTE}
    )
    reader = await visit("ada", Scope.READ)
    for path in ("", "/new", "/1", "/1/try", "/1/settings", "/2"):
        screen = await reader.open(HOOKS + path)
        assert screen.status == 200, path
        acts = {form.button for form in screen.forms if form.method == "post"}
        assert acts == {"Sign out"}, path
    assert "It hangs" in (await reader.open(f"{HOOKS}/1")).text
    other = await visit("bob")
    assert (await other.open(f"{HOOKS}/1")).status == 404
    assert "No inbound webhooks yet" in (await other.open(HOOKS)).text


async def test_unknown_sender_and_action_are_explained(visitor: Visitor) -> None:
    for query in ("preset=wrong", "kind=wrong"):
        assert (await visitor.open(f"{HOOKS}/new?{query}")).status == 422
    found = await visitor.open("/dashboard/palette?q=inbound")
    assert f'href="{HOOKS}"' in found.text


async def test_what_follows_from_a_request_is_marked(
    visitor: Visitor, client: ApiClient, scripted: ModelServer
) -> None:
    _, receipt = await (await make_hook(client, name=NAUGHTY)).send()
    await client.post("/notes", {"title": "My own", "content": "x"})
    scripted.script = [
        say(calls=[("read_note", '{"note_id": 1}')]),
        say(calls=[("create_reminder", '{"text": "Call", "every": "1d"}')]),
        say("Done."),
    ]
    scripted.default = say("Done.")
    await client.post("/chat", {"message": "New?", "tools": ["read_note", "create_reminder"]})
    await client.post("/missions", {"goal": "My own mission", "start": False})
    mark = f'href="/dashboard/events/{receipt["event_id"]}"'
    for path in ("notes", "notes/1", "approvals", "chat/1"):
        screen = await visitor.open(f"/dashboard/{path}")
        assert "from outside</span>" in screen.text, path
        assert mark in screen.text, path
    for path in ("notes/2", "missions", "missions/1"):
        assert "from outside" not in (await visitor.open(f"/dashboard/{path}")).text, path


async def test_a_mission_of_a_request_is_marked(visitor: Visitor, client: ApiClient) -> None:
    goal: JsonValue = {"kind": "mission", "goal": "Look at {{ body.issue.title }}"}
    _, receipt = await (await make_hook(client, action=goal)).send()
    for path in ("missions", "missions/1"):
        screen = await visitor.open(f"/dashboard/{path}")
        assert "from outside</span>" in screen.text
        assert f'href="/dashboard/events/{receipt["event_id"]}"' in screen.text


async def test_event_tells_where_it_came_from(visitor: Visitor, client: ApiClient) -> None:
    _, receipt = await (await make_hook(client, name=NAUGHTY)).send()
    (created,) = rows_of(await client.get("/events?event_type=note_created"))
    for event in (str(created["id"]), str(receipt["event_id"])):
        screen = await visitor.open(f"/dashboard/events/{event}")
        source = f'<a href="{HOOKS}/1">inbound webhook {NAUGHTY}</a>'
        assert f"<b>Came from outside:</b> {source}" in html.unescape(screen.text)
        assert "<script>alert" not in screen.text
    screen = await visitor.open(f"/dashboard/events/{created['id']}")
    assert re.search(r"Caused by: <a [^>]+>inbound_received", screen.text)
    own = await client.post("/events", {"event_type": "custom_own"})
    assert "Came from outside" not in (await visitor.open(f"/dashboard/events/{own['id']}")).text

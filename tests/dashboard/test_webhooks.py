"""Pages of webhooks: the list, deliveries, filter, recover and replay, settings."""

from __future__ import annotations

import html

import pytest
from dashboard.conftest import Visit
from support.visitor import Visitor
from support.webhooks import emit, register, wait_for_deliveries

from biont import Scope
from biont.testing import ApiClient, WebhookReceiver, rows_of

HOOKS = "/dashboard/webhooks"
NAUGHTY = "<script>alert(1)</script>"


async def test_empty_list_offers_the_next_step(visitor: Visitor) -> None:
    screen = await visitor.open(HOOKS)
    assert "No webhooks yet" in screen.text
    assert f'href="{HOOKS}/new"' in screen.text


async def test_form_adds_a_webhook_and_shows_the_secret_once(
    visitor: Visitor, client: ApiClient, receiver: WebhookReceiver
) -> None:
    screen = await visitor.press(
        await visitor.open(f"{HOOKS}/new"),
        "Add webhook",
        **{
            "body.url": receiver.url,
            "body.name:optional": "Warehouse",
            "body.event_types:words": "note_*, task_failed",
            "body.filter:json:optional": '{"path": "title", "op": "prefix", "value": "Daily"}',
            "body.success": "2xx",
            "body.retry:json": "[10,60,300]",
        },
    )
    assert "whsec_" in screen.text
    assert f'href="{HOOKS}/1"' in screen.text
    webhook = await client.get("/webhooks/outgoing/1")
    assert (webhook["event_types"], webhook["retry"]) == (["note_*", "task_failed"], [10, 60, 300])
    listing = await visitor.open(HOOKS)
    assert "Warehouse" in listing.text
    assert "whsec_" not in listing.text


async def test_list_shows_health_and_pauses(
    visitor: Visitor, client: ApiClient, receiver: WebhookReceiver
) -> None:
    webhook = await register(client, receiver.url, name="Good", event_types=["custom_*"])
    await emit(client)
    await wait_for_deliveries(client, webhook)
    screen = await visitor.open(HOOKS)
    assert "healthy" in screen.text
    assert "1 of 1" in screen.text
    await visitor.press(screen, "Pause")
    assert (await client.get("/webhooks/outgoing/1"))["status"] == "paused"
    screen = await visitor.press(await visitor.open(f"{HOOKS}/1"), "Resume")
    assert "The webhook is active again." in screen.text


async def test_failing_receiver_is_said_on_all_views(
    visitor: Visitor, client: ApiClient, receiver: WebhookReceiver
) -> None:
    receiver.status = 500
    webhook = await register(client, receiver.url, event_types=["custom_*"])
    await emit(client)
    await wait_for_deliveries(client, webhook)
    for view in ("", "/filter", "/redeliver", "/settings"):
        assert "The receiver is failing." in (await visitor.open(f"{HOOKS}/1{view}")).text
    assert "failing" in (await visitor.open(HOOKS)).text


async def test_deliveries_are_filtered_and_sent_again(
    visitor: Visitor, client: ApiClient, receiver: WebhookReceiver
) -> None:
    webhook = await register(client, receiver.url, event_types=["custom_*"])
    await emit(client, "custom_sale", text=NAUGHTY)
    await emit(client, "custom_visit")
    await wait_for_deliveries(client, webhook, 2)
    screen = await visitor.open(f"{HOOKS}/1?event_type=custom_s*&status=&since=2020-01-01T10:00")
    assert "custom_sale" in screen.text
    assert f"{HOOKS}/1/deliveries/2" not in screen.text
    assert "No such deliveries" in (await visitor.open(f"{HOOKS}/1?status=failed")).text
    await visitor.press(screen, "Resend")
    await receiver.wait_for(3)
    one = await visitor.open(f"{HOOKS}/1/deliveries/1")
    assert NAUGHTY not in one.text
    assert html.escape(NAUGHTY) in one.text
    assert "Exact body" in one.text
    assert "webhook-signature: v1," in one.text


async def test_deliveries_have_pages(visitor: Visitor, client: ApiClient) -> None:
    await register(client, "http://127.0.0.1:9/hook", event_types=["custom_*"])
    for _ in range(51):
        await emit(client)
    await client.get_until(
        "/webhooks/outgoing/1/deliveries?limit=100", lambda page: len(rows_of(page)) == 51
    )
    screen = await visitor.open(f"{HOOKS}/1?event_type=custom_*")
    assert screen.text.count("data-row=") == 50
    older = screen.text.split('rel="next" href="')[1].split('"')[0]
    screen = await visitor.open(html.unescape(older))
    assert screen.text.count("data-row=") == 1
    assert "event_type=custom_*" in html.unescape(screen.text)


async def test_wrong_filter_of_a_list_can_be_mended_where_it_is(
    visitor: Visitor, client: ApiClient
) -> None:
    await register(client, "http://127.0.0.1:9/hook")
    lists = (f"{HOOKS}/1", "/dashboard/events", "/dashboard/dead-letters")
    for path in (*lists, "/dashboard/integrations"):
        screen = await visitor.open(f"{path}?since=yesterday")
        assert screen.status == 422, path
        assert "These filters do not work." in screen.text
        assert 'value="yesterday"' in screen.text
    screen = await visitor.open("/dashboard/operations?status=wrong")
    assert (screen.status, "These filters do not work." in screen.text) == (422, True)


async def test_test_event_leads_to_its_delivery(
    visitor: Visitor, client: ApiClient, receiver: WebhookReceiver
) -> None:
    await register(client, receiver.url)
    screen = await visitor.press(await visitor.open(f"{HOOKS}/1"), "Send test event")
    assert screen.path == f"{HOOKS}/1/deliveries/1"
    assert "webhook_test" in screen.text
    assert "A test is no event" in screen.text


async def test_filter_is_tried_before_it_is_saved(visitor: Visitor, client: ApiClient) -> None:
    await register(client, "http://127.0.0.1:9/hook", event_types=["custom_*"])
    for total in (40, 400):
        await emit(client, "custom_order", total=total)
    chosen = 'event_types=custom_*&filter={"path":"total","op":"gt","value":100}'
    screen = await visitor.open(f"{HOOKS}/1/filter?{chosen}")
    assert "1 of the last" in screen.text
    assert "total is 40, which is not &gt; 100" in screen.text
    assert "Not saved yet." in screen.text
    await visitor.press(screen, "Save for this webhook")
    webhook = await client.get("/webhooks/outgoing/1")
    assert webhook["filter"] == {"path": "total", "op": "gt", "value": 100}


@pytest.mark.parametrize("text", ["{", '{"path":"total","op":"near"}'])
async def test_wrong_filter_is_explained_and_cannot_be_saved(
    visitor: Visitor, client: ApiClient, text: str
) -> None:
    await register(client, "http://127.0.0.1:9/hook")
    screen = await visitor.open(f"{HOOKS}/1/filter?event_types=*&filter={text}")
    assert screen.status == 200
    assert "filter" in screen.text
    assert "Save for this webhook" not in screen.text


async def test_recovery_shows_the_count_first(
    visitor: Visitor, client: ApiClient, receiver: WebhookReceiver
) -> None:
    receiver.status = 500
    webhook = await register(client, receiver.url, event_types=["custom_*"])
    for _ in range(2):
        await emit(client)
    await wait_for_deliveries(client, webhook, 2)
    path = f"{HOOKS}/1/redeliver?act=recover&since=2020-01-01T00:00"
    screen = await visitor.open(path)
    assert len(receiver.requests) == 2
    receiver.status = 200
    screen = await visitor.press(screen, "Recover 2 deliveries")
    assert screen.path == f"{HOOKS}/1/redeliver"
    assert "webhook recover" in screen.text
    await receiver.wait_for(4)


async def test_replay_shows_the_count_first(visitor: Visitor, client: ApiClient) -> None:
    await emit(client, "custom_sale")
    await emit(client, "custom_visit")
    await register(client, "http://127.0.0.1:9/hook", event_types=["custom_*"])
    path = f"{HOOKS}/1/redeliver?act=replay&since=2020-01-01T00:00&event_types=custom_s*"
    screen = await visitor.press(await visitor.open(path), "Replay 1 delivery")
    assert "webhook replay" in screen.text
    wrong = f"{HOOKS}/1/redeliver?act=replay&since=2020-01-01T00:00&event_types=Wrong!"
    assert "event_types" in (await visitor.open(wrong)).text


async def test_settings_change_rotate_and_delete(visitor: Visitor, client: ApiClient) -> None:
    await register(client, "http://127.0.0.1:9/hook", name="Old", retry=[7, 8])
    screen = await visitor.open(f"{HOOKS}/1/settings")
    assert "As now: after 7, 8 s" in screen.text
    screen = await visitor.press(
        screen,
        "Save",
        **{
            "body.name:null": "New",
            "body.rate:float:null": "2.5",
            "body.headers:json:optional": '{"X-Shop": "secret-value"}',
        },
    )
    assert "secret-value" not in (await visitor.open(f"{HOOKS}/1/settings")).text
    webhook = await client.get("/webhooks/outgoing/1")
    assert webhook["headers"] != {}
    assert (webhook["name"], webhook["rate"]) == ("New", 2.5)
    assert "whsec_" in (await visitor.press(screen, "Rotate secret")).text
    screen = await visitor.press(await visitor.open(f"{HOOKS}/1/settings"), "Delete webhook")
    assert (screen.path, (await client.get("/webhooks/outgoing"))["data"]) == (HOOKS, [])


async def test_read_only_session_sees_all_and_changes_nothing(
    visit: Visit, client: ApiClient, receiver: WebhookReceiver
) -> None:
    webhook = await register(client, receiver.url, event_types=["custom_*"])
    await emit(client)
    await wait_for_deliveries(client, webhook)
    reader = await visit("ada", Scope.READ)
    for view in ("", "/1", "/1/filter", "/1/redeliver", "/1/settings", "/1/deliveries/1"):
        screen = await reader.open(f"{HOOKS}{view}")
        assert screen.status == 200, view
        assert "/dashboard/act" not in screen.text
        assert "v1," not in screen.text


async def test_webhooks_of_another_user_are_not_found(visit: Visit, client: ApiClient) -> None:
    await register(client, "http://127.0.0.1:9/hook", name="Secret plan")
    bob = await visit("bob")
    assert "Secret plan" not in (await bob.open(HOOKS)).text
    for view in ("/1", "/1/filter", "/1/redeliver", "/1/settings", "/1/deliveries/1"):
        assert (await bob.open(f"{HOOKS}{view}")).status == 404


async def test_receiver_is_checked_from_the_page(
    visitor: Visitor, visit: Visit, client: ApiClient, receiver: WebhookReceiver
) -> None:
    await register(client, receiver.url, name=NAUGHTY)
    path = f"{HOOKS}/1/conformance"
    screen = await visitor.open(path)
    assert "good delivery" not in screen.text
    report = await visitor.press(screen, "Check now")
    # The receiver of the tests accepts everything.
    assert "The receiver fails." in report.text
    assert report.text.index("good delivery") < report.text.index("changed body")
    assert "Verify the signature over the body as received." in report.text
    assert (await visitor.send(path, {"csrf": "wrong"})).status == 403
    reader = await visit("ada", Scope.READ)
    assert "This session is read-only" in (await reader.open(path)).text
    assert (await (await visit("bob")).open(path)).status == 404

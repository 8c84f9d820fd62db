"""Inbound webhooks: odd, hostile and revealing requests."""

from __future__ import annotations

import time

import orjson
import pytest
from pydantic import JsonValue
from support.senders import Sender

from biont.testing import ApiClient, MakeClient, rows_of

EVENT: dict[str, JsonValue] = {"kind": "event", "event_type": "custom_any"}
JSON = {"Content-Type": "application/json"}


async def make_hook(client: ApiClient, preset: str, **fields: JsonValue) -> Sender:
    made = await client.post(
        "/webhooks/incoming", {"name": "Any", "preset": preset, "action": EVENT, **fields}
    )
    return Sender(str(made["url"]), str(made["secret"]))


async def test_a_secret_that_a_sender_sends_is_hidden_everywhere(client: ApiClient) -> None:
    shop: JsonValue = {"algorithm": "equal", "signature": "headers.x-shop-key"}
    sender = await make_hook(client, "hmac", signature=shop)
    body = orjson.dumps({"copy": sender.secret})
    answer = await sender.post(body, {**JSON, "X-Shop-Key": sender.secret})
    assert answer.status == 202
    bearer = await make_hook(client, "bearer")
    sent = await bearer.post(b"{}", {**JSON, "Authorization": f"Bearer {bearer.secret}"})
    assert sent.status == 202
    for path in ("/webhooks/incoming/1/requests", "/webhooks/incoming/2/requests"):
        text = str(await client.get(path))
        assert "(hidden)" in text
        assert sender.secret not in text
        assert bearer.secret not in text
    tried = await client.post(
        "/webhooks/incoming/2/try",
        {"headers": {"Authorization": f"Bearer {bearer.secret}"}, "body": "{}"},
    )
    assert bearer.secret not in str(tried)


async def test_credentials_are_no_values_for_templates(client: ApiClient) -> None:
    payload: JsonValue = {"key": "{{ headers.authorization }}", "all": "{{ headers }}"}
    sender = await make_hook(client, "bearer", action={**EVENT, "payload": payload})
    await sender.post(b"{}", {**JSON, "Authorization": f"Bearer {sender.secret}"})
    (event,) = rows_of(await client.get("/events?event_type=custom_any"))
    assert sender.secret not in str(event)
    assert isinstance(event["payload"], dict)
    assert event["payload"]["key"] is None


async def test_a_signature_that_the_secret_does_not_fit_is_refused(client: ApiClient) -> None:
    await make_hook(client, "github", secret="no-base64!")
    template: JsonValue = {"signature": "headers.x-s", "key": "base64"}
    status, problem = await client.ask("PATCH", "/webhooks/incoming/1", {"signature": template})
    assert (status, "#/secret" in str(problem)) == (422, True)
    fitting = {"signature": template, "secret": "whsec_c2VjcmV0LXNlY3JldA=="}
    assert (await client.ask("PATCH", "/webhooks/incoming/1", fitting))[0] == 200


async def test_long_ids_are_told_apart(client: ApiClient) -> None:
    sender = await make_hook(client, "github")
    statuses = [(await sender.send(delivery="x" * 3000 + end)).status for end in ("a", "b", "a")]
    assert statuses == [202, 202, 200]


@pytest.mark.parametrize(
    "headers",
    [
        {"X-GitHub-Event": "\udcff\udc80"},
        {"X-Odd": "ü€\udcff"},
        {"X-GitHub-Event": "e" * 5000},
        {"Accept": "application/xml"},
        {"Accept": "text/html;q=0.1"},
        {"X-GitHub-Delivery": ""},
    ],
)
async def test_odd_headers_are_taken(client: ApiClient, headers: dict[str, str]) -> None:
    sender = await make_hook(client, "github")
    assert (await sender.send(**headers)).status == 202
    (request,) = rows_of(await client.get("/webhooks/incoming/1/requests"))
    assert request["verdict"] == "accepted"


async def test_a_payload_beyond_the_limit_is_refused_and_recorded(client: ApiClient) -> None:
    sender = await make_hook(client, "none")
    answer = await sender.post(b'"%b"' % (b"x" * 300_000), JSON)
    assert (answer.status, answer.document["status"]) == (422, "refused")
    (request,) = rows_of(await client.get("/webhooks/incoming/1/requests"))
    assert request["verdict"] == "refused"
    assert len(str(request["body"])) < 20_000


async def test_templates_have_bounds(client: ApiClient) -> None:
    many: JsonValue = {"kind": "note", "title": "x", "content": "{{ body }}" * 101}
    blank: JsonValue = {"kind": "note", "title": "x", "content": "{{" + " " * 19_000}
    deep: JsonValue = "{{ body }}"
    for _ in range(25):
        deep = [deep]
    nested: JsonValue = {**EVENT, "payload": {"deep": deep}}
    started = time.monotonic()
    wide: JsonValue = {**EVENT, "payload": {str(n): "{{ body }}" for n in range(101)}}
    for action, status in ((many, 422), (nested, 422), (wide, 422), (blank, 201)):
        new: JsonValue = {"name": "Any", "preset": "none", "action": action}
        assert (await client.ask("POST", "/webhooks/incoming", new))[0] == status
    # A pattern that takes quadratic time or more needs minutes.
    assert time.monotonic() - started < 30


async def test_the_webhooks_of_a_disabled_or_deleted_user_refuse_requests(
    client: ApiClient, open_client: MakeClient
) -> None:
    bob = await open_client("bob")
    sender = await make_hook(bob, "github")
    number = (await bob.get("/me"))["id"]
    assert (await client.ask("POST", f"/users/{number}/disable"))[0] == 200
    assert (await sender.send()).status == 403
    assert (await client.ask("DELETE", f"/users/{number}?confirm=bob"))[0] == 204
    assert (await sender.send()).status == 403
    assert (await Sender(sender.url, "wrong").send()).status == 403


async def test_changes_do_not_reset_the_rate_of_others(client: ApiClient) -> None:
    sender = await make_hook(client, "github", rate=0.1)
    assert (await sender.send()).status == 202
    await make_hook(client, "github")
    assert (await sender.send(delivery="d-2")).status == 429

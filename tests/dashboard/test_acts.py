"""Acts: forms that call the REST API, only from pages of the same session."""

from __future__ import annotations

import json

import pytest
from dashboard.conftest import Visit
from support.visitor import Visitor

from biont import Scope
from biont.testing import ApiClient


async def read_form(visitor: Visitor, **changes: str) -> dict[str, str]:
    """Return the fields of a form that makes a note."""
    welcome = await visitor.open("/dashboard/welcome")
    csrf = welcome.find_form("Sign out").fields["csrf"]
    return {
        "csrf": csrf,
        "method": "POST",
        "path": "/api/v1/notes",
        "body.title": "Bread",
        "body.content": "Two loaves\r\nof rye",
        "body.tags:words": "food, shop",
        "idempotency_key": "one",
        "next": "/dashboard/welcome?note={id}",
    } | changes


async def test_form_makes_a_note_and_leads_on(visitor: Visitor, client: ApiClient) -> None:
    screen = await visitor.send("/dashboard/act", await read_form(visitor, done="It is kept."))
    note = await client.get("/notes/1")
    assert (note["title"], note["content"]) == ("Bread", "Two loaves\nof rye")
    assert note["tags"] == ["food", "shop"]
    assert screen.path == "/dashboard/welcome?note=1"
    assert "It is kept." in screen.text
    assert "It is kept." not in (await visitor.open("/dashboard/welcome")).text


async def test_second_click_acts_once(visitor: Visitor, client: ApiClient) -> None:
    form = await read_form(visitor)
    for _ in range(2):
        assert (await visitor.send("/dashboard/act", form)).status == 200
    assert len((await client.get("/notes"))["data"]) == 1  # type: ignore[arg-type]  # a list


async def test_refusal_says_the_reason_and_the_field(visitor: Visitor) -> None:
    form = await read_form(visitor, **{"body.title": "", "body.tags:words": "a" * 500})
    screen = await visitor.send("/dashboard/act", form)
    assert screen.status == 422
    assert "title" in screen.text


async def test_script_gets_the_answer_as_json(visitor: Visitor) -> None:
    accept = {"Accept": "application/json"}
    form = await read_form(visitor)
    answer = json.loads((await visitor.send("/dashboard/act", form, headers=accept)).text)
    assert answer["ok"] is True
    assert answer["next"] == f"/dashboard/welcome?note={answer['answer']['id']}"
    form |= {"body.title": "", "idempotency_key": "two"}
    answer = json.loads((await visitor.send("/dashboard/act", form, headers=accept)).text)
    assert (answer["ok"], answer["status"]) == (False, 422)
    assert answer["errors"][0]["pointer"] == "#/title"


@pytest.mark.parametrize("token", ["", "0" * 64])
async def test_form_of_another_site_is_refused(
    visitor: Visitor, client: ApiClient, token: str
) -> None:
    screen = await visitor.send("/dashboard/act", await read_form(visitor, csrf=token))
    assert screen.status == 403
    assert (await client.get("/notes"))["data"] == []


async def test_browser_that_names_another_site_is_refused(visitor: Visitor) -> None:
    headers = {"Sec-Fetch-Site": "cross-site"}
    form = await read_form(visitor)
    assert (await visitor.send("/dashboard/act", form, headers=headers)).status == 403


async def test_token_of_another_session_is_refused(visitor: Visitor, visit: Visit) -> None:
    other = await visit("bob")
    screen = await visitor.send("/dashboard/act", await read_form(other))
    assert screen.status == 403


async def test_read_only_session_changes_nothing(visit: Visit, client: ApiClient) -> None:
    visitor = await visit("ada", Scope.READ)
    screen = await visitor.send("/dashboard/act", await read_form(visitor))
    assert screen.status == 403
    assert (await client.get("/notes"))["data"] == []


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/api/v1/notes"), ("POST", "/dashboard/sign-out"), ("PUT", "/api/v1/notes")],
)
async def test_form_reaches_changes_of_the_api_only(
    visitor: Visitor, method: str, path: str
) -> None:
    form = await read_form(visitor, method=method, path=path)
    assert (await visitor.send("/dashboard/act", form)).status == 422


async def test_wrong_text_in_a_typed_field_is_refused(visitor: Visitor) -> None:
    form = await read_form(visitor, **{"body.size:int": "many"})
    screen = await visitor.send("/dashboard/act", form)
    assert screen.status == 422
    assert "size" in screen.text
    assert "whole number" in screen.text


async def test_relay_needs_the_token_for_changes_only(visitor: Visitor) -> None:
    csrf = (await read_form(visitor))["csrf"]
    path = f"{visitor.url}/dashboard/api/v1/notes"
    note = {"title": "Bread", "content": "Two"}
    async with visitor.http.post(path, json=note) as response:
        assert response.status == 403
    async with visitor.http.post(path, json=note, headers={"X-CSRF-Token": csrf}) as response:
        assert response.status == 201
    async with visitor.http.get(path, params={"tag": "none", "limit": 1}) as response:
        assert (await response.json())["data"] == []


async def test_relay_streams_events(visitor: Visitor, client: ApiClient) -> None:
    path = f"{visitor.url}/dashboard/api/v1/events/stream?event_type=note_*"
    async with visitor.http.get(path) as response:
        assert response.content_type == "text/event-stream"
        await client.post("/notes", {"title": "Bread", "content": "Two"})
        lines: list[bytes] = []
        while not any(b"note_created" in line for line in lines):
            lines.append(await response.content.readline())

"""Pages of dead letters and operations."""

from __future__ import annotations

import html

from dashboard.conftest import Visit
from support.visitor import Visitor

from biont import Event, Scope, Workbench
from biont.store.dead_letters import insert_dead_letter
from biont.testing import ApiClient

LETTERS = "/dashboard/dead-letters"
TRACEBACK = "Traceback (most recent call last):\n  <b>x</b>\nValueError: the shop is <closed>"


async def insert_letters(client: ApiClient, workbench: Workbench, count: int) -> None:
    user_id = (await client.get("/me"))["id"]
    assert isinstance(user_id, int)

    def insert() -> None:
        for number in range(count):
            event = Event.uncaused(
                f"event-{number}", user_id, "custom_sale", {"n": number}, workbench.clock.now()
            )
            insert_dead_letter("shop.sell", event, TRACEBACK, 4, workbench.clock.now())

    await workbench.store.write(insert)


async def test_empty_list_says_what_would_appear(visitor: Visitor) -> None:
    screen = await visitor.open(LETTERS)
    assert "No dead letters" in screen.text
    assert "Replay all" not in screen.text
    assert "No operations" in (await visitor.open("/dashboard/operations")).text


async def test_list_and_one_show_the_error_as_text(
    visitor: Visitor, client: ApiClient, workbench: Workbench
) -> None:
    await insert_letters(client, workbench, 1)
    screen = await visitor.open(LETTERS)
    assert "ValueError: the shop is &lt;closed&gt;" in screen.text
    assert "No such dead letters" in (await visitor.open(f"{LETTERS}?handler=other.x")).text
    screen = await visitor.open(f"{LETTERS}/1")
    assert html.escape("<b>x</b>") in screen.text
    assert "<b>x</b>" not in screen.text
    assert (await visitor.open(f"{LETTERS}/2")).status == 404


async def test_letter_is_dropped(
    visitor: Visitor, client: ApiClient, workbench: Workbench
) -> None:
    await insert_letters(client, workbench, 1)
    screen = await visitor.press(await visitor.open(f"{LETTERS}/1"), "Drop")
    assert screen.path == LETTERS
    assert (await client.get("/dead-letters"))["data"] == []


async def test_replay_of_all_shows_the_count_first_and_then_the_operation(
    visitor: Visitor, client: ApiClient, workbench: Workbench
) -> None:
    await insert_letters(client, workbench, 3)
    assert (await client.get("/operations"))["data"] == []
    screen = await visitor.open(f"{LETTERS}?handler=shop.sell&count=yes")
    screen = await visitor.press(screen, "Replay 3 dead letters")
    assert screen.path == "/dashboard/operations/1"
    assert "Dead letter replay" in screen.text
    await client.get_until("/operations/1", lambda one: one["status"] != "running")
    screen = await visitor.open("/dashboard/operations/1")
    assert f'href="{LETTERS}"' in screen.text
    assert "dead letter replay" in (await visitor.open("/dashboard/operations?status=done")).text
    assert "No operations" in (await visitor.open("/dashboard/operations?status=failed")).text


async def test_read_only_session_and_other_users_change_nothing(
    visit: Visit, client: ApiClient, workbench: Workbench
) -> None:
    await insert_letters(client, workbench, 1)
    reader, bob = await visit("ada", Scope.READ), await visit("bob")
    for path in (LETTERS, f"{LETTERS}?count=yes", f"{LETTERS}/1"):
        screen = await reader.open(path)
        assert (screen.status, "/dashboard/act" in screen.text) == (200, False)
    assert "ValueError" not in (await bob.open(LETTERS)).text
    assert (await bob.open(f"{LETTERS}/1")).status == 404
    assert (await bob.open("/dashboard/operations/1")).status == 404

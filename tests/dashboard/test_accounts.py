"""Pages of keys, sessions and users."""

from __future__ import annotations

from dashboard.conftest import Visit
from support.visitor import Visitor

from biont.testing import ApiClient, rows_of


def find_key(text: str) -> str:
    """Return the API key that a page shows once."""
    start = text.index("asb_")
    return text[start : start + 68]


async def test_narrow_key_is_made_renamed_rotated_and_revoked(
    visitor: Visitor, client: ApiClient
) -> None:
    keys = await visitor.open("/dashboard/keys")
    result = await visitor.press(
        keys,
        "Create key",
        **{"body.name": "Phone", "body.scope": "webhook", "body.events:commas:optional": "note_*"},
    )
    async with ApiClient(visitor.url, find_key(result.text)) as phone:
        made = (await phone.get("/me"))["key"]
    assert isinstance(made, dict)
    assert (made["scope"], made["events"]) == ("webhook", ["note_*"])
    path = f"/dashboard/keys/{made['id']}"
    await visitor.press(await visitor.open(path), "Rename key", **{"body.name": "Old phone"})
    page = await visitor.open(path)
    assert "Old phone" in page.text
    rotated = find_key((await visitor.press(page, "Rotate key")).text)
    assert rotated != find_key(result.text)
    await visitor.press(page, "Revoke key")
    assert (await client.get(f"/keys/{made['id']}"))["revoked_at"] is not None
    assert "revoked" in (await visitor.open(path)).text


async def test_other_session_is_listed_and_ended(visitor: Visitor, visit: Visit) -> None:
    other = await visit("ada")
    await visitor.press(await visitor.open("/dashboard/keys"), "End session")
    assert (await other.open("/dashboard")).status == 401
    assert (await visitor.open("/dashboard")).status == 200


async def test_report_names_the_used_routes(visitor: Visitor, client: ApiClient) -> None:
    await client.get("/notes")
    report = await visitor.open("/dashboard/keys/report")
    assert "list_notes" in report.text


async def test_user_is_made_changed_disabled_and_deleted(
    visitor: Visitor, client: ApiClient
) -> None:
    users = await visitor.open("/dashboard/users")
    page = await visitor.press(users, "Create user", **{"body.name": "bob"})
    user = next(each for each in rows_of(await client.get("/users")) if each["name"] == "bob")
    assert page.path == f"/dashboard/users/{user['id']}"
    page = await visitor.press(page, "Save user", **{"body.role": "admin"})
    assert (await client.get(f"/users/{user['id']}"))["role"] == "admin"
    page = await visitor.press(page, "Disable user")
    page = await visitor.press(page, "Delete user")
    assert page.path == "/dashboard/users"
    await client.get_until(
        "/users", lambda found: all(each["name"] != "bob" for each in rows_of(found))
    )


async def test_plugins_and_system_show_their_state(visitor: Visitor) -> None:
    plugins = await visitor.open("/dashboard/plugins")
    assert "audit.log_events" in plugins.text
    assert "GET /api/v1/notes" in plugins.text
    system = await visitor.open("/dashboard/system")
    assert "server.shutdown_timeout" in system.text
    assert "biont.yaml:" in system.text
    member_sees = "Administrators see the process"
    assert member_sees not in system.text

"""Integrations that users connect: secrets, names, sharing, health, and kinds of plugins."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

import orjson
import pytest
from aiohttp import web
from conftest import Restart
from cryptography.fernet import Fernet
from pydantic import JsonValue
from support.pages import read_examples

from biont.application import Application
from biont.testing import ApiClient, MakeClient, WebhookReceiver, rows_of

SECRET = "0123456789abcdef"  # of nothing

Body = dict[str, JsonValue]


@pytest.fixture
def sections(receiver: WebhookReceiver) -> dict[str, object]:
    connections = {"chat": {"kind": "slack", "url": receiver.url}}
    return {"plugins": {"integrations": {"connections": connections, "quota": 3}}}


@pytest.fixture
def plugins() -> Mapping[str, ModuleType]:
    (source,) = read_examples("docs/how-to/connect-integrations.md", "kind")
    module = ModuleType("pager")
    code = compile(source, "pager", "exec", dont_inherit=True)
    exec(code, module.__dict__)  # noqa: S102  # our own documentation
    return {"pager": module}


@pytest.fixture
def board(receiver: WebhookReceiver) -> Body:
    headers: JsonValue = {"Authorization": f"Bearer {SECRET}"}
    return {
        "name": "board",
        "kind": "json",
        "settings": {"url": f"{receiver.url}?auth={SECRET}", "headers": headers},
    }


def find_files(folder: Path, pattern: str) -> list[Path]:
    return [path for path in folder.rglob(pattern) if path.is_file()]


async def list_payloads(client: ApiClient, event_type: str) -> list[JsonValue]:
    return [
        row["payload"] for row in rows_of(await client.get(f"/events?event_type={event_type}"))
    ]


async def test_a_message_goes_through_an_integration_of_the_user(
    client: ApiClient, receiver: WebhookReceiver, board: Body
) -> None:
    made = await client.post("/integrations", board)
    assert (made["managed_by"], made["settings"]) == ("user", {})
    assert made["secrets"] == ["url", "headers"]
    assert (await client.ask("POST", "/integrations/board/send", {"title": "Hi"}))[0] == 204
    (request,) = receiver.requests
    assert orjson.loads(request.body) == {"title": "Hi", "text": ""}
    assert request.headers["Authorization"] == f"Bearer {SECRET}"
    (sent,) = rows_of(await client.get("/integrations/messages"))
    assert sent["integration"] == "board"
    (payload,) = await list_payloads(client, "integration_connected")
    assert payload == {"integration": "board", "kind": "json", "integration_id": made["id"]}


async def test_secrets_are_in_no_answer_event_and_database(
    client: ApiClient, receiver: WebhookReceiver, board: Body, tmp_path: Path
) -> None:
    await client.post("/integrations", board)

    async def refuse(_: web.Request) -> web.Response:
        return web.json_response({"error": f"bad token {SECRET}"}, status=401)

    receiver.respond = refuse
    status, problem = await client.ask("POST", "/integrations/1/test")
    assert status == 502
    assert "401" in str(problem["detail"])
    answers: list[object] = [problem, *await list_payloads(client, "integration_failed")]
    answers += [
        (await client.request("GET", path)).document
        for path in ("/integrations", "/integrations/1", "/events")
    ]
    assert "401" in str(answers[1])
    assert SECRET not in str(answers)
    files = find_files(tmp_path, "biont.sqlite3*")
    assert files
    assert not [path for path in files if SECRET.encode() in path.read_bytes()]


async def test_a_test_tells_success_and_failure_and_is_an_event_each_time(
    client: ApiClient, receiver: WebhookReceiver, board: Body
) -> None:
    await client.post("/integrations", board)
    receiver.status = 500
    for _ in range(2):
        assert (await client.ask("POST", "/integrations/1/test"))[0] == 502
    found = await client.get("/integrations/1")
    assert (found["failing"], found["last_success_at"]) == (True, None)
    assert "500" in str(found["last_error"])
    assert len(await list_payloads(client, "integration_failed")) == 2
    receiver.status = 200
    for _ in range(2):
        passed = await client.ask("POST", "/integrations/1/test")
        assert passed == (200, {"connected": True, "sent_message": True})
    assert (await client.get("/integrations/1"))["failing"] is False
    assert len(await list_payloads(client, "integration_connected")) == 2


async def test_failing_messages_are_one_event_until_a_message_succeeds(
    client: ApiClient, receiver: WebhookReceiver, board: Body
) -> None:
    await client.post("/integrations", board)
    for name in ("board", "chat"):
        for status in (200, 500, 500, 200):
            receiver.status = status
            await client.ask("POST", f"/integrations/{name}/send", {"title": "x"})
    for event_type, count in (("integration_failed", 2), ("integration_connected", 4)):
        assert len(await list_payloads(client, event_type)) == count
    views = rows_of(await client.get("/integrations"))
    assert [(view["name"], view["failing"]) for view in views] == [
        ("board", False),
        ("chat", False),
    ]


async def test_a_change_keeps_the_secrets_that_it_leaves_out(
    client: ApiClient, receiver: WebhookReceiver
) -> None:
    settings: JsonValue = {"topic": "news", "server": receiver.url, "token": SECRET}
    await client.post("/integrations", {"name": "push", "kind": "ntfy", "settings": settings})
    status, view = await client.ask(
        "PATCH", "/integrations/1", {"settings": {"topic": "alarm"}, "name": "bell"}
    )
    assert (status, view["name"], view["secrets"]) == (200, "bell", ["token"])
    await client.ask("POST", "/integrations/bell/send", {"title": "x"})
    assert receiver.requests[0].headers["Authorization"] == f"Bearer {SECRET}"
    assert orjson.loads(receiver.requests[0].body)["topic"] == "alarm"
    _, view = await client.ask("PATCH", "/integrations/1", {"settings": {"token": None}})
    assert view["secrets"] == []
    assert (await client.ask("DELETE", "/integrations/1"))[0] == 204
    assert (await client.ask("POST", "/integrations/bell/send", {"title": "x"}))[0] == 404


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"kind": "fax"}, "#/kind"),
        ({"settings": {}}, "#/settings/url"),
        ({"settings": {"url": f"ftp://{SECRET}"}}, "#/settings/url"),
        ({"settings": {"url": "https://example.com", "more": 1}}, "#/settings/more"),
        ({"name": "No"}, "#/name"),
    ],
)
async def test_what_does_not_fit_is_refused_by_its_place(
    client: ApiClient, board: Body, body: Body, pointer: str
) -> None:
    status, problem = await client.ask("POST", "/integrations", {**board, **body})
    assert status == 422
    assert [row["pointer"] for row in problem["errors"]] == [pointer]  # type: ignore[union-attr,index,call-overload]  # JSON
    assert SECRET not in str(problem)


async def test_names_are_unique_and_those_of_the_configuration_are_taken(
    client: ApiClient, board: Body
) -> None:
    await client.post("/integrations", board)
    assert (await client.ask("POST", "/integrations", board))[0] == 409
    status, problem = await client.ask("POST", "/integrations", {**board, "name": "chat"})
    assert (status, "plugins.integrations" in str(problem["detail"])) == (409, True)
    assert (await client.ask("PATCH", "/integrations/1", {"name": "chat"}))[0] == 409
    await client.post("/integrations", {**board, "name": "b2"})
    await client.post("/integrations", {**board, "name": "b3"})
    status, problem = await client.ask("POST", "/integrations", {**board, "name": "b4"})
    assert (status, "plugins.integrations.quota" in str(problem["detail"])) == (409, True)


async def test_only_administrators_share_and_see_shared_settings(
    open_client: MakeClient, board: Body, receiver: WebhookReceiver
) -> None:
    admin, member = await open_client("ada"), await open_client("eve")
    shared = {**board, "shared": True}
    assert (await member.ask("POST", "/integrations", shared))[0] == 403
    own = await member.post("/integrations", {**board, "name": "own"})
    assert (await member.ask("PATCH", f"/integrations/{own['id']}", {"shared": True}))[0] == 403
    path = f"/integrations/{(await admin.post('/integrations', shared))['id']}"
    view = await member.get(path)
    assert (view["settings"], view["secrets"], view["shared"]) == (None, [], True)
    for method, place in (("PATCH", path), ("DELETE", path), ("POST", f"{path}/test")):
        body: JsonValue = {"reports": True} if method == "PATCH" else None
        assert (await member.ask(method, place, body))[0] == 403
    assert (await member.ask("POST", "/integrations/board/send", {"title": "Hi"}))[0] == 204
    assert len(receiver.requests) == 1
    # The user's own comes before a shared one of the same name.
    assert (await member.ask("PATCH", f"/integrations/{own['id']}", {"name": "board"}))[0] == 200
    assert (await admin.ask("GET", f"/integrations/{own['id']}"))[0] == 404


async def test_a_kind_of_a_plugin_is_described_connected_and_used(
    client: ApiClient, receiver: WebhookReceiver, application: Application
) -> None:
    assert application.quarantine_reasons == {}
    kinds = {kind["name"]: kind for kind in rows_of(await client.get("/integrations/kinds"))}
    assert set(kinds) >= {"pager", "json", "slack", "discord", "ntfy"}
    assert "'format': 'password'" in str(kinds["pager"]["settings_schema"])
    settings: JsonValue = {"url": receiver.url, "code": SECRET}
    view = await client.post(
        "/integrations", {"name": "me", "kind": "pager", "settings": settings}
    )
    assert (view["settings"], view["secrets"]) == ({"url": receiver.url}, ["code"])
    assert (await client.ask("POST", "/integrations/me/send", {"title": "Hi"}))[0] == 204
    assert receiver.requests[0].headers["X-Code"] == SECRET


@pytest.mark.parametrize(
    "sections", [{"vault": {"key_file": "keys/biont.key"}}], ids=["own key file"]
)
async def test_settings_survive_a_replaced_key(
    restart: Restart,
    receiver: WebhookReceiver,
    board: Body,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    async with restart() as client:
        await client.post("/integrations", board)
    (key_file,) = find_files(tmp_path, "biont.key")
    old, new = key_file.read_text().strip(), Fernet.generate_key().decode()
    for keys in (f"{new}\n{old}\n", f"{new}\n"):
        key_file.write_text(keys)
        async with restart() as client:
            assert (await client.ask("POST", "/integrations/board/send", {"title": "x"}))[0] == 204
    assert len(receiver.requests) == 2

"""Every example of the documentation is run."""

from __future__ import annotations

import re
import shutil
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType

import orjson
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from conftest import MakeKey, Restart, StartServer
from peewee import IntegerField, TextField
from pydantic import JsonValue
from standardwebhooks import Webhook
from support.pages import read_examples
from support.process import run_biont, run_script
from support.thinker import Thinker

from biont import Scope, Table, Transaction
from biont.application import open_application
from biont.settings import load_settings
from biont.testing import (
    ApiClient,
    ManualClock,
    ModelServer,
    WebhookReceiver,
    make_user,
    rows_of,
    write_config,
)
from biont_audit import EVENT_LOG


class SaleRow(Table):
    """A sale, as the example of a plugin keeps it."""

    user_id = IntegerField()
    product = TextField()
    cents = IntegerField()


NOTE_CREATED: dict[str, JsonValue] = {"note_id": 7, "title": "Plan", "tags": [], "source": None}
SCHEDULED_TRIGGER: dict[str, JsonValue] = {
    "schedule_id": 1,
    "run_id": 1,
    "name": "Plan",
    "scheduled_for": "2026-03-02T12:00:00+00:00",
    "status": "succeeded",
    "note_id": 7,
}


async def test_the_first_plugin_counts_notes(
    start_server: StartServer, make_key: MakeKey, tmp_path: Path
) -> None:
    (source,) = read_examples("README.md", "plugin")
    assert len(source.splitlines()) < 40
    folder = tmp_path / "plugins"
    folder.mkdir()
    (folder / "note_counter.py").write_text(source)
    server = await start_server(plugins={"folder": str(folder)})
    async with ApiClient(server.url, await make_key()) as client:
        await client.post("/notes", {"title": "one"})
        await client.post("/notes", {"title": "two"})
        await client.get_until("/note-count", lambda answer: answer == {"notes": 2})


async def test_the_plugin_with_a_table_tallies_events(
    start_server: StartServer, make_key: MakeKey, tmp_path: Path
) -> None:
    folder = tmp_path / "plugins"
    (folder / "tally_migrations").mkdir(parents=True)
    for name in ("tally.py", "tally_migrations/0001_tally.py"):
        (folder / name).write_text(read_examples("docs/how-to/write-a-plugin.md", name)[0])
    server = await start_server(plugins={"folder": str(folder)})
    async with ApiClient(server.url, await make_key()) as client:
        await client.post("/notes", {"title": "one"})
        await client.post("/notes", {"title": "two"})
        await client.get_until("/tally", lambda answer: answer.get("note_created") == 2)


async def test_the_plugin_with_its_own_events_tells_about_sales(
    start_server: StartServer, make_key: MakeKey, tmp_path: Path
) -> None:
    (source,) = read_examples("docs/how-to/write-a-plugin.md", "sales.py")
    folder = tmp_path / "plugins"
    folder.mkdir()
    (folder / "sales.py").write_text(source)
    server = await start_server(plugins={"folder": str(folder)})
    async with ApiClient(server.url, await make_key()) as client:
        assert "'sale_closed'" in str(await client.get("/event-types"))
        await client.post("/sales", {"product": "lamp", "cents": 4_900})
        await client.get_until("/events", lambda page: "'sale_closed'" in str(page))


async def test_the_example_writes_a_row_and_its_event_together(tmp_path: Path) -> None:
    sales = ModuleType("sales")
    (source,) = read_examples("docs/how-to/write-a-plugin.md", "sales.py")
    exec(source, vars(sales))  # noqa: S102  # the example is the plugin
    (function,) = read_examples("docs/how-to/write-a-plugin.md", "insert_sale")
    exec(function, vars(sales) | {"Transaction": Transaction, "SaleRow": SaleRow}, vars(sales))  # noqa: S102
    settings = load_settings(write_config(tmp_path, {}), environ={})
    async with open_application(settings, plugins={"sales": sales}) as application:
        workbench = application.workbench
        user_id = await make_user(workbench, "ada")
        await workbench.store.write(SaleRow.create_table)
        sale = sales.Sale(product="lamp", cents=4_900)
        number = await workbench.store.transact(sales.insert_sale, user_id, sale)
        (event,) = await workbench.get(EVENT_LOG).read_events(user_id)
        assert (event.event_type, event.payload) == (
            "sale_closed",
            {"product": "lamp", "cents": 4_900},
        )
        assert await workbench.store.read(lambda: SaleRow.get_by_id(number).product) == "lamp"


async def test_the_plugin_with_a_mission_starts_research(
    start_server: StartServer, make_key: MakeKey, tmp_path: Path
) -> None:
    (source,) = read_examples("docs/how-to/write-a-plugin.md", "research.py")
    folder = tmp_path / "plugins"
    folder.mkdir()
    (folder / "research.py").write_text(source)
    server = await start_server(plugins={"folder": str(folder)})
    async with ApiClient(server.url, await make_key()) as client:
        started = await client.post("/research", {"name": "fences"})
        mission = await client.get(f"/missions/{started['mission_id']}")
    assert mission["goal"] == "Summarise what my notes say about fences."
    assert (mission["tools"], mission["max_tokens"]) == (["search_notes", "read_note"], 20_000)
    tasks = rows_of({"data": mission["tasks"]})
    assert [task["title"] for task in tasks] == ["Find the notes", "Summarise them"]


async def test_the_command_of_a_plugin_reads_its_own_settings(tmp_path: Path) -> None:
    (source,) = read_examples("docs/how-to/write-a-plugin.md", "greeter.py")
    folder = tmp_path / "plugins"
    folder.mkdir()
    (folder / "greeter.py").write_text(source)
    (settings,) = read_examples("docs/how-to/write-a-plugin.md", "greeter.yaml")
    config = write_config(tmp_path, {"plugins": {"folder": str(folder)}})
    assert await run_biont("greet", "Ada", config=config) == (0, "Hello, Ada!\n", "")

    (config / "greeter.yaml").write_text(settings)
    assert await run_biont("greet", "Ada", config=config) == (0, "Good morning, Ada!\n", "")

    (config / "greeter.yaml").write_text(settings.replace("greeting:", "greating:"))
    code, out, error = await run_biont("greet", "Ada", config=config)
    assert (code, out) == (1, "")
    assert "greeter.yaml:3:5: plugins.greeter.greating: is not a known key" in error


async def test_the_tool_looks_up_the_weather(
    start_server: StartServer, make_key: MakeKey, tmp_path: Path
) -> None:
    (source,) = read_examples("docs/reference/tools.md", "weather.py")
    folder = tmp_path / "plugins"
    folder.mkdir()
    (folder / "weather.py").write_text(source)
    server = await start_server(plugins={"folder": str(folder)})
    async with ApiClient(server.url, await make_key()) as client:
        tools: object = (await client.request("GET", "/tools")).document
    assert "'look_up_weather'" in str(tools)
    assert "'The name of a city.'" in str(tools)


async def test_the_declared_schedules_are_there(
    start_server: StartServer, make_key: MakeKey, tmp_path: Path
) -> None:
    config = write_config(tmp_path, {})
    key = await make_key()
    (declared,) = read_examples("docs/how-to/declare-schedules.md", "schedules.yaml")
    (config / "schedules.yaml").write_text(declared)
    server = await start_server()
    async with ApiClient(server.url, key) as client:
        page = await client.get("/schedule")
    assert "'morning-greeting'" in str(page)
    assert "'Look around'" in str(page)


@pytest.mark.parametrize("name", ["simulate", "simulate-trouble"])
async def test_the_schedules_are_simulated(name: str, tmp_path: Path) -> None:
    config = write_config(tmp_path, {})
    (declared,) = read_examples("docs/how-to/declare-schedules.md", "schedules.yaml")
    (config / "schedules.yaml").write_text(declared)
    (commands,) = read_examples("docs/how-to/simulate-schedules.md", name)
    async with run_script(commands, tmp_path) as output:
        told = (await output.read()).decode()
    assert told.count("morning-greeting") >= 2
    assert "hourly-look" in told


@pytest.mark.parametrize(
    ("page", "event_type", "payload"),
    [
        ("README.md", "note_created", NOTE_CREATED),
        ("docs/how-to/report-a-schedule.md", "scheduled_trigger", SCHEDULED_TRIGGER),
    ],
)
async def test_the_receivers_verify_real_deliveries(
    page: str, event_type: str, payload: dict[str, JsonValue], tmp_path: Path
) -> None:
    (source,) = read_examples(page, "receiver")
    names: dict[str, object] = {"reports": []}
    exec(compile(source, page, "exec"), names)  # noqa: S102  # our own documentation
    receive = names["receive"]
    assert callable(receive)
    statuses: list[int] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        response: web.StreamResponse = await receive(request)
        statuses.append(response.status)
        return response

    app = web.Application()
    app.router.add_post("/hook", answer)
    settings = load_settings(write_config(tmp_path, {}), environ={})
    clock = ManualClock(datetime.now(UTC))
    async with (
        TestServer(app, host="127.0.0.1") as hook,
        open_application(settings, clock=clock) as application,
        TestServer(application.app, host="127.0.0.1") as server,
    ):
        workbench = application.workbench
        user = await workbench.users.create("ada")
        key, _ = await workbench.keys.create(user.id, "test", Scope.FULL)
        async with ApiClient(str(server.make_url("")).rstrip("/"), key) as client:
            webhook = await client.post(
                "/webhooks/outgoing/register", {"url": str(hook.make_url("/hook"))}
            )
            names["SECRET"] = webhook["secret"]
            await workbench.events.emit(event_type, user.id, payload)
            await client.get_until(
                f"/webhooks/outgoing/{webhook['id']}/deliveries",
                lambda page: "succeeded" in str(page),
            )
    assert statuses == [200]
    assert names["reports"] in ([], [7])


async def test_the_tutorials_requests_are_answered(
    start_server: StartServer, make_key: MakeKey
) -> None:
    server = await start_server()
    async with ApiClient(server.url, await make_key()) as client:
        await send_requests(client, *read_examples("docs/tutorial/first-hour.md", "requests"))


async def test_a_goal_leads_to_a_report(
    start_server: StartServer, make_key: MakeKey, scripted: ModelServer
) -> None:
    scripted.default = Thinker()
    openai = {"base_url": scripted.url, "api_key": "x", "model": "m"}
    server = await start_server(plugins={"llm": {"backend": "openai", "openai": openai}})
    page = "docs/tutorial/goal-to-report.md"
    async with ApiClient(server.url, await make_key()) as client:
        await send_requests(client, *read_examples(page, "requests"))
        for number in (1, 2):
            await client.get_until(
                f"/missions/{number}", lambda mission: mission["status"] == "completed"
            )
            answers = await send_requests(client, *read_examples(page, "afterwards"))
            assert all(answer["data"] for answer in answers)
            if number == 1:
                await send_requests(client, *read_examples(page, "with a model that plans"))


async def send_requests(client: ApiClient, *blocks: str) -> list[dict[str, JsonValue]]:
    """Make each request of examples; return the answers."""
    answers = []
    for line in "".join(blocks).splitlines():
        method, path, *body = line.split(" ", 2)
        status, answer = await client.ask(
            method, path.removeprefix("/api/v1"), orjson.loads(body[0]) if body else None
        )
        assert status in (200, 201), (line, answer)
        answers.append(answer)
    return answers


async def test_the_requests_of_an_operator_are_answered(
    client: ApiClient, receiver: WebhookReceiver
) -> None:
    event_id = ""
    for block in read_examples("docs/how-to/operate-webhooks.md", "requests"):
        for line in block.splitlines():
            method, path, *body = line.replace("$EVENT", event_id).split(" ", 2)
            content = body[0].replace("https://example.com/hook", receiver.url) if body else "null"
            status, answer = await client.ask(
                method, path.removeprefix("/api/v1"), orjson.loads(content)
            )
            assert status in (200, 201, 202), (line, answer)
            if path == "/api/v1/events":
                event_id = str(answer["id"])
    sent = await receiver.wait_for(3)
    assert event_id in {request.event["id"] for request in sent}


@pytest.mark.parametrize("sections", [{"vault": {"key_file": "data/biont.key"}}])
async def test_the_key_of_secrets_is_replaced(
    restart: Restart,
    receiver: WebhookReceiver,
    clock: ManualClock,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    clock.at = datetime.now(UTC)
    async with restart() as client:
        body: JsonValue = {"url": receiver.url, "headers": {"X-Token": "t0k3n"}}
        webhook = await client.post("/webhooks/outgoing/register", body)

    (source,) = read_examples("docs/how-to/operate-webhooks.md", "new key")
    exec(compile(source, "new key", "exec"), {})  # noqa: S102  # our own documentation
    key_file = tmp_path / "data" / "biont.key"
    new, old = key_file.read_text().splitlines()
    for count, keys in enumerate([f"{new}\n{old}", new], 1):
        key_file.write_text(keys)
        async with restart() as client:
            await client.post("/events", {"event_type": "custom_sale"})
            request = (await receiver.wait_for(count))[-1]
        Webhook(str(webhook["secret"])).verify(request.body.decode(), dict(request.headers))
        assert request.headers["X-Token"] == "t0k3n"


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl on PATH")
async def test_the_event_log_is_checked_exported_and_followed(
    start_server: StartServer, make_key: MakeKey, tmp_path: Path
) -> None:
    server = await start_server()
    key = await make_key()
    async with ApiClient(server.url, key) as client:
        note = await client.post("/notes", {"title": "Plan"})

    async def run(name: str, lines: int | None = None, **variables: str) -> str:
        (script,) = read_examples("docs/how-to/audit.md", name)
        script = script.replace("http://127.0.0.1:8080", server.url)
        variables["BIONT_CONFIG"] = str(server.config)
        async with run_script(script, tmp_path, **variables) as out:
            if lines is None:
                return (await out.read()).decode()
            return "".join([(await out.readline()).decode() for _ in range(lines)])

    checked = await run("check")
    assert "is whole; checked: 3" in checked
    assert "is whole" in await run("expect", NUMBER_AND_HASH=checked.split()[-1])
    await run("export")
    # The user and the key came first.
    *_, line = (tmp_path / "events.jsonl").read_text().splitlines()
    *_, event = orjson.loads((tmp_path / "events.json").read_text())
    assert orjson.loads(line)["payload"] == event["data"]
    assert event["data"]["note_id"] == note["id"]
    assert "id: 3\nevent: note_created\ndata: {" in await run("follow", lines=13, KEY=key)


async def test_why_is_answered_as_documented(start_server: StartServer, make_key: MakeKey) -> None:
    server = await start_server()
    async with ApiClient(server.url, await make_key()) as client:
        await client.post("/schedule", {"cron": "0 9 * * *", "prompt": "Good morning"})
        (block,) = read_examples("docs/how-to/ask-why-a-schedule-ran.md", "why")
        for path in re.findall(r'\$URL/api/v1([^"]+)"', block):
            assert (await client.ask("GET", path))[0] == 200

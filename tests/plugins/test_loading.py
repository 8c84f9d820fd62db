"""One plugin, a single file, that uses every hook of the contract."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from conftest import MakeKey, StartServer
from support.process import run_biont

from biont.testing import ApiClient

EVERYTHING = '''
"""Uses every hook."""

from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import click
from biont import (
    Api,
    Event,
    EventType,
    JobKind,
    Request,
    Section,
    Table,
    Tables,
    Workbench,
    hookimpl,
    on,
)
from biont.llm import Completion
from peewee import IntegerField
from pydantic import BaseModel

api = Api("everything")


class EverythingSettings(Section):
    greeting: str = "hello"


class Seen(Table):
    number = IntegerField()


class Parrot:
    async def chat(self, request):
        return Completion(text=request.messages[-1].content, model="parrot")

    async def close(self):
        pass


class Nothing(BaseModel):
    pass


async def do_nothing(run, workbench):
    return lambda tx: {"done": True}


@hookimpl
def register_settings():
    return EverythingSettings


@hookimpl
def register_tables():
    return Tables(Path(__file__).parent / "everything_migrations", [Seen])


@hookimpl
def register_routes():
    return api


@hookimpl
def register_jobs():
    return [JobKind("nothing", Nothing, do_nothing)]


@hookimpl
def register_event_types():
    return [EventType("parrot_spoke", Nothing, "A parrot has spoken.")]


@hookimpl
def register_llm_backends():
    return {"parrot": lambda workbench: Parrot()}


@hookimpl
def register_commands(cli):
    @cli.command("greet")
    def greet():
        click.echo("hello from a plugin")


@hookimpl
@asynccontextmanager
async def lifespan(workbench):
    await workbench.store.write(lambda: Seen.create(number=0))
    yield


@on("custom_*")
async def count(event: Event, workbench: Workbench) -> None:
    def add() -> None:
        Seen.update(number=Seen.number + 1).execute()

    await workbench.store.write(add)


@api.post("/everything", status=200)
async def speak(request: Request) -> dict[str, str]:
    """Emit an event of a type of its own."""
    event = await request.workbench.events.emit("parrot_spoke", request.user_id, {})
    return {"event_type": event.event_type}


@api.get("/everything")
async def show(request: Request) -> dict[str, int | str]:
    """Show what came of the hooks."""
    settings = request.workbench.plugin_settings("everything", EverythingSettings)
    number = await request.workbench.store.read(lambda: Seen.get().number)
    return {"greeting": settings.greeting, "number": number}
'''
MIGRATION = """
from peewee import IntegerField


def up(migrator, db):
    class Seen(db.Model):
        number = IntegerField()

        class Meta:
            legacy_table_names = False

    db.create_tables([Seen])
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "plugins"
    (folder / "everything_migrations").mkdir(parents=True)
    (folder / "everything.py").write_text(EVERYTHING)
    (folder / "everything_migrations" / "0001_seen.py").write_text(MIGRATION)
    return folder


async def test_every_hook_is_called_and_used(
    start_server: StartServer, make_key: MakeKey, folder: Path
) -> None:
    plugins = {"folder": str(folder), "everything": {"greeting": "ahoy"}}
    server = await start_server(plugins=plugins | {"llm": {"backend": "parrot"}})
    async with ApiClient(server.url, await make_key()) as client:
        assert await client.get("/everything") == {"greeting": "ahoy", "number": 0}
        await client.post("/events", {"event_type": "custom_x"})
        await client.get_until("/everything", lambda answer: answer["number"] == 1)
        assert await client.post("/everything") == {"event_type": "parrot_spoke"}
        answer = await client.post("/chat", {"message": "Polly?"})
        assert (answer["answer"], answer["model"]) == ("Polly?", "parrot")
        schedule = await client.post("/schedule", {"cron": "0 9 * * *", "job": "nothing"})
        assert schedule["job"] == "nothing"
    code, out, _ = await run_biont("greet", config=server.config)
    assert (code, out) == (0, "hello from a plugin\n")


PUBLIC = '''
"""Routes of every method without a key."""

from biont import Api, Request, hookimpl
from pydantic import BaseModel

api = Api("public")


class Ping(BaseModel):
    text: str


@hookimpl
def register_routes():
    return api


@api.get("/ping", public=True)
async def read_ping(request: Request) -> Ping:
    """Read."""
    return Ping(text="read")


@api.post("/ping", public=True)
async def create_ping(request: Request, body: Ping) -> Ping:
    """Create."""
    return body


@api.patch("/ping", public=True)
async def change_ping(request: Request) -> Ping:
    """Change."""
    return Ping(text="changed")


@api.delete("/ping", public=True)
async def delete_ping(request: Request) -> None:
    """Delete."""


@api.post("/whoami", public=True)
async def read_user(request: Request) -> int:
    """Ask for the user, whom a public route does not know."""
    return request.user_id
'''


async def test_public_routes_of_every_method_need_no_key(
    start_server: StartServer, tmp_path: Path
) -> None:
    folder = tmp_path / "plugins"
    folder.mkdir()
    (folder / "public.py").write_text(PUBLIC)
    server = await start_server(plugins={"folder": str(folder)})
    async with ApiClient(server.url, None) as stranger:
        assert await stranger.ask("GET", "/ping") == (200, {"text": "read"})
        assert await stranger.ask("POST", "/ping", {"text": "hi"}) == (201, {"text": "hi"})
        assert await stranger.ask("PATCH", "/ping") == (200, {"text": "changed"})
        assert (await stranger.ask("DELETE", "/ping"))[0] == 204
        assert (await stranger.ask("POST", "/whoami"))[0] == 401
        document: Any = await stranger.get("/openapi.json")
    operations = document["paths"]["/api/v1/ping"]
    assert [operations[method]["security"] for method in ("get", "post", "patch", "delete")] == [
        [],
        [],
        [],
        [],
    ]


@pytest.mark.parametrize(
    ("before", "after", "reason"),
    [
        ("    yield\n", "    raise OSError('no device')\n    yield\n", "no device"),
        ("    return EverythingSettings\n", "    return 1 / 0\n", "division by zero"),
        ("request: Request) -> dict", "request) -> dict", "must be a Request"),
        ("def register_jobs():", "def register_jobs(surprise):", "surprise"),
        ('on("custom_*")', 'on("*custom")', "only at the end"),
        ('EventType("parrot_spoke"', 'EventType("custom_parrot"', "without declaration"),
        ('EventType("parrot_spoke"', 'EventType("Parrot"', "must be snake case"),
    ],
    ids=["lifespan", "settings", "route", "parameter", "pattern", "custom type", "type"],
)
async def test_a_plugin_that_breaks_the_contract_is_quarantined_and_the_rest_serves(
    start_server: StartServer,
    make_key: MakeKey,
    folder: Path,
    before: str,
    after: str,
    reason: str,
) -> None:
    assert before in EVERYTHING
    (folder / "everything.py").write_text(EVERYTHING.replace(before, after))
    server = await start_server(plugins={"folder": str(folder)})
    async with ApiClient(server.url, await make_key()) as client:
        health = await client.get("/health")
        assert health["quarantined"] == ["everything"]
        assert (await client.ask("GET", "/everything"))[0] == 404
        assert (await client.ask("POST", "/notes", {"title": "served"}))[0] == 201
    assert reason in server.read_log()


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        (
            'register_jobs():\n    return [JobKind("prompt", Nothing, do_nothing)]',
            "job kind 'prompt'",
        ),
        ('register_llm_backends():\n    return {"local": None}', "LLM backend 'local'"),
        (
            'register_event_types():\n    return [EventType("note_created", Nothing, "")]',
            "event type 'note_created' is defined by both notes and everything",
        ),
        (
            'register_event_types():\n    return [EventType("scheduled_trigger", Nothing, "")]',
            "event type 'scheduled_trigger' is defined by both core and everything; disable",
        ),
    ],
    ids=["job kind", "backend", "event type", "event type of the core"],
)
async def test_a_plugin_that_claims_a_taken_name_is_quarantined(
    start_server: StartServer, folder: Path, source: str, complaint: str
) -> None:
    hook = source.partition("(")[0]
    changed = EVERYTHING.replace(f"def {hook}():", f"def {source}\n\n\ndef _{hook}():")
    (folder / "everything.py").write_text(changed)
    server = await start_server(plugins={"folder": str(folder)})
    code, listed, _ = await run_biont("plugins", config=server.config)
    assert code == 1
    assert f"everything\tquarantined\t{complaint}" in listed

"""Plugins that hang, exit, clash, or need what is not there, in a real process."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import MakeKey, StartServer
from pydantic import JsonValue
from support.process import keep_biont, run_biont

from biont.testing import ApiClient, write_config

WritePlugin = Callable[[str, str], dict[str, object]]

HEAD = """
import asyncio, time
from contextlib import asynccontextmanager
from pathlib import Path
from biont import Api, EventType, JobKind, Request, Table, Tables, hookimpl, on
from pydantic import BaseModel
"""
LIFESPAN = """
@hookimpl
@asynccontextmanager
async def lifespan(workbench):
"""
CONTRIBUTIONS = """
from biont import make_tool


class Nothing(BaseModel):
    pass


async def work(run, workbench):
    return lambda tx: {}


async def call(context, arguments):
    return None


@hookimpl
def register_tools():
    return [make_tool("own_tool", "A tool.", Nothing, call)]


@hookimpl
def register_jobs():
    return [JobKind("own_job", Nothing, work)]


@hookimpl
def register_event_types():
    return [EventType("own_event", Nothing, "An event.")]


@on("custom_*")
async def keep(event, workbench):
    Path(__file__).with_name("seen").open("a").write(event.event_type + "\\n")
"""


@pytest.fixture
def write_plugin(tmp_path: Path) -> WritePlugin:
    """Write a plugin file; return the section of the settings."""
    folder = tmp_path / "strangers"
    folder.mkdir()

    def write(name: str, source: str) -> dict[str, object]:
        (folder / f"{name}.py").write_text(HEAD + source)
        return {"folder": str(folder), "start_timeout": 1}

    return write


async def wait_for_text(path: Path, text: str) -> None:
    """Wait until another process has written `text` to a file."""
    async with asyncio.timeout(60):
        while not _has_text(path, text):  # noqa: ASYNC110  # another process writes
            await asyncio.sleep(0.05)


def has_failing_task(health: dict[str, JsonValue]) -> bool:
    return bool(health["failing_tasks"])


def _has_text(path: Path, text: str) -> bool:
    return path.exists() and text in path.read_text()


async def list_plugins(config: Path) -> dict[str, tuple[str, str]]:
    """Return state and description by plugin, as ``biont plugins`` prints the two."""
    _, out, _ = await run_biont("plugins", config=config)
    rows = [line.split("\t") for line in out.splitlines()]
    return {row[0]: (row[1], row[2] if row[2:] else "") for row in rows}


@pytest.mark.parametrize(
    "source",
    [
        "while True:\n    pass\n",
        "time.sleep(3600)\n",
        "@hookimpl\ndef register_tools():\n    time.sleep(3600)\n",
        LIFESPAN + "    await asyncio.Event().wait()\n    yield\n",
    ],
    ids=["loop at import", "sleep at import", "hook", "lifespan"],
)
async def test_a_plugin_that_hangs_is_quarantined_in_time(
    start_server: StartServer, write_plugin: WritePlugin, source: str
) -> None:
    server = await start_server(plugins=write_plugin("slow", source))
    state, reason = (await list_plugins(server.config))["slow"]
    assert state == "quarantined"
    assert "plugins.start_timeout" in reason
    async with ApiClient(server.url, None) as client:
        assert (await client.get("/health"))["quarantined"] == ["slow"]
    assert await server.stop() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize(
    "source",
    ["time.sleep(3600)\n", LIFESPAN + "    await asyncio.Event().wait()\n    yield\n"],
    ids=["import", "lifespan"],
)
async def test_a_signal_ends_a_start_that_hangs(
    tmp_path: Path, write_plugin: WritePlugin, number: signal.Signals, source: str
) -> None:
    hint = "Path(__file__).with_name('started').touch()\n"
    source = source.replace("    await", f"    {hint}    await").replace("time.s", hint + "time.s")
    section = write_plugin("slow", source) | {"start_timeout": 3600}
    config = write_config(tmp_path, {"plugins": section})
    async with keep_biont("serve", config=config) as process:
        await wait_for_text(tmp_path / "strangers" / "started", "")
        process.send_signal(number)
        assert await process.wait() == 0


async def test_a_lifespan_that_blocks_the_loop_ends_the_start_with_a_line(
    tmp_path: Path, write_plugin: WritePlugin
) -> None:
    section = write_plugin("slow", LIFESPAN + "    time.sleep(3600)\n    yield\n")
    code, _, error = await run_biont("serve", config=write_config(tmp_path, {"plugins": section}))
    assert code == 1
    assert "add 'slow' to plugins.disable" in error


async def test_a_lifespan_that_hangs_at_the_stop_does_not_hold_up_the_process(
    start_server: StartServer, write_plugin: WritePlugin
) -> None:
    section = write_plugin(
        "slow",
        LIFESPAN + "    yield\n    while True:\n        try:\n"
        "            await asyncio.Event().wait()\n"
        "        except asyncio.CancelledError:\n            pass\n",
    )
    server = await start_server(plugins=section, server={"port": 0, "shutdown_timeout": 1})
    async with asyncio.timeout(60):
        await server.stop()


EXITS = [
    "SystemExit(3)",
    "KeyboardInterrupt()",
    "BaseExceptionGroup('x', [SystemExit()])",
    "GeneratorExit()",
    "asyncio.CancelledError()",
]
PLACES = {
    "import": "raise {}\n",
    "hook": "@hookimpl\ndef register_routes():\n    raise {}\n",
    "lifespan": LIFESPAN + "    raise {}\n    yield\n",
    "settings": "@hookimpl\ndef register_settings():\n    raise {}\n",
}


async def test_a_plugin_that_exits_is_quarantined(
    tmp_path: Path, write_plugin: WritePlugin
) -> None:
    names = set()
    section: dict[str, object] = {}
    for place, source in PLACES.items():
        for number, error in enumerate(EXITS):
            section = write_plugin(f"{place}{number}", source.format(error))
            names.add(f"{place}{number}")
    states = await list_plugins(write_config(tmp_path, {"plugins": section}))
    assert {name for name, (state, _) in states.items() if state == "quarantined"} == names
    assert all(states[name][1].startswith("PluginExit: ") for name in names)


async def test_an_exit_at_run_time_is_an_error_of_that_call(
    start_server: StartServer, write_plugin: WritePlugin, make_key: MakeKey
) -> None:
    source = """
api = Api("exits")


@hookimpl
def register_routes():
    return api


ERRORS = {
    "generator": GeneratorExit(),
    "cancel": asyncio.CancelledError(),
    "iteration": StopIteration(),
    "loop": StopAsyncIteration(),
}


async def die():
    if restarts:
        await asyncio.Event().wait()
    restarts.append(1)
    raise SystemExit("sk-" + "a" * 40)


restarts = []


@api.get("/exits")
async def exits(request: Request, place: str) -> int:
    if place in ERRORS:
        raise ERRORS[place]
    if place == "task":
        request.workbench.services.task = asyncio.create_task(die())
        return 1
    if place == "callback":
        asyncio.get_running_loop().call_soon(exit)
        return 1
    if place == "read":
        await request.workbench.store.read(exit)
    if place == "write":
        await request.workbench.store.write(exit)
    raise KeyboardInterrupt


@on("custom_*", retry=[])
async def handler(event, workbench):
    raise SystemExit(5)


@on("custom_*", transactional=True)
def writer(tx, events, workbench):
    raise KeyboardInterrupt


class Nothing(BaseModel):
    pass


async def cancel_itself(run, workbench):
    raise asyncio.CancelledError


@hookimpl
def register_jobs():
    return [JobKind("cancel_itself", Nothing, cancel_itself)]
"""
    server = await start_server(plugins=write_plugin("exits", source))
    async with ApiClient(server.url, await make_key()) as client:
        for place in ("route", "read", "write", "generator", "cancel", "iteration", "loop"):
            assert (await client.ask("GET", f"/exits?place={place}"))[0] == 500
        for place in ("task", "callback"):
            assert (await client.ask("GET", f"/exits?place={place}"))[0] == 200
        await client.post("/events", {"event_type": "custom_x"})
        await client.get_until("/dead-letters", lambda page: page["data"] != [])
        health: Any = await client.get_until("/health", has_failing_task)
        assert health["status"] == "degraded"
        assert health["failing_tasks"][0]["plugin"] == "exits"
        assert "SystemExit" in health["failing_tasks"][0]["error"]
        assert "sk-a" not in str(health) + str(await list_plugins(server.config))
        assert health["failing_tasks"][0]["since"].startswith("20")
        # The plugin starts the task again, which then lives.
        assert (await client.ask("GET", "/exits?place=task"))[0] == 200
        await client.get_until("/health", lambda answer: not answer["failing_tasks"])
        schedule = (await client.post("/schedule", {"every": 3600, "job": "cancel_itself"}))["id"]
        _, run = await client.ask("POST", f"/schedule/{schedule}/run-now")
        path = f"/schedule/{schedule}/runs/{run['id']}"
        await client.get_until(path, lambda found: found["status"] == "failed")
        assert (await client.ask("POST", "/notes", {"title": "served"}))[0] == 201
    assert await server.stop() == 0


async def test_a_check_beside_a_used_database_finds_its_users_and_changes_nothing(
    start_server: StartServer, make_key: MakeKey, tmp_path: Path
) -> None:
    declared = {"x": {"every": 60, "prompt": "x", "user": "ada"}}
    server = await start_server()
    await make_key("ada")
    await server.stop()
    database = tmp_path / "biont.sqlite3"
    before = database.read_bytes()
    sections: dict[str, object] = {"plugins": {"schedules": {"declared": declared}}}
    code, out, error = await run_biont("config", "check", config=write_config(tmp_path, sections))
    assert (code, out, error) == (0, "the configuration is valid\n", "")
    assert database.read_bytes() == before
    key_file = tmp_path / "biont.key"
    key_file.chmod(0o644)
    code, _, error = await run_biont("config", "check", config=server.config)
    assert code == 1
    assert f"chmod 600 {key_file}" in error


async def test_nothing_of_a_quarantined_plugin_is_used_and_its_events_wait(
    start_server: StartServer, write_plugin: WritePlugin, make_key: MakeKey, tmp_path: Path
) -> None:
    well = CONTRIBUTIONS + LIFESPAN + "    yield\n"
    section = write_plugin("own", well)
    server = await start_server(plugins=section)
    async with ApiClient(server.url, await make_key()) as client:
        new: Any = {"every": 3600, "job": "own_job"}
        schedule = (await client.post("/schedule", new))["id"]
    await server.stop()
    write_plugin("own", well.replace("    yield", "    raise OSError('no device')\n    yield"))
    await server.start()
    async with ApiClient(server.url, await make_key("bob")) as client:
        tools: Any = await client.ask("GET", "/tools")
        assert "own_tool" not in str(tools)
        types: Any = await client.ask("GET", "/event-types?limit=1000")
        assert "own_event" not in str(types)
        assert (await client.ask("POST", "/schedule", {"every": 60, "job": "own_job"}))[0] == 422
        await client.post("/events", {"event_type": "custom_waits"})
        health = await client.get("/health")
        assert health["reasons"] == {"own": "OSError: no device"}
    async with ApiClient(server.url, await make_key("ada")) as client:
        _, run = await client.ask("POST", f"/schedule/{schedule}/run-now")
        path = f"/schedule/{schedule}/runs/{run['id']}"
        ended: Any = await client.get_until(path, lambda found: found["status"] == "failed")
        assert "no device" in ended["error"]
    await server.stop()
    write_plugin("own", well)
    await server.start()
    seen = tmp_path / "strangers" / "seen"
    await wait_for_text(seen, "custom_waits")


async def test_a_missing_requirement_quarantines_by_name(
    tmp_path: Path, write_plugin: WritePlugin
) -> None:
    source = "@hookimpl\ndef requires():\n    return [{!r}]\n"
    write_plugin("needs", source.format("nosuch"))
    write_plugin("dependant", source.format("needs"))
    write_plugin("one", source.format("other"))
    section = write_plugin("other", source.format("one"))
    states = await list_plugins(write_config(tmp_path, {"plugins": section}))
    missing = "requires the plugin 'nosuch', which is not installed"
    assert states["needs"][1].startswith(missing)
    assert "requires the plugin 'needs', which is in quarantine" in states["dependant"][1]
    assert states["one"][1].startswith("requires itself: one -> other -> one")
    assert states["other"][0] == "quarantined"


async def test_requirements_decide_the_order_and_built_in_plugins_name_theirs(
    tmp_path: Path, write_plugin: WritePlugin
) -> None:
    uses = "from biont_llm import LLM_GATEWAY\n" + LIFESPAN
    section = write_plugin("aaa", uses + "    workbench.get(LLM_GATEWAY)\n    yield\n")
    write_plugin("first", "@hookimpl\ndef requires():\n    return ['later']\n")
    write_plugin("later", "")
    config = write_config(tmp_path, {"plugins": section})
    states = await list_plugins(config)
    assert states["aaa"][0] == "running"
    assert [name for name in states if name in ("first", "later")] == ["later", "first"]
    config = write_config(tmp_path, {"plugins": section | {"disable": ["llm", "notes"]}})
    states = await list_plugins(config)
    for name in ("agents", "chat", "missions"):
        assert states[name][0] == "quarantined"
        assert "requires the plugin" in states[name][1]
    assert states["reminders"][0] == "running"


CLASHES = {
    "route": "api = Api('x')\n@api.get('/notes/{n}')\nasync def read(request: Request, n: int)"
    " -> int:\n    return n\n@hookimpl\ndef register_routes():\n    return api\n",
    "core_route": "api = Api('x')\n@api.get('/health')\nasync def read(request: Request) -> int:"
    "\n    return 1\n@hookimpl\ndef register_routes():\n    return api\n",
    "table": "class Note(Table):\n    class Meta:\n        table_name = 'Notes'\n"
    "@hookimpl\ndef register_tables():\n    return Tables(Path(__file__).parent, [Note])\n",
    "command": "import click\n@hookimpl\ndef register_commands(cli):\n"
    "    cli.add_command(click.Command('audit'))\n",
    "service": "from biont_llm import LLM_GATEWAY\n"
    + LIFESPAN
    + "    workbench.provide(LLM_GATEWAY, 1)\n    yield\n",
}


async def test_a_clash_quarantines_the_stranger(tmp_path: Path, write_plugin: WritePlugin) -> None:
    section: dict[str, object] = {}
    for kind, source in CLASHES.items():
        section = write_plugin(f"aaa_{kind}", source)
    states = await list_plugins(write_config(tmp_path, {"plugins": section}))
    lost = {name: reason for name, (state, reason) in states.items() if state == "quarantined"}
    assert lost.keys() == {f"aaa_{kind}" for kind in CLASHES}
    for reason in lost.values():
        assert "is defined by both" in reason or "can only be offered by" in reason


# Each line is a hook of two plugins that do not know each other.
SHARED = {
    "route": "api = Api('x')\n@api.get('/shared/{n}')\nasync def read(request: Request, n: int)"
    " -> int:\n    return n\n@hookimpl\ndef register_routes():\n    return api\n",
    "table": "class Shared(Table):\n    pass\n@hookimpl\ndef register_tables():\n"
    "    return Tables(Path(__file__).parent / 'moves', [Shared])\n",
    "tool": "@hookimpl\ndef register_tools():\n"
    "    return [make_tool('shared', 'A tool.', Nothing, call)]\n",
    "event type": "@hookimpl\ndef register_event_types():\n"
    "    return [EventType('shared_event', Nothing, 'An event.')]\n",
    "job kind": "@hookimpl\ndef register_jobs():\n    return [JobKind('shared', Nothing, work)]\n",
    "LLM backend": "@hookimpl\ndef register_llm_backends(workbench):\n"
    "    return {'shared': lambda workbench: None}\n",
    "command": "import click\n@hookimpl\ndef register_commands(cli):\n"
    "    cli.add_command(click.Command('shared'))\n",
    "service": "from biont import Service\n"
    "SHARED = Service[int]('shared', provider='bbb_service')\n"
    + LIFESPAN
    + "    workbench.provide(SHARED, 1)\n    yield\n",
}


async def test_of_two_strangers_the_later_by_name_is_quarantined(
    tmp_path: Path, write_plugin: WritePlugin
) -> None:
    section: dict[str, object] = {}
    head = CONTRIBUTIONS.partition("@hookimpl")[0]
    create = "CREATE TABLE shared (id INTEGER PRIMARY KEY AUTOINCREMENT)"
    write_migration(tmp_path, "moves", f"db.execute_sql({create!r})")
    for kind, source in SHARED.items():
        for owner in ("bbb", "ccc"):
            section = write_plugin(f"{owner}_{kind.replace(' ', '_')}", head + source)
    states = await list_plugins(write_config(tmp_path, {"plugins": section}))
    lost = {name: reason for name, (state, reason) in states.items() if state == "quarantined"}
    assert lost.keys() == {f"ccc_{kind.replace(' ', '_')}" for kind in SHARED}
    for name, reason in lost.items():
        assert name.replace("ccc", "bbb") in reason


async def test_a_name_that_a_plugin_defines_twice_is_told_as_that(
    tmp_path: Path, write_plugin: WritePlugin
) -> None:
    route = "@api.get('/twice/{X}')\nasync def X(request: Request, X: int) -> int:\n    return X\n"
    hook = "@hookimpl\ndef register_routes():\n    return api\n"
    source = "api = Api('x')\n" + route.replace("X", "a") + route.replace("X", "b") + hook
    states = await list_plugins(write_config(tmp_path, {"plugins": write_plugin("twice", source)}))
    assert states["twice"][0] == "quarantined"
    assert states["twice"][1].startswith(
        "GET /api/v1/twice/{b} is defined twice; remove or rename"
    )


async def test_a_file_with_the_name_of_a_built_in_plugin_or_of_the_core_is_refused(
    tmp_path: Path, write_plugin: WritePlugin
) -> None:
    section = write_plugin("notes", "")
    write_plugin("core", "")
    states = await list_plugins(write_config(tmp_path, {"plugins": section}))
    assert states["notes"][0] == "running"
    assert sum(state == "quarantined" for state, _ in states.values()) == 2


MODEL = """
from peewee import IntegerField, TextField


class TwoWords(Table):
    number = IntegerField()


@hookimpl
def register_tables():
    return Tables(Path(__file__).parent / "moves", [TwoWords])
"""


MIGRATIONS = {
    "folder": (None, "moves_folder does not exist"),
    "table": ("CREATE TABLE twotable (id INTEGER PRIMARY KEY, number INTEGER)", "'two_table'"),
    "column": ("CREATE TABLE two_column (id INTEGER PRIMARY KEY)", "no column 'number'"),
    "type": ("CREATE TABLE two_type (id INTEGER PRIMARY KEY, number TEXT)", "type TEXT"),
    "unique": (
        "CREATE TABLE two_unique (id INTEGER PRIMARY KEY, number INTEGER NOT NULL)",
        "'two_unique' has no unique index of number",
    ),
    "key": ("CREATE TABLE two_key (id TEXT PRIMARY KEY, number INTEGER)", "type TEXT"),
    "required": (
        "CREATE TABLE two_required (id INTEGER PRIMARY KEY, number INTEGER, more TEXT NOT NULL)",
        "two_required.more must have a value",
    ),
}


UNIQUE_MODEL = MODEL.replace("IntegerField()", "IntegerField(unique=True)")


async def test_a_model_that_is_no_table_is_named(
    tmp_path: Path, write_plugin: WritePlugin
) -> None:
    source = MODEL.replace("import IntegerField", "import IntegerField, Table")
    states = await list_plugins(
        write_config(tmp_path, {"plugins": write_plugin("models", source)})
    )
    assert "no subclass of biont.Table" in states["models"][1]


async def test_models_are_compared_with_the_migrated_tables(
    tmp_path: Path, write_plugin: WritePlugin
) -> None:
    section: dict[str, object] = {}
    for name, (sql, _) in MIGRATIONS.items():
        model = UNIQUE_MODEL if name == "unique" else MODEL
        source = model.replace("TwoWords", f"Two{name.title()}")
        section = write_plugin(f"words_{name}", source.replace("moves", f"moves_{name}"))
        if sql is not None:
            write_migration(tmp_path, f"moves_{name}", f"db.execute_sql({sql!r})")
    states = await list_plugins(write_config(tmp_path, {"plugins": section}))
    for name, (_, reason) in MIGRATIONS.items():
        state, found = states[f"words_{name}"]
        assert state == "quarantined"
        assert reason in found


def write_migration(folder: Path, name: str, body: str) -> None:
    """Write a folder of migrations with one migration beside the plugins."""
    moves = folder / "strangers" / name
    moves.mkdir()
    (moves / "0001_x.py").write_text(f"def up(migrator, db):\n    {body}\n")


@pytest.mark.parametrize(
    ("body", "is_served"), [("while True: pass", True), ("import time; time.sleep(3600)", False)]
)
async def test_a_migration_that_hangs_is_named(
    tmp_path: Path, write_plugin: WritePlugin, body: str, is_served: bool
) -> None:
    section = write_plugin("words", MODEL)
    write_migration(tmp_path, "moves", body)
    code, out, error = await run_biont(
        "plugins", config=write_config(tmp_path, {"plugins": section})
    )
    assert code == 1
    if is_served:
        assert "words\tquarantined\thas not started" in out
    else:
        assert "a migration of the plugin 'words' hangs" in error


async def test_memory_that_does_not_exist_is_an_error_of_the_plugin(
    start_server: StartServer, write_plugin: WritePlugin
) -> None:
    server = await start_server(plugins=write_plugin("eats", "bytearray(1 << 60)\n"))
    assert "MemoryError" in (await list_plugins(server.config))["eats"][1]


async def test_a_periodic_task_that_fails_shows_in_the_health_until_it_succeeds(
    start_server: StartServer, write_plugin: WritePlugin, make_key: MakeKey, tmp_path: Path
) -> None:
    source = (
        "async def clean():\n    if not Path(__file__).with_name('well').exists():\n"
        "        raise OSError('no broom')\n"
        + LIFESPAN
        + "    workbench.background_tasks.every(0.2, 'clean', clean)\n    yield\n"
    )
    server = await start_server(plugins=write_plugin("chores", source))
    async with ApiClient(server.url, await make_key()) as client:
        health: Any = await client.get_until("/health", has_failing_task)
        (task,) = health["failing_tasks"]
        assert task.pop("since").startswith("20")
        assert task == {"plugin": "chores", "task": "clean", "error": "OSError: no broom"}
        assert (await list_plugins(server.config))["chores"][0] == "failing"
        (tmp_path / "strangers" / "well").touch()
        await client.get_until("/health", lambda answer: answer["status"] == "ok")
    assert '"plugin": "chores"' in server.read_log()


@pytest.mark.parametrize(
    ("section", "complaint"),
    [
        ({"disable": ["webhoks"]}, "did you mean 'webhooks'?"),
        (
            {"llm": {"backend": "nosuch"}},
            "plugins.llm.backend: there is no LLM backend 'nosuch'; there are local, openai",
        ),
        ({"llm": {"fallback": ["nosuch"]}}, "plugins.llm.fallback.0: there is no LLM backend"),
        (
            {"schedules": {"declared": {"x": {"every": 60, "prompt": "x", "user": "nobody"}}}},
            "there is no user 'nobody'",
        ),
        ({"llm": {"openai": {"api_key": "${OPENAI_KEY}"}}}, "BIONT_PLUGINS__LLM__OPENAI__API_KEY"),
    ],
    ids=["disable", "backend", "fallback", "user", "variable"],
)
async def test_config_check_finds_what_a_start_finds(
    tmp_path: Path, section: dict[str, object], complaint: str
) -> None:
    config = write_config(tmp_path, {"plugins": section})
    code, out, error = await run_biont("config", "check", config=config)
    assert (code, out) == (1, "")
    assert complaint in error

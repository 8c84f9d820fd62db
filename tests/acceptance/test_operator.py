"""What an operator meets: the command line and the process, from outside."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest
from conftest import MakeKey, StartServer
from support.process import run_biont

from biont.testing import ApiClient, WebhookReceiver, write_config


@pytest.mark.parametrize("command", [("serve",), ("config", "check")])
async def test_an_unknown_key_stops_the_start_and_is_named_with_its_place(
    tmp_path: Path, command: tuple[str, ...]
) -> None:
    config = write_config(tmp_path, {})
    path = config / "extra.yaml"
    path.write_text("plugins:\n  webhooks:\n    timeuot: 5\n")
    code, out, error = await run_biont(*command, config=config)
    assert code == 1
    assert f"{path}:3:5: plugins.webhooks.timeuot:" in error
    assert "'timeout'" in error
    assert out == ""


async def test_a_valid_configuration_is_confirmed(tmp_path: Path) -> None:
    code, out, _ = await run_biont("config", "check", config=write_config(tmp_path, {}))
    assert (code, out.strip()) == (0, "the configuration is valid")


async def test_a_plugin_that_raises_on_import_is_quarantined_and_the_rest_serves(
    start_server: StartServer, make_key: MakeKey, tmp_path: Path
) -> None:
    folder = tmp_path / "plugins"
    folder.mkdir()
    (folder / "broken.py").write_text("raise OSError('no such device')\n")
    (folder / "misspelt.py").write_text(
        "from biont import hookimpl\n\n@hookimpl\ndef register_rotues():\n    return None\n"
    )
    server = await start_server(plugins={"folder": str(folder)})
    async with ApiClient(server.url, await make_key()) as client:
        health = await client.get("/health")
        assert health["status"] == "degraded"
        assert health["quarantined"] == ["broken", "misspelt"]
        assert (await client.post("/notes", {"title": "served"}))["id"] == 1
    code, out, _ = await run_biont("plugins", config=server.config)
    assert code == 1
    lines = {line.split("\t")[0]: line for line in out.splitlines()}
    assert "no such device" in lines["broken"]
    assert "register_rotues" in lines["misspelt"]
    assert lines["notes"].split("\t")[1] == "running"


async def test_a_disabled_plugin_has_no_routes(
    start_server: StartServer, make_key: MakeKey
) -> None:
    server = await start_server(plugins={"disable": ["notes", "schedules"]})
    async with ApiClient(server.url, await make_key()) as client:
        assert (await client.ask("GET", "/notes"))[0] == 404
        assert (await client.ask("GET", "/webhooks/outgoing"))[0] == 200


async def test_keys_are_created_listed_and_revoked_beside_a_running_server(
    start_server: StartServer, make_key: MakeKey
) -> None:
    server = await start_server()
    key = await make_key("ada")
    async with ApiClient(server.url, key) as client:
        assert (await client.ask("GET", "/notes"))[0] == 200
        _, listed, _ = await run_biont("keys", "list", "--user", "ada", config=server.config)
        assert listed.startswith(f"1\t{key[:12]}...\tfull\tactive")
        assert key not in listed
        await run_biont("keys", "revoke", "1", config=server.config)
        async with asyncio.timeout(60):
            while (await client.ask("GET", "/notes"))[0] != 401:
                pass
        _, listed, _ = await run_biont("keys", "list", "--user", "ada", config=server.config)
        assert "revoked" in listed


@pytest.mark.parametrize(
    ("command", "complaint"),
    [
        (("keys", "create", "--user", "nobody"), "no user 'nobody'"),
        (("keys", "revoke", "99"), "no key 99"),
        (("nonsense",), "nonsense"),
    ],
)
async def test_a_failing_command_reports_the_reason(
    tmp_path: Path, command: tuple[str, ...], complaint: str
) -> None:
    code, _, error = await run_biont(*command, config=write_config(tmp_path, {}))
    assert code != 0
    assert complaint in error
    assert "Traceback" not in error


async def test_a_user_name_is_unique(tmp_path: Path) -> None:
    config = write_config(tmp_path, {})
    assert (await run_biont("users", "create", "ada", config=config))[0] == 0
    code, _, error = await run_biont("users", "create", "ada", config=config)
    assert code == 1
    assert "already" in error
    assert (await run_biont("users", "list", config=config))[1].startswith("1\tada\t")


async def test_sigterm_under_load_drains_and_loses_nothing(
    start_server: StartServer, make_key: MakeKey, receiver: WebhookReceiver
) -> None:
    server = await start_server()
    key = await make_key()
    acknowledged: set[str] = set()
    async with ApiClient(server.url, key) as client:
        await client.post("/webhooks/outgoing/register", {"url": receiver.url})

        async def emit() -> None:
            for _ in range(25):
                event = await client.post("/events", {"event_type": "custom_x", "payload": {}})
                acknowledged.add(str(event["id"]))

        emitting = [asyncio.create_task(emit()) for _ in range(8)]
        await asyncio.gather(*emitting)
        assert await server.stop() == 0
    await server.start()
    await receiver.wait_until(
        lambda: acknowledged <= {request.headers["webhook-id"] for request in receiver.requests},
        list,
    )


async def test_help_imports_no_dependency_of_commands() -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-X", "importtime", "-m", "biont", "--help"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, imports = await process.communicate()
    assert b"serve" in out
    imported = {line.rpartition("|")[2].strip() for line in imports.decode().splitlines()}
    assert "click" in imported
    assert not imported & {"aiohttp", "openai", "peewee", "pluggy", "pydantic", "uvloop", "yaml"}

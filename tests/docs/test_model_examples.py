"""The examples of the page on language models."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import orjson
import pytest
import yaml
from aiohttp.test_utils import TestServer
from conftest import MakeKey, StartServer
from support.pages import read_examples

from biont import Scope
from biont.application import open_application
from biont.llm import LLM_BACKENDS
from biont.settings import load_settings
from biont.testing import ApiClient, ManualClock, ModelServer, write_config

PAGE = "docs/reference/models.md"


async def test_the_backends_are_all_there(tmp_path: Path) -> None:
    (text,) = read_examples(PAGE, "backends")
    config = write_config(tmp_path, {})
    (config / "models.yaml").write_text(text)
    key = {"BIONT_PLUGINS__LLM__BACKENDS__GROQ__API_KEY": "gsk"}
    settings = load_settings(config, environ=key)
    async with open_application(settings) as application:
        assert application.plugins.quarantined == {}
        backends = application.workbench.get(LLM_BACKENDS)
        assert sorted(backends) == ["groq", "local", "ollama", "openai"]
    assert yaml.safe_load(text)["plugins"]["llm"]["backend"] == "ollama"


@pytest.mark.parametrize(
    ("page", "name"),
    [("docs/reference/usage.md", "budgets"), ("docs/how-to/connect-a-model.md", "models")],
)
async def test_the_settings_can_be_used(tmp_path: Path, page: str, name: str) -> None:
    (text,) = read_examples(page, name)
    config = write_config(tmp_path, {})
    (config / "budgets.yaml").write_text(text)
    async with open_application(load_settings(config, environ={})) as application:
        assert application.plugins.quarantined == {}


async def test_the_plugins_ask_and_answer(tmp_path: Path) -> None:
    folder = tmp_path / "plugins"
    folder.mkdir()
    for name in ("haiku.py", "parrot.py"):
        (folder / name).write_text(read_examples(PAGE, name)[0])
    sections: dict[str, object] = {
        "plugins": {"folder": str(folder), "llm": {"backend": "parrot"}}
    }
    settings = load_settings(write_config(tmp_path, sections), environ={})
    async with (
        open_application(settings, clock=ManualClock()) as application,
        TestServer(application.app, host="127.0.0.1") as server,
    ):
        workbench = application.workbench
        user = await workbench.users.create("ada")
        key, _ = await workbench.keys.create(user.id, "test", Scope.FULL)
        async with ApiClient(str(server.make_url("")).rstrip("/"), key) as client:
            _, said = await client.ask("GET", "/haiku?subject=rain")
            assert str(said) == "A haiku about: rain"
            _, length = await client.ask("GET", "/haiku/length?subject=rain")
            assert str(length) == "4"


async def test_the_requests_of_chat_are_answered(scripted: ModelServer, tmp_path: Path) -> None:
    openai = {"backend": "openai", "openai": {"base_url": scripted.url}}
    config = write_config(tmp_path, {"plugins": {"llm": openai}})
    async with (
        open_application(load_settings(config, environ={}), clock=ManualClock()) as application,
        TestServer(application.app, host="127.0.0.1") as server,
    ):
        workbench = application.workbench
        user = await workbench.users.create("ada")
        key, _ = await workbench.keys.create(user.id, "test", Scope.CHAT)
        async with ApiClient(str(server.make_url("")).rstrip("/"), key) as client:
            (block,) = read_examples("docs/reference/chat.md", "requests")
            for line in block.splitlines():
                method, path, *body = line.split(" ", 2)
                content = orjson.loads(body[0]) if body else None
                status, _ = await client.ask(method, path.removeprefix("/api/v1"), content)
                assert status in (200, 204), line


async def test_openais_own_client_is_answered(
    start_server: StartServer, make_key: MakeKey, scripted: ModelServer
) -> None:
    (source,) = read_examples("docs/reference/chat.md", "openai.py")
    openai = {"backend": "openai", "openai": {"base_url": scripted.url}}
    server = await start_server(plugins={"llm": openai})
    key = await make_key(scope="chat")
    script = source.replace("http://127.0.0.1:8080", server.url).replace("asb_...", key)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()
    assert out.decode() == "It is Paris.\n"

"""Routes of plugins and system: for administrators, without secrets."""

from __future__ import annotations

import pytest

from biont import Scope
from biont.testing import ApiClient, MakeClient, rows_of


@pytest.fixture
def sections() -> dict[str, object]:
    """Settings with a secret in each form."""
    connection = {"kind": "slack", "url": "https://hooks.slack.com/services/T0/B0/hidden"}
    backend = {"base_url": "https://models.example.com/v1", "api_key": "hidden-too", "model": "m"}
    return {
        "log": {"level": "warning"},
        "plugins": {
            "integrations": {"connections": {"team": connection}},
            "llm": {"backends": {"mine": backend}},
        },
    }


async def test_administrator_sees_plugins_with_their_handlers(client: ApiClient) -> None:
    plugins = {plugin["name"]: plugin for plugin in rows_of(await client.get("/plugins"))}
    assert plugins["notes"]["state"] == "running"
    assert "POST /api/v1/notes" in str(plugins["notes"]["routes"])
    assert "note_created" in str(plugins["notes"]["event_types"])
    assert plugins["notes"]["built_in"] is True
    handlers = plugins["audit"]["handlers"]
    assert isinstance(handlers, list)
    assert {"name": "audit.log_events", "behind": 0} in handlers


async def test_settings_have_places_and_no_secrets(client: ApiClient) -> None:
    system = await client.get("/system")
    settings = {row["key"]: row for row in rows_of({"data": system["settings"]})}
    assert settings["log.level"]["value"] == '"warning"'
    assert "biont.yaml:" in str(settings["log.level"]["place"])
    assert settings["limits.chat"]["place"] is None
    assert settings["plugins.integrations.connections"]["value"] == '["team"]'
    assert "hidden" not in str(system)
    assert int(str(system["database_bytes"])) > 0


async def test_members_and_narrow_keys_see_neither(
    client: ApiClient, open_client: MakeClient
) -> None:
    member = await open_client("bob")
    reader = await open_client("ada", Scope.READ)
    for path in ("/plugins", "/system"):
        assert (await client.ask("GET", path))[0] == 200
        assert (await member.ask("GET", path))[0] == 403
        assert (await reader.ask("GET", path))[0] == 200

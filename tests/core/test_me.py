from __future__ import annotations

import pytest
from pydantic import JsonValue

from biont import Scope
from biont.testing import ApiClient


@pytest.mark.parametrize("scope", list(Scope))
async def test_a_key_of_any_scope_reads_its_user_and_itself(
    client: ApiClient, scope: Scope
) -> None:
    fields: dict[str, JsonValue] = {
        "name": "Till",
        "scope": scope,
        "events": ["custom_*"],
        "models": ["local"],
        "expires_at": "2030-01-31T09:00:00Z",
    }
    created = await client.post("/keys/create", fields)
    async with ApiClient(client.url, str(created["key"])) as till:
        me = await till.get("/me")
        assert (await till.ask("PATCH", "/me", {}))[0] == (200 if scope is Scope.FULL else 403)
    assert (me["name"], me["role"]) == ("ada", "admin")
    key = me["key"]
    assert isinstance(key, dict)
    assert {name: key[name] for name in fields} == fields
    assert (key["id"], key["prefix"]) == (created["id"], created["prefix"])
    assert str(created["key"]) not in str(me)
    assert me["rates"]
    assert me["quotas"]
    assert me["budgets"] == []


@pytest.mark.parametrize("sections", [{"plugins": {"disable": ["llm", "chat", "missions"]}}])
async def test_without_language_models_there_are_no_budgets(client: ApiClient) -> None:
    assert (await client.get("/me"))["budgets"] == []

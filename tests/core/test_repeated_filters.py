"""Filters that a query may repeat: any of the values matches."""

from __future__ import annotations

import pytest
from pydantic import JsonValue

from biont.testing import ApiClient, rows_of


async def list_ids(client: ApiClient, path: str) -> list[JsonValue]:
    """Return the ids of a list, read in pages of two."""
    found: list[JsonValue] = []
    cursor: JsonValue = None
    while True:
        joint = "&" if "?" in path else "?"
        more = "" if cursor is None else f"&cursor={cursor}"
        page = await client.get(f"{path}{joint}limit=2{more}")
        found += [row["id"] for row in rows_of(page)]
        cursor = page["next"]
        if cursor is None:
            return found


async def test_pages_of_several_values_have_each_row_once_the_newest_first(
    client: ApiClient,
) -> None:
    ids: list[JsonValue] = []
    for number in range(7):
        task = await client.post("/tasks", {"title": f"task {number}"})
        ids.insert(0, task["id"])
        if number % 3 == 0:
            await client.post(f"/tasks/{task['id']}/complete", {"result": "done"})
    completed, pending = [ids[6], ids[3], ids[0]][::-1], [ids[5], ids[4], ids[2], ids[1]][::-1]
    assert await list_ids(client, "/tasks?status=completed") == completed
    assert await list_ids(client, "/tasks?status=pending") == pending
    assert await list_ids(client, "/tasks?status=pending&status=completed") == ids
    assert await list_ids(client, "/tasks?status=completed&status=completed") == completed
    assert await list_ids(client, "/tasks?status=failed&status=cancelled") == []


@pytest.mark.parametrize(
    ("path", "first", "second"),
    [
        ("/tasks", "failed", "cancelled"),
        ("/missions", "draft", "failed"),
        ("/tool-calls", "waiting", "failed"),
        ("/schedule/1/runs", "queued", "failed"),
        ("/webhooks/outgoing/1/deliveries", "pending", "failed"),
    ],
)
async def test_each_list_takes_several_values_of_status(
    client: ApiClient, path: str, first: str, second: str
) -> None:
    await client.post("/schedule", {"every": "7d", "prompt": "x"})
    await client.post("/webhooks/outgoing/register", {"url": "https://example.com/"})
    assert rows_of(await client.get(f"{path}?status={first}&status={second}")) == []
    assert (await client.ask("GET", f"{path}?status={first}&status=none"))[0] == 422
    assert (await client.ask("GET", f"{path}?limit=1&limit=2"))[0] == 422

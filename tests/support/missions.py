"""Missions, as a client sees them."""

from __future__ import annotations

from pydantic import JsonValue

from biont.testing import ApiClient, rows_of

ENDS = {"completed", "failed", "cancelled"}
GOAL: dict[str, JsonValue] = {"goal": "Open the library"}


async def wait_for_end(client: ApiClient, mission: dict[str, JsonValue]) -> dict[str, JsonValue]:
    return await client.get_until(
        f"/missions/{mission['id']}", lambda found: found["status"] in ENDS
    )


def tasks_of(mission: dict[str, JsonValue]) -> list[dict[str, JsonValue]]:
    return rows_of({"data": mission["tasks"]})

"""Pages of rare filters: each looks at few rows, and following `next` finds all matches."""

from __future__ import annotations

import pytest
from pydantic import JsonValue

from biont import Transaction, Workbench
from biont.testing import ApiClient, MakeClient, WebhookReceiver, rows_of

LIMIT = 3


@pytest.fixture(autouse=True)
def _small_scans(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a page look at ten rows only."""
    monkeypatch.setattr("biont.store.scan.SCAN_ROWS", 10)
    monkeypatch.setattr("biont_notes.notes.SCAN_ROWS", 10)


async def read_pages(client: ApiClient, path: str) -> list[list[dict[str, JsonValue]]]:
    """Return the rows of all pages of a list."""
    pages: list[list[dict[str, JsonValue]]] = []
    cursor = ""
    while True:
        page = await client.get(f"{path}&limit={LIMIT}{cursor}")
        pages.append(rows_of(page))
        assert len(pages) < 100
        if page["next"] is None:
            return pages
        cursor = f"&cursor={page['next']}"


async def emit(workbench: Workbench, event_types: list[str]) -> None:
    (user,) = await workbench.users.list_all()

    def emit_all(tx: Transaction) -> None:
        for event_type in event_types:
            tx.emit(event_type, user.id, {})

    await workbench.store.transact(emit_all)


async def test_a_pattern_finds_the_events_of_a_few_types_in_order(
    workbench: Workbench, client: ApiClient
) -> None:
    types = [f"custom_{kind}" for kind in ("a_1", "b_1", "a_2") * 8]
    await emit(workbench, types)
    pages = await read_pages(client, "/events?event_type=custom_a_*")
    assert {len(page) for page in pages[:-1]} == {LIMIT}
    found = [row["event_type"] for page in pages for row in page]
    assert found == [name for name in reversed(types) if name.startswith("custom_a_")]
    assert len({row["id"] for page in pages for row in page}) == len(found)
    assert await read_pages(client, "/events?event_type=custom_none_*") == [[]]


async def test_a_pattern_of_many_types_finds_rare_events_behind_many_others(
    workbench: Workbench, client: ApiClient
) -> None:
    rare = [f"custom_rare_{number}" for number in range(40)]
    await emit(workbench, [*rare, *(["custom_common"] * 45)])
    pages = await read_pages(client, "/events?event_type=custom_rare_*")
    assert pages[0] == []  # a page that has looked at ten rows, and leads to the next
    assert [row["event_type"] for page in pages for row in page] == rare[::-1]


async def test_a_chain_of_events_is_filtered_by_type(client: ApiClient) -> None:
    headers = {"X-Correlation-ID": "chain"}
    for name in ("a", "b") * 15:
        answer = await client.request(
            "POST", "/events", {"event_type": f"custom_{name}"}, headers=headers
        )
        assert answer.status == 201
    for pattern in ("custom_a", "custom_a*"):
        pages = await read_pages(client, f"/events?event_type={pattern}&correlation_id=chain")
        assert sum(map(len, pages)) == 15


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("status=succeeded", 25),
        ("status=failed", 0),
        ("status=failed&status=succeeded", 25),
        ("status=failed&status=pending", 0),
        ("event_type=custom_r*", 1),
        ("status_code=200", 25),
        ("status_code=500&error_class=status", 0),
        ("event_id=none", 0),
        ("event_type=custom_rare", 1),
        ("event_type=custom_none", 0),
        ("since=2026-01-01T00:00:00Z", 25),
        ("until=2026-01-01T00:00:00Z", 0),
        ("status=succeeded&event_type=custom_rare&since=2026-01-01T00:00:00Z", 1),
    ],
)
async def test_rare_deliveries_are_found(
    client: ApiClient, receiver: WebhookReceiver, query: str, count: int
) -> None:
    webhook = await client.post(
        "/webhooks/outgoing/register", {"url": receiver.url, "event_types": ["custom_*"]}
    )
    for number in range(25):
        name = "custom_rare" if number == 0 else "custom_common"
        await client.post("/events", {"event_type": name})
    deliveries = f"/webhooks/outgoing/{webhook['id']}/deliveries"
    await client.get_until(
        f"{deliveries}?limit=100",
        lambda page: all(row["status"] == "succeeded" for row in rows_of(page)),
    )
    pages = await read_pages(client, f"{deliveries}?{query}")
    assert sum(map(len, pages)) == count


async def test_notes_of_a_tag_are_found_behind_those_of_other_users(
    client: ApiClient, open_client: MakeClient
) -> None:
    other = await open_client("grace")
    for number in range(25):
        await client.post("/notes", {"title": str(number), "tags": ["t"]})
    for _ in range(15):
        await other.post("/notes", {"title": "another", "tags": ["t"]})
    pages = await read_pages(client, "/notes?tag=t")
    assert [row["title"] for page in pages for row in page] == [str(n) for n in range(24, -1, -1)]
    assert await read_pages(client, "/notes?tag=none") == [[]]

"""Conversations: continued, listed, read, renamed, searched and deleted."""

from __future__ import annotations

import pytest
from plugins.chat.chat_settings import make_chat_settings
from pydantic import JsonValue

from biont.testing import ApiClient, MakeClient, ModelServer, say


@pytest.fixture
def sections(scripted: ModelServer) -> dict[str, object]:
    # Room for 80 % of 256 - 64 = 153 tokens.
    return make_chat_settings(scripted.url, context=256, max_tokens=64)


async def ask(client: ApiClient, message: str, **more: JsonValue) -> dict[str, JsonValue]:
    return await client.post("/chat", {"message": message, **more})


def rows(page: dict[str, JsonValue], key: str = "data") -> list[dict[str, JsonValue]]:
    data = page[key]
    assert isinstance(data, list)
    return [row for row in data if isinstance(row, dict)]


async def test_a_conversation_is_continued(client: ApiClient, scripted: ModelServer) -> None:
    scripted.script = [say("Hello, Ada."), say("You are Ada.")]
    first = await ask(client, "I am Ada.", system="Be kind.", model="big")
    await ask(client, "Who am I?", conversation_id=first["conversation_id"])
    assert scripted.asked[1].messages == [
        ("system", "Be kind."),
        ("user", "I am Ada."),
        ("assistant", "Hello, Ada."),
        ("user", "Who am I?"),
    ]
    assert scripted.asked[1].body["model"] == "big"
    whole = await client.get(f"/conversations/{first['conversation_id']}")
    assert (whole["title"], whole["system"], whole["model"]) == ("I am Ada.", "Be kind.", "big")
    said = [(row["role"], row["content"], row["usage"]) for row in rows(whole, "messages")]
    usage = {"prompt_tokens": 9, "completion_tokens": 3, "estimated": False}
    assert said == [
        ("user", "I am Ada.", None),
        ("assistant", "Hello, Ada.", usage),
        ("user", "Who am I?", None),
        ("assistant", "You are Ada.", usage),
    ]


async def test_the_oldest_turns_that_do_not_fit_are_left_out(
    client: ApiClient, scripted: ModelServer
) -> None:
    scripted.script = [say("a" * 200), say("b" * 40), say("c" * 40)]
    first = await ask(client, "A" * 200, system="S" * 40)
    number = first["conversation_id"]
    await ask(client, "B" * 40, conversation_id=number)
    # 14 tokens of the system message, 54 of each turn of the first pair, 14 of the second.
    await ask(client, "C" * 40, conversation_id=number)
    assert [text[0] for _, text in scripted.asked[1].messages] == ["S", "A", "a", "B"]
    assert [text[0] for _, text in scripted.asked[2].messages] == ["S", "B", "b", "C"]
    await ask(client, "D" * 800, conversation_id=number)
    assert [text[0] for _, text in scripted.asked[3].messages] == ["S", "D"]


async def test_a_conversation_is_renamed_and_deleted(client: ApiClient) -> None:
    first = await ask(client, "What is   the\ncapital of a country that I forgot, " + "x" * 90)
    number = first["conversation_id"]
    (listed,) = rows(await client.get("/conversations"))
    assert str(listed["title"]).startswith("What is the capital of a country that I forgot, x")
    assert str(listed["title"]).endswith("…")
    assert len(str(listed["title"])) == 60
    status, renamed = await client.ask("PATCH", f"/conversations/{number}", {"title": "Capitals"})
    assert (status, renamed["title"]) == (200, "Capitals")
    status, problem = await client.ask("PATCH", f"/conversations/{number}", {"title": ""})
    assert (status, rows(problem, "errors")[0]["pointer"]) == (422, "#/title")
    assert (await client.ask("DELETE", f"/conversations/{number}"))[0] == 204
    assert (await client.ask("GET", f"/conversations/{number}"))[0] == 404
    assert (await client.ask("GET", f"/conversations/{number}/messages"))[0] == 404
    assert rows(await client.get("/conversations/search?q=capital")) == []


async def test_lists_are_paged(client: ApiClient) -> None:
    first = await ask(client, "one")
    for message in ("two", "three"):
        await ask(client, message)
        await ask(client, message, conversation_id=first["conversation_id"])
    for path, count in (
        ("/conversations", 3),
        (f"/conversations/{first['conversation_id']}/messages", 6),
        ("/conversations/search?q=Well", 5),
    ):
        sign = "&" if "?" in path else "?"
        seen: list[JsonValue] = []
        page = await client.get(f"{path}{sign}limit=2")
        while True:
            seen += [row.get("id", row.get("message_id")) for row in rows(page)]
            if page["next"] is None:
                break
            page = await client.get(f"{path}{sign}limit=2&cursor={page['next']}")
        assert len(seen) == len(set(map(str, seen))) == count
        if "search" not in path:
            assert seen == sorted(seen, key=lambda number: -int(str(number)))


async def test_messages_are_found_by_their_words(open_client: MakeClient) -> None:
    client, other = await open_client("ada"), await open_client("eve")
    await ask(client, "What is the capital of France?")
    await ask(other, "My secret capital")
    found = rows(await client.get("/conversations/search?q=CAPITAL"))
    assert found == [
        {
            "conversation_id": 1,
            "title": "What is the capital of France?",
            "message_id": 1,
            "role": "user",
            "excerpt": [
                {"text": "What is the ", "match": False},
                {"text": "capital", "match": True},
                {"text": " of France?", "match": False},
            ],
        }
    ]
    assert [hit["role"] for hit in rows(await client.get("/conversations/search?q=par*"))] == [
        "assistant"
    ]
    for query in ("secret", "OR", '"', "NEAR(", "capital AND"):
        assert rows(await client.get(f"/conversations/search?q={query}")) == []


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/conversations/1", None),
        ("GET", "/conversations/1/messages", None),
        ("PATCH", "/conversations/1", {"title": "Mine"}),
        ("DELETE", "/conversations/1", None),
        ("POST", "/chat", {"message": "And?", "conversation_id": 1}),
        ("POST", "/chat", {"message": "And?", "conversation_id": 1, "stream": True}),
    ],
)
async def test_conversations_of_other_users_are_not_found(
    open_client: MakeClient, scripted: ModelServer, method: str, path: str, body: JsonValue
) -> None:
    client, other = await open_client("ada"), await open_client("eve")
    await ask(client, "Good morning.")
    assert (await other.ask(method, path, body))[0] == 404
    assert rows(await other.get("/conversations")) == []
    assert len(scripted.asked) == 1

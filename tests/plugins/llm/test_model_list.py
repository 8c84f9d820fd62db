"""`GET /api/v1/models`: the models of all backends, and the state of each backend."""

from __future__ import annotations

import aiohttp
import pytest
from aiohttp.test_utils import unused_port
from pydantic import JsonValue

from biont import Scope
from biont.testing import MODEL, ApiClient, MakeClient, ModelServer


@pytest.fixture
def sections(scripted: ModelServer) -> dict[str, object]:
    nowhere = f"http://127.0.0.1:{unused_port()}/v1"
    backends = {
        "good": {"kind": "openai", "base_url": scripted.url, "model": MODEL, "context": 2048},
        "gone": {"base_url": nowhere, "concurrency": 1},
    }
    return {"plugins": {"llm": {"backend": "good", "backends": backends}}}


async def read_backends(client: ApiClient) -> dict[JsonValue, dict[str, JsonValue]]:
    data = (await client.get("/models"))["data"]
    assert isinstance(data, list)
    return {view["name"]: view for view in data if isinstance(view, dict)}


async def test_each_backend_is_listed_with_its_models_and_state(client: ApiClient) -> None:
    views = await read_backends(client)
    assert list(views) == ["gone", "good", "local", "openai"]
    assert views["good"] == {
        "name": "good",
        "default": True,
        "status": "ok",
        "reason": None,
        "models": [{"id": f"good/{MODEL}", "context": 2048}],
    }
    assert views["local"]["models"] == [{"id": "local/SmolLM2-135M-Instruct", "context": 4096}]
    assert views["gone"]["status"] == views["openai"]["status"] == "unavailable"
    assert "cannot be reached" in str(views["gone"]["reason"])
    assert "plugins.llm.backends.gone.base_url" in str(views["gone"]["reason"])
    assert "plugins.llm.openai.api_key is not set" in str(views["openai"]["reason"])


async def test_a_request_reaches_the_named_backend(
    client: ApiClient, scripted: ModelServer
) -> None:
    question: dict[str, JsonValue] = {"message": "What is the capital of France?"}
    assert (await client.post("/chat", question))["backend"] == "good"
    assert (await client.post("/chat", {**question, "model": f"good/{MODEL}"}))["answer"]
    assert [asked.body["model"] for asked in scripted.asked] == [MODEL, MODEL]
    status, problem = await client.ask("POST", "/chat", {**question, "backend": "other"})
    assert status == 422, problem


async def test_a_key_of_scope_chat_may_list_models(open_client: MakeClient) -> None:
    chatting = await open_client(scope=Scope.CHAT)
    assert (await chatting.ask("GET", "/models"))[0] == 200
    hooks = await open_client(scope=Scope.WEBHOOK)
    assert (await hooks.ask("GET", "/models"))[0] == 403


@pytest.mark.parametrize(
    ("models", "allowed", "refused"),
    [
        (["good"], [f"good/{MODEL}", MODEL, "good", None], ["local", "gone/big"]),
        ([f"good/{MODEL}"], [f"good/{MODEL}", MODEL, None], ["good/other", "local"]),
        (["gone"], [], [None, "good", "local/gone"]),
        ([], [], [None, "good"]),
    ],
)
async def test_a_key_that_is_narrowed_to_models_asks_these_only(
    client: ApiClient,
    scripted: ModelServer,
    models: list[JsonValue],
    allowed: list[str | None],
    refused: list[str | None],
) -> None:
    fields: dict[str, JsonValue] = {"name": "narrow", "scope": "chat", "models": models}
    key = str((await client.post("/keys/create", fields))["key"])
    async with ApiClient(client.url, key) as narrow:
        for stream in (False, True):
            for model in refused:
                body: JsonValue = {"message": "Hello", "model": model, "stream": stream}
                status, problem = await narrow.ask("POST", "/chat", body)
                assert status == 403, model
                assert ", ".join(map(str, models)) in str(problem["detail"])
        assert scripted.asked == []
        for model in allowed:
            assert (await narrow.post("/chat", {"message": "Hello", "model": model}))["answer"]
        seen = await read_backends(narrow)
    assert list(seen) == [str(model).partition("/")[0] for model in models]


async def test_a_narrowed_key_is_refused_in_the_manner_of_openai(client: ApiClient) -> None:
    fields: dict[str, JsonValue] = {"name": "narrow", "models": ["good"]}
    key = str((await client.post("/keys/create", fields))["key"])
    body = {"model": "local", "messages": [{"role": "user", "content": "Hello"}]}
    headers = {"Authorization": f"Bearer {key}"}
    async with aiohttp.ClientSession(client.url, headers=headers) as session:  # noqa: TID251
        async with session.post("/v1/chat/completions", json=body) as answer:
            assert answer.status == 403
            assert "narrowed to good" in (await answer.json())["error"]["message"]
        async with session.get("/v1/models") as answer:
            assert [each["id"] for each in (await answer.json())["data"]] == [f"good/{MODEL}"]

"""Web pages of other origins use the API as browsers let them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from biont.exceptions import SettingsError
from biont.settings import load_settings
from biont.testing import ApiClient, MakeClient, ModelServer, say, write_config

PAGE = "https://app.example.com"
OTHER = "https://app.example.com.evil.org"


@pytest.fixture
def origins() -> list[str]:
    return ["https://app.EXAMPLE.com:443", "http://localhost:3000"]


@pytest.fixture
def sections(scripted: ModelServer, origins: list[str]) -> dict[str, object]:
    return {**scripted.sections, "server": {"cors_origins": origins, "body_limit": 10_000}}


async def _send(
    client: ApiClient, method: str, path: str, origin: str | None = PAGE, **named: str
) -> tuple[int, Mapping[str, str], bytes]:
    headers = {name.replace("_", "-"): value for name, value in named.items()}
    if origin is not None:
        headers["Origin"] = origin
    async with client._session.request(  # noqa: SLF001  # also paths outside /api/v1
        method, f"{client.url}{path}", headers=headers, data=b"{" if method == "POST" else None
    ) as answer:
        content = b"" if "stream" in path else await answer.read()
        return answer.status, answer.headers, content


def _list_cors(headers: Mapping[str, str]) -> list[str]:
    return [name for name in headers if name.lower().startswith("access-control-")]


async def _ask_first(
    client: ApiClient, path: str, method: str, headers: str = "", origin: str | None = PAGE
) -> tuple[int, Mapping[str, str]]:
    named = {"Access_Control_Request_Method": method, "Access_Control_Request_Headers": headers}
    status, answered, _ = await _send(client, "OPTIONS", path, origin, **named)
    return status, answered


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("/api/v1/notes", "GET, HEAD, OPTIONS, POST"),
        ("/api/v1/notes/1", "DELETE, GET, HEAD, OPTIONS, PATCH"),
        ("/v1/chat/completions", "OPTIONS, POST"),
    ],
)
async def test_a_preflight_names_the_methods_of_the_path_and_the_headers_that_are_read(
    open_client: MakeClient, path: str, methods: str
) -> None:
    stranger = await open_client(None)
    asked = "authorization,content-type, x-api-key,x-foreign,x-stainless-os"
    status, headers = await _ask_first(stranger, path, "POST", asked)
    assert status == 204
    assert headers["Access-Control-Allow-Origin"] == PAGE
    assert headers["Access-Control-Allow-Methods"] == methods
    allowed = headers["Access-Control-Allow-Headers"]
    assert allowed == "authorization, content-type, x-api-key, x-stainless-os"
    assert int(headers["Access-Control-Max-Age"]) > 0
    assert "Origin" in headers["Vary"].split(", ")
    assert "Access-Control-Allow-Credentials" not in headers


@pytest.mark.parametrize("origin", [None, OTHER, "null", "http://app.example.com", f"{PAGE}:8443"])
async def test_an_origin_that_is_not_listed_gets_no_permission(
    client: ApiClient, origin: str | None
) -> None:
    status, headers = await _ask_first(client, "/api/v1/notes", "POST", "x-api-key", origin)
    assert (status, _list_cors(headers)) == (204, [])
    assert headers["Allow"] == "GET, HEAD, OPTIONS, POST"
    status, headers, _ = await _send(client, "GET", "/api/v1/notes", origin)
    assert (status, _list_cors(headers)) == (200, [])
    assert headers["Vary"] == "Origin"


@pytest.mark.parametrize(
    ("method", "path", "status", "named"),
    [
        ("GET", "/api/v1/notes", 200, {}),
        ("HEAD", "/api/v1/notes", 200, {}),
        ("GET", "/api/v1/notes", 401, {"X_API_Key": "wrong"}),
        ("GET", "/v1/models", 401, {"X_API_Key": "wrong"}),
        ("GET", "/v1/models", 200, {}),
        ("GET", "/api/v1/notes/1", 404, {}),
        ("GET", "/nothing", 404, {}),
        ("PUT", "/api/v1/notes", 405, {}),
        ("GET", "/api/v1/notes?limit=x", 422, {}),
        ("POST", "/api/v1/notes", 400, {"Content_Type": "application/json"}),
        ("POST", "/api/v1/notes", 415, {"Content_Type": "text/plain"}),
        ("GET", "/api/v1/events/stream", 200, {}),
        ("GET", "/api/v1/notes/export", 200, {}),
    ],
)
async def test_every_answer_can_be_read_by_a_listed_page(
    client: ApiClient, method: str, path: str, status: int, named: dict[str, str]
) -> None:
    answered, headers, _ = await _send(client, method, path, **named)
    assert answered == status
    assert headers["Access-Control-Allow-Origin"] == PAGE
    exposed = headers["Access-Control-Expose-Headers"].split(", ")
    assert {"Link", "Location", "Retry-After", "X-Request-ID", "ETag"} <= set(exposed)
    assert "Origin" in headers["Vary"]


async def test_a_large_body_and_a_streamed_answer_can_be_read(
    client: ApiClient, scripted: ModelServer
) -> None:
    scripted.default = say("Hello")
    for path, body, status in [
        ("/api/v1/notes", {"title": "x" * 20_000}, 413),
        ("/api/v1/chat", {"message": "Hello", "stream": True}, 200),
        (
            "/v1/chat/completions",
            {"model": "m", "messages": [{"role": "user", "content": "x"}]},
            200,
        ),
        (
            "/v1/chat/completions",
            {"model": "m", "messages": [{"role": "user", "content": "x"}], "stream": True},
            200,
        ),
    ]:
        async with client._session.post(  # noqa: SLF001  # also paths outside /api/v1
            f"{client.url}{path}", json=body, headers={"Origin": PAGE}
        ) as answer:
            assert answer.status == status, await answer.text()
            assert answer.headers["Access-Control-Allow-Origin"] == PAGE


@pytest.mark.parametrize("origins", [["*"]])
@pytest.mark.usefixtures("origins")
async def test_a_star_permits_every_page(client: ApiClient) -> None:
    for origin in (PAGE, "null"):
        status, headers = await _ask_first(client, "/api/v1/notes", "POST", "x-api-key", origin)
        assert (status, headers["Access-Control-Allow-Origin"]) == (204, "*")
        _, headers, _ = await _send(client, "GET", "/api/v1/notes", origin)
        assert headers["Access-Control-Allow-Origin"] == "*"
        assert "Access-Control-Allow-Credentials" not in headers


@pytest.mark.parametrize("origins", [[]])
@pytest.mark.usefixtures("origins")
async def test_without_the_setting_there_is_no_header_of_cors(client: ApiClient) -> None:
    status, headers = await _ask_first(client, "/api/v1/notes", "POST", "x-api-key")
    assert (status, _list_cors(headers), "Vary" in headers) == (204, [], False)
    _, headers, _ = await _send(client, "GET", "/api/v1/notes")
    assert (_list_cors(headers), "Vary" in headers) == ([], False)


@pytest.mark.parametrize(
    ("origin", "reason"),
    [
        ("https://app.example.com/", "without a path or slash"),
        ("https://app.example.com/app", "without a path or slash"),
        ("https://app.example.com?a", "without a path or slash"),
        ("app.example.com", "a scheme and a host"),
        ("localhost:3000", "a scheme and a host"),
        ("https://", "a scheme and a host"),
        ("https://user@app.example.com", "without a path or slash"),
        ("https://*.example.com", "cannot have * in a part"),
        ("null", "any page without an origin"),
        ("https://app.example.com:0", "a port from 1 to 65535"),
        ("https://app.example.com:99999", "a port from 1 to 65535"),
        ("https://bücher.example", "without a path or slash"),
        ("", "a scheme and a host"),
        (" https://app.example.com", "a scheme and a host"),
        ("https://app.example.com\n", "without a path or slash"),
    ],
)
def test_a_wrong_origin_is_refused_with_the_reason(
    tmp_path: Path, origin: str, reason: str
) -> None:
    config = write_config(tmp_path, {"server": {"cors_origins": ["http://localhost", origin]}})
    with pytest.raises(SettingsError, match=r"server\.cors_origins\.1: ") as caught:
        load_settings(config, environ={})
    assert reason in str(caught.value).replace("\\", "")


@pytest.mark.parametrize("origin", ["http://[::1]:8080", "capacitor://localhost", "*"])
def test_other_origins_of_browsers_are_accepted(tmp_path: Path, origin: str) -> None:
    config = write_config(tmp_path, {"server": {"cors_origins": [origin]}})
    assert load_settings(config, environ={}).server.cors_origins == (origin,)

"""REST client for tests."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from io import BytesIO
from types import TracebackType
from typing import Self

import aiohttp
from pydantic import JsonValue


@dataclass(frozen=True)
class ApiAnswer:
    """The status, the headers and the JSON body of an answer."""

    status: int
    headers: Mapping[str, str]
    document: dict[str, JsonValue]


class ApiClient:
    """A client of the REST API with one key; open with ``async with``.

    Args:
        url: the URL of the workbench, without a path.
        key: the API key that each request carries; None for requests without a key.
    """

    def __init__(self, url: str, key: str | None) -> None:
        self.url = url
        self.headers = {} if key is None else {"X-API-Key": key}

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(headers=self.headers)  # noqa: TID251  # connects to the workbench under test
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._session.close()

    async def request(
        self,
        method: str,
        path: str,
        json: JsonValue = None,
        *,
        data: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> ApiAnswer:
        """Make a request below ``/api/v1``, and return the whole answer."""
        if data is not None:
            headers = {"Content-Type": "application/json"} | (headers or {})
        async with self._session.request(
            method,
            f"{self.url}/api/v1{path}",
            json=json,
            data=None if data is None else BytesIO(data),
            headers=headers,
        ) as response:
            document: dict[str, JsonValue] = {}
            if await response.read():
                document = await response.json(content_type=None)
            return ApiAnswer(response.status, response.headers, document)

    async def ask(
        self,
        method: str,
        path: str,
        json: JsonValue = None,
        *,
        data: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> tuple[int, dict[str, JsonValue]]:
        """Make a request below ``/api/v1``, and return the status and the JSON body."""
        answer = await self.request(method, path, json, data=data, headers=headers)
        return answer.status, answer.document

    async def get(self, path: str) -> dict[str, JsonValue]:
        """Return the JSON body at `path`.

        Raises:
            AssertionError: the status is not 200.
        """
        status, document = await self.ask("GET", path)
        assert status == 200, document
        return document

    async def get_until(
        self, path: str, condition: Callable[[dict[str, JsonValue]], object], seconds: float = 60
    ) -> dict[str, JsonValue]:
        """Repeat `get` until the body meets `condition`, and return that body.

        Raises:
            TimeoutError: no body met the condition within `seconds`.
        """
        async with asyncio.timeout(seconds):
            while not condition(document := await self.get(path)):
                pass
        return document

    async def post(self, path: str, json: JsonValue = None) -> dict[str, JsonValue]:
        """Post a JSON body, and return the JSON body of the answer.

        Raises:
            AssertionError: the status is not 200, 201 or 202.
        """
        status, document = await self.ask("POST", path, json)
        assert status in (200, 201, 202), document
        return document


MakeClient = Callable[..., Awaitable[ApiClient]]
"""Opens a client: called with the name of a user and a scope."""


def rows_of(page: Mapping[str, JsonValue]) -> list[dict[str, JsonValue]]:
    """Return the rows of one page of a list."""
    data = page["data"]
    assert isinstance(data, list)
    return [row for row in data if isinstance(row, dict)]


def payload_of(event: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """Return the payload of an event."""
    payload = event["payload"]
    assert isinstance(payload, dict)
    return payload

"""A REST client with a key."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from io import BytesIO
from types import TracebackType
from typing import Self

import aiohttp
from pydantic import JsonValue


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    document: dict[str, JsonValue]


class Client:
    """Speaks to a workbench over HTTP.

    Args:
        url: where it is served.
        key: the API key to send; None sends none.
    """

    def __init__(self, url: str, key: str | None) -> None:
        self.url = url
        self.headers = {} if key is None else {"X-API-Key": key}

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(headers=self.headers)  # noqa: TID251  # a test's own
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
    ) -> Answer:
        """Make a request below ``/api/v1``; return all of the answer."""
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
            if response.status != 204:
                document = await response.json(content_type=None)
            return Answer(response.status, response.headers, document)

    async def ask(
        self,
        method: str,
        path: str,
        json: JsonValue = None,
        *,
        data: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> tuple[int, dict[str, JsonValue]]:
        """Make a request below ``/api/v1``; return the status and the body's JSON."""
        answer = await self.request(method, path, json, data=data, headers=headers)
        return answer.status, answer.document

    async def get(self, path: str) -> dict[str, JsonValue]:
        """Return what is there."""
        status, document = await self.ask("GET", path)
        assert status == 200, document
        return document

    async def get_until(
        self, path: str, condition: Callable[[dict[str, JsonValue]], object], seconds: float = 30
    ) -> dict[str, JsonValue]:
        """Ask again and again until what is there meets `condition`; return it."""
        async with asyncio.timeout(seconds):
            while not condition(document := await self.get(path)):
                pass
        return document

    async def post(self, path: str, json: JsonValue = None) -> dict[str, JsonValue]:
        """Create something; return it."""
        status, document = await self.ask("POST", path, json)
        assert status in (200, 201), document
        return document


def rows_of(page: Mapping[str, JsonValue]) -> list[dict[str, JsonValue]]:
    """Return what a page of a list has."""
    data = page["data"]
    assert isinstance(data, list)
    return [row for row in data if isinstance(row, dict)]


def payload_of(event: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """Return what an event says."""
    payload = event["payload"]
    assert isinstance(payload, dict)
    return payload

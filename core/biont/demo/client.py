"""REST client of the demo."""

from __future__ import annotations

from types import TracebackType
from typing import Self

import aiohttp
from pydantic import JsonValue

from biont.exceptions import BiontError

Json = dict[str, JsonValue]


class DemoClient:
    """REST client for the workbench that the demo has started.

    Args:
        url: the root URL of the workbench.
        key: the API key to send.
    """

    def __init__(self, url: str, key: str) -> None:
        self._root = f"{url}/api/v1/"
        self._headers = {"X-API-Key": key}

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(  # noqa: TID251  # the demo's own workbench
            self._root, headers=self._headers, timeout=aiohttp.ClientTimeout(30)
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._session.close()

    async def post(self, path: str, body: Json) -> Json:
        """Return the body of the response to a POST.

        Raises:
            BiontError: the status is neither 200 nor 201.
        """
        return await self._request("POST", path, body)

    async def get(self, path: str) -> Json:
        """Return the body of the response to a GET.

        Raises:
            BiontError: the status is neither 200 nor 201.
        """
        return await self._request("GET", path, None)

    async def _request(self, method: str, path: str, body: Json | None) -> Json:
        async with self._session.request(method, path, json=body) as response:
            document: Json = await response.json(content_type=None)
            if response.status not in (200, 201):
                raise BiontError(f"{method} {path} returned {response.status}: {document}")
            return document

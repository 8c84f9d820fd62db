"""Requests to a workbench: what they say, and one made to see the answer."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import orjson
from aiohttp import ClientSession  # noqa: TID251  # to our own servers on the loopback

from benchmarks.measure import MeasurementFailed

_LIMIT = 10.0


@dataclass(frozen=True)
class Call:
    """One request.

    Attributes:
        method: of HTTP.
        url: whole.
        headers: what is sent beside Host and Content-Length.
        body: of a POST.
    """

    method: str
    url: str
    headers: dict[str, str]
    body: str = ""

    async def make(self) -> tuple[int, bytes]:
        """Make the request once; return status and body of its answer.

        Raises:
            MeasurementFailed: it was not answered with a success.
        """
        async with (
            asyncio.timeout(_LIMIT),
            ClientSession(headers=self.headers) as session,
            session.request(self.method, self.url, data=self.body or None) as response,
        ):
            body = await response.read()
        if not response.ok:
            raise MeasurementFailed(f"{self.method} {self.url}: {response.status} {body.decode()}")
        return response.status, body


def get(url: str, path: str, key: str) -> Call:
    """Return what reads from the workbench at `url`."""
    return Call("GET", f"{url}/api/v1{path}", make_headers(key))


def post(url: str, path: str, key: str, document: object) -> Call:
    """Return what hands `document` to the workbench at `url`."""
    return Call("POST", f"{url}/api/v1{path}", make_headers(key), orjson.dumps(document).decode())


def make_headers(key: str) -> dict[str, str]:
    """Return what each request to a workbench bears."""
    return {"X-API-Key": key, "Content-Type": "application/json"}

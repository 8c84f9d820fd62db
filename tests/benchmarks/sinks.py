"""The endpoints of webhooks, as a row sees them: run them, and hear what they were sent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import orjson
from aiohttp import ClientSession  # noqa: TID251  # to our own servers on the loopback

from benchmarks.measure import MeasurementFailed
from benchmarks.processes import serve
from benchmarks.receivers import Sink

_LIMIT = 120.0
_LOOK = 0.05


@dataclass(frozen=True)
class Report:
    """What a sink was sent.

    Attributes:
        count: of the requests.
        first: when the first came in, by the monotonic clock.
        last: when the last did.
        delays: how long each was under way whose payload says when it was sent, in seconds.
    """

    count: int
    first: float
    last: float
    delays: Sequence[float]


@dataclass(frozen=True)
class Endpoints:
    """A sink that is running.

    Attributes:
        url: what the URLs of its endpoints begin with.
    """

    url: str

    async def collect(self, count: int) -> Report:
        """Wait until there were `count` requests; report on them, and forget them.

        Raises:
            MeasurementFailed: fewer came within two minutes.
        """
        try:
            async with asyncio.timeout(_LIMIT), ClientSession() as session:
                while (report := await self._read(session)).count < count:  # noqa: ASYNC110  # another process
                    await asyncio.sleep(_LOOK)
            await self.forget()
        except TimeoutError:
            raise MeasurementFailed(f"fewer than {count} requests within {_LIMIT:g} s") from None
        return report

    async def forget(self) -> None:
        """Forget all requests."""
        async with ClientSession() as session, session.delete(f"{self.url}/report"):
            pass

    async def _read(self, session: ClientSession) -> Report:
        async with session.get(f"{self.url}/report") as response:
            return Report(**orjson.loads(await response.read()))


@asynccontextmanager
async def run_endpoints() -> AsyncIterator[Endpoints]:
    """Run a sink in a process of its own."""
    async with serve(Sink()) as server:
        yield Endpoints(server.url)

"""HTTP transport that sends a request again if the server has closed its kept connection.

A kept connection is an idle connection of an earlier request. A server may close a kept
connection at any moment, also while a new request is on its way, which then gets no response. On
a fresh connection, the same error means that the server has failed, and is raised.
"""

from __future__ import annotations

import httpx2


class ReconnectingTransport(httpx2.AsyncHTTPTransport):
    """Transport that repeats requests whose kept connection ends before the response begins."""

    _is_closed = False

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Return the response as soon as its head has arrived.

        Raises:
            httpx2.TransportError: a fresh connection failed.
        """
        while True:
            is_fresh = False

            async def note_connect(event: str, _: object) -> None:
                nonlocal is_fresh
                is_fresh = is_fresh or event.startswith("connection.connect_")

            request.extensions = {**request.extensions, "trace": note_connect}
            try:
                return await super().handle_async_request(request)
            except (httpx2.RemoteProtocolError, httpx2.ReadError, httpx2.WriteError):
                # Each closed connection leaves the pool, so the loop ends with a fresh connection.
                if is_fresh or self._is_closed:
                    raise

    async def aclose(self) -> None:
        """Close all connections; requests under way end with an error."""
        self._is_closed = True
        await super().aclose()

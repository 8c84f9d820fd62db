"""HTTP transport that replaces a kept connection which the server has closed."""

from __future__ import annotations

import httpx2


class ReconnectingTransport(httpx2.AsyncHTTPTransport):
    """Sends a request again when its connection was kept, and ends before the answer's head.

    A server may close a kept connection at any moment, and a request that is just on its way
    then gets no answer. On a fresh connection the same error says that the server has failed,
    and is raised.
    """

    _is_closed = False

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Return the response, whose body is still to be read."""
        while True:
            is_fresh = False

            async def note_connect(event: str, _: object) -> None:
                nonlocal is_fresh
                is_fresh = is_fresh or event.startswith("connection.connect_")

            request.extensions = {**request.extensions, "trace": note_connect}
            try:
                return await super().handle_async_request(request)
            except (httpx2.RemoteProtocolError, httpx2.ReadError, httpx2.WriteError):
                # Each closed connection leaves the pool, so that a fresh one comes in the end.
                if is_fresh or self._is_closed:
                    raise

    async def aclose(self) -> None:
        """Close all connections; requests under way end with an error."""
        self._is_closed = True
        await super().aclose()

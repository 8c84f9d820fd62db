"""Sync client of a workbench."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Self, cast

import httpx2

from biont.client.api import Groups
from biont.client.call import QueryValue, make_call
from biont.client.connection import SyncConnection, make_http_options
from biont.client.json_types import JsonValue
from biont.client.retries import Retries


class Client(Groups):
    """Client of a workbench; each group of operations is an attribute.

    An example::

        with Client("http://127.0.0.1:8080", key) as client:
            note = client.notes.create(title="Tea")
            for found in client.notes.list():
                print(found["title"])

    Args:
        url: the URL of the workbench, without ``/api/v1``.
        key: the API key; None for operations that need no key.
        timeout: the longest wait for the server in seconds, per attempt.
        retries: the limits of repeated attempts.
        headers: sent with each request, such as ``X-Correlation-ID``.
        sleep: waits between attempts.

    Attributes:
        connection: sends calls, also calls that a program makes by itself.

    Raises:
        ValueError: the URL or the key cannot be right.
    """

    def __init__(
        self,
        url: str,
        key: str | None = None,
        *,
        timeout: float = 60.0,
        retries: Retries | None = None,
        headers: Mapping[str, str] | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        base, own = make_http_options(url, key, headers)
        self._http = httpx2.Client(base_url=base, headers=own, timeout=timeout)
        self.connection = SyncConnection(self._http, retries or Retries(), sleep)
        super().__init__(self.connection)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, QueryValue] | None = None,
        body: JsonValue = None,
        headers: Mapping[str, str | None] | None = None,
    ) -> JsonValue:
        """Return the JSON answer of any path, such as a route of a plugin of your own.

        Raises:
            ApiError: the server answers with an error.
            NoAnswerError: the server does not answer.
        """
        given = {"Idempotency-Key": None, **(headers or {})} if method == "POST" else headers
        call = make_call(method, path, query=query, headers=given, body=body)
        return cast("JsonValue", self.connection.send(call).read_json())

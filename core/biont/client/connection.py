"""Connections to a server: send calls, and repeat attempts by the retry policy."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager

import httpx2

from biont.client.answer import ServerAnswer
from biont.client.call import Call
from biont.client.errors import NoAnswerError
from biont.client.retries import Attempts, Retries

_STREAM_SILENCE = 60.0
"""Seconds without a byte after which a stream counts as dead; the server sends one each 15 s."""


class SyncConnection:
    """Connection of the sync client.

    Args:
        http: the HTTP client.
        retries: the limits of repeated attempts.
        sleep: waits for a number of seconds.
    """

    def __init__(
        self, http: httpx2.Client, retries: Retries, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self.http = http
        self.retries = retries
        self.sleep = sleep

    def send(self, call: Call) -> ServerAnswer:
        """Return the answer of a call, a success.

        Raises:
            ApiError: the server answers with an error.
            NoAnswerError: the server does not answer.
        """
        attempts = Attempts(self.retries)
        is_lost = False
        while True:
            try:
                answer = _to_answer(self.http.send(_make_request(self.http, call)))
            except httpx2.HTTPError as error:
                wait = attempts.after_error() if _may_repeat(call, error) else None
                if wait is None:
                    raise _no_answer(self.http.base_url, error) from error
                is_lost = True
            else:
                wait = attempts.after_answer(answer.status, answer.headers)
                if wait is None or not call.is_repeatable:
                    return _finish(call, answer, is_lost=is_lost)
            self.sleep(wait)

    @contextmanager
    def stream(self, call: Call) -> Iterator[Iterator[str]]:
        """Open a call whose answer is a stream; the context has the lines of the stream.

        Raises:
            ApiError: the server answers with an error.
            NoAnswerError: the server does not answer, or the stream broke off.
        """
        request = _make_request(self.http, call, _limit_silence(self.http.timeout))
        try:
            response = self.http.send(request, stream=True)
            try:
                if response.status_code != 200:
                    response.read()
                    _to_answer(response).check()
                yield response.iter_lines()
            finally:
                response.close()
        except (httpx2.HTTPError, httpx2.StreamError) as error:
            raise _no_answer(self.http.base_url, error) from error


class AsyncConnection:
    """Connection of the async client.

    Args:
        http: the HTTP client.
        retries: the limits of repeated attempts.
        sleep: waits for a number of seconds.
    """

    def __init__(
        self,
        http: httpx2.AsyncClient,
        retries: Retries,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.http = http
        self.retries = retries
        self.sleep = sleep

    async def send(self, call: Call) -> ServerAnswer:
        """Return the answer of a call, a success.

        Raises:
            ApiError: the server answers with an error.
            NoAnswerError: the server does not answer.
        """
        attempts = Attempts(self.retries)
        is_lost = False
        while True:
            try:
                answer = _to_answer(await self.http.send(_make_request(self.http, call)))
            except httpx2.HTTPError as error:
                wait = attempts.after_error() if _may_repeat(call, error) else None
                if wait is None:
                    raise _no_answer(self.http.base_url, error) from error
                is_lost = True
            else:
                wait = attempts.after_answer(answer.status, answer.headers)
                if wait is None or not call.is_repeatable:
                    return _finish(call, answer, is_lost=is_lost)
            await self.sleep(wait)

    @asynccontextmanager
    async def stream(self, call: Call) -> AsyncIterator[AsyncIterator[str]]:
        """Open a call whose answer is a stream; the context has the lines of the stream.

        Raises:
            ApiError: the server answers with an error.
            NoAnswerError: the server does not answer, or the stream broke off.
        """
        request = _make_request(self.http, call, _limit_silence(self.http.timeout))
        try:
            response = await self.http.send(request, stream=True)
            try:
                if response.status_code != 200:
                    await response.aread()
                    _to_answer(response).check()
                yield response.aiter_lines()
            finally:
                await response.aclose()
        except (httpx2.HTTPError, httpx2.StreamError) as error:
            raise _no_answer(self.http.base_url, error) from error


def make_http_options(
    url: str, key: str | None, headers: Mapping[str, str] | None
) -> tuple[str, dict[str, str]]:
    """Return the base URL and the headers of an HTTP client.

    Raises:
        ValueError: the URL is not an HTTP URL, or the key cannot be sent in a header.
    """
    if not url.startswith(("http://", "https://")):
        raise ValueError(f"{url!r} is no URL of a workbench; write http://HOST:PORT")
    own = {} if key is None else {"X-API-Key": key.strip()}
    if not own.get("X-API-Key", "").isascii():
        raise ValueError("the API key has other characters than ASCII")
    return url.rstrip("/"), {**own, **(headers or {})}


def _make_request(
    http: httpx2.Client | httpx2.AsyncClient, call: Call, timeout: httpx2.Timeout | None = None
) -> httpx2.Request:
    return http.build_request(
        call.method,
        call.path,
        params=list(call.query) or None,
        headers=dict(call.headers),
        content=call.content,
        timeout=http.timeout if timeout is None else timeout,
    )


def _limit_silence(timeout: httpx2.Timeout) -> httpx2.Timeout:
    return httpx2.Timeout(
        connect=timeout.connect, read=_STREAM_SILENCE, write=timeout.write, pool=timeout.pool
    )


def _to_answer(response: httpx2.Response) -> ServerAnswer:
    headers = {name.lower(): value for name, value in response.headers.items()}
    return ServerAnswer(response.status_code, headers, response.content)


def _may_repeat(call: Call, error: httpx2.HTTPError) -> bool:
    # Without a connection the server has not seen the request.
    return call.is_repeatable or isinstance(error, httpx2.ConnectError | httpx2.ConnectTimeout)


def _finish(call: Call, answer: ServerAnswer, *, is_lost: bool) -> ServerAnswer:
    """Return the last answer of a call.

    Args:
        call: the call.
        answer: its answer.
        is_lost: whether the answer of an earlier attempt was lost.
    """
    if is_lost and call.method == "DELETE" and answer.status == 404:
        # The attempt whose answer was lost has deleted the object.
        return ServerAnswer(204, answer.headers, b"")
    answer.check()
    return answer


def _no_answer(url: httpx2.URL, error: Exception) -> NoAnswerError:
    reason = str(error) or type(error).__name__
    return NoAnswerError(f"{url} does not answer: {reason}")

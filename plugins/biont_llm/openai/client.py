"""The one place that knows the library `openai`, whose import takes half a second."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import cast

import httpx2
import openai

from biont.exceptions import (
    BackendError,
    BackendFailed,
    BackendOverloaded,
    BackendRefused,
    BackendTimeout,
    BackendUnavailable,
    InvalidAnswer,
    PromptTooLong,
)
from biont_llm.openai.reconnecting_transport import ReconnectingTransport
from biont_llm.openai.response_body import read_reason
from biont_llm.settings import OpenAiSettings

# Servers close idle connections after 5 s; a request must not meet one that is just closing.
_KEEP_IDLE = 2.0

_REASON_LIMIT = 300
_TOO_LONG = re.compile(
    r"context[_ ](length|size|window)|maximum context|prompt is too long|too many tokens",
    re.IGNORECASE,
)


class OpenAiClient:
    """Sends requests to one server, and says in our own terms what goes wrong.

    Nothing is read from the environment: no key, no address, no header, no proxy.

    Args:
        settings: which server, with which key.
        timeout: how long it may be silent, in seconds.
        place: where `settings` stand, for messages.
    """

    def __init__(self, settings: OpenAiSettings, timeout: float, place: str) -> None:
        self._server = f"the model's server at {settings.base_url}"
        self._place = place
        self._key = settings.api_key.get_secret_value()
        self._timeout = timeout
        self._client = _Client(
            base_url=str(settings.base_url),
            api_key=self._key or "none",
            timeout=timeout,
            max_retries=0,
            http_client=httpx2.AsyncClient(
                trust_env=False,
                follow_redirects=False,
                transport=ReconnectingTransport(
                    trust_env=False,
                    # How many go out at once is not decided here.
                    limits=httpx2.Limits(max_connections=None, keepalive_expiry=_KEEP_IDLE),
                ),
            ),
        )

    async def ask(self, question: Mapping[str, object]) -> bytes:
        """Return the body of a successful response, unread.

        Args:
            question: the body of the request; it stands over what the library adds.

        Raises:
            BackendError: there is no whole response, or it is not a success.
        """
        with self._explained():
            response = await self._client.chat.completions.with_raw_response.create(
                model="", messages=(), extra_body=question
            )
            return response.content

    async def follow(self, question: Mapping[str, object]) -> AsyncGenerator[bytes, None]:
        """Yield the body of a successful response as it comes, unread.

        Args:
            question: the body of the request, which asks for a stream.

        Raises:
            BackendError: there is no whole response, or it is not a success.
        """
        with self._explained():
            create = self._client.chat.completions.with_streaming_response.create
            async with create(model="", messages=(), extra_body=question) as response:
                async for part in response.iter_bytes():
                    yield part

    async def list_models(self) -> Sequence[str]:
        """Return the names of the server's models.

        Raises:
            BackendError: there is no list, or it is none.
        """
        with self._explained():
            page = await self._client.models.list()
        names = [getattr(model, "id", None) for model in getattr(page, "data", None) or ()]
        if not names or not all(isinstance(name, str) for name in names):
            raise InvalidAnswer(f"{self._server} gave no list of models")
        return cast("list[str]", names)

    async def close(self) -> None:
        """Close all connections, also those that wait for an answer."""
        await self._client.close()

    @contextmanager
    def _explained(self) -> Iterator[None]:
        # `from None`: the library's errors hold what the server said, which may be the key.
        try:
            yield
        except (openai.APITimeoutError, httpx2.TimeoutException):
            raise BackendTimeout(f"{self._server} was silent for {self._timeout:g} s") from None
        except openai.APIStatusError as error:
            raise self._explain_status(error) from None
        except openai.APIConnectionError as error:
            raise self._explain_connection(error.__cause__) from None
        except (openai.APIError, httpx2.HTTPError, httpx2.StreamError) as error:
            raise self._explain_connection(error) from None

    def _explain_status(self, error: openai.APIStatusError) -> BackendError:
        status = error.status_code
        reason = self._hide_key(read_reason(error.body) or error.response.reason_phrase)
        text = f"{self._server} answered {status}: {reason[:_REASON_LIMIT]}"
        if status in (429, 503):
            wait = error.response.headers.get("Retry-After", "")[:50]
            return BackendOverloaded(
                text + (f"; Retry-After: {wait}" if wait else ""), retry_after=_read_pause(wait)
            )
        if status >= 500:
            return BackendFailed(text)
        if _TOO_LONG.search(f"{getattr(error, 'code', '')} {reason}"):
            return PromptTooLong(text)
        return BackendRefused(text + self._find_remedy(status))

    def _find_remedy(self, status: int) -> str:
        if status in (401, 403):
            return f"; check {self._place}.api_key"
        if status == 404:
            return f"; check {self._place}.base_url and the name of the model"
        return ""

    def _explain_connection(self, cause: BaseException | None) -> BackendError:
        if isinstance(cause, httpx2.ConnectError):
            return BackendUnavailable(
                f"{self._server} cannot be reached: {cause}; is it running, and is "
                f"{self._place}.base_url right?"
            )
        reason = self._hide_key(str(cause) or type(cause).__name__)[:_REASON_LIMIT]
        return InvalidAnswer(f"{self._server} broke off before its answer was whole: {reason}")

    def _hide_key(self, text: str) -> str:
        return text.replace(self._key, "***") if self._key else text


class _Client(openai.AsyncOpenAI):
    """The library's client without the headers that it makes from the environment."""

    @property
    def default_headers(self) -> dict[str, str | openai.Omit]:
        return {
            "Accept": "application/json",
            "Content-Type": "application/json",
            "User-Agent": self.user_agent,
        }


def _read_pause(header: str) -> float | None:
    """Return the seconds that a Retry-After header says; a date is None, as clocks differ."""
    return float(header) if header.isascii() and header.isdecimal() else None

"""HTTP client of OpenAI's protocol, by the library `openai`.

The only module that imports the library, whose import takes half a second. The library sends
requests and reads responses; checking the answers is left to `response_body` and
`sse_response`, because the library accepts incomplete answers.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import contextmanager

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
from biont_llm.openai.response_body import extract_error_text
from biont_llm.settings import OpenAiSettings

# Many servers close idle connections after 5 s; a request on a closing connection fails.
_KEEP_IDLE = 2.0

_REASON_LIMIT = 300
# Servers word this error differently, with or without an error code.
_TOO_LONG = re.compile(
    r"context[_ ](length|size|window)|maximum context|prompt is too long|too many tokens",
    re.IGNORECASE,
)


class OpenAiClient:
    """Client of one server; translates the library's errors into `BackendError`.

    Environment variables are ignored: keys, addresses, headers and proxies.

    Args:
        settings: URL and key of the server.
        timeout: longest silence of the server, in seconds.
        settings_path: path of `settings` in the settings file, for error messages.
    """

    def __init__(self, settings: OpenAiSettings, timeout: float, settings_path: str) -> None:
        self._server = f"the model's server at {settings.base_url}"
        self._settings_path = settings_path
        self._key = settings.api_key.get_secret_value()
        self._timeout = timeout
        self._client = _Client(
            base_url=str(settings.base_url),
            # The library refuses an empty key.
            api_key=self._key or "none",
            timeout=timeout,
            # `ResilientBackend` retries.
            max_retries=0,
            http_client=httpx2.AsyncClient(
                trust_env=False,
                # A redirect could send the key to another host.
                follow_redirects=False,
                transport=ReconnectingTransport(
                    trust_env=False,
                    # `ResilientBackend` limits the concurrency.
                    limits=httpx2.Limits(max_connections=None, keepalive_expiry=_KEEP_IDLE),
                ),
            ),
        )

    async def post_chat(self, body: Mapping[str, object]) -> bytes:
        """Return the unparsed body of a successful response.

        Args:
            body: body of the request; overrides the library's own keys.

        Raises:
            BackendError: the server sent no complete response, or no success.
        """
        with self._translate_errors():
            # The library requires model and messages; `extra_body` overrides both.
            response = await self._client.chat.completions.with_raw_response.create(
                model="", messages=(), extra_body=body
            )
            return response.content

    async def stream_chat(self, body: Mapping[str, object]) -> AsyncGenerator[bytes, None]:
        """Yield the unparsed body of a successful response piece by piece.

        Args:
            body: body of the request, with ``stream``.

        Raises:
            BackendError: the server sent no complete response, or no success.
        """
        with self._translate_errors():
            create = self._client.chat.completions.with_streaming_response.create
            async with create(model="", messages=(), extra_body=body) as response:
                async for part in response.iter_bytes():
                    yield part

    async def list_model_names(self) -> Sequence[str]:
        """Return the names of the server's models.

        Raises:
            BackendError: the server sent no list, or an empty list.
        """
        with self._translate_errors():
            page = await self._client.models.list()
        # The library does not check the document: any attribute may be missing.
        ids = [getattr(model, "id", None) for model in getattr(page, "data", None) or ()]
        names = [name for name in ids if isinstance(name, str)]
        if not names or len(names) < len(ids):
            raise InvalidAnswer(f"{self._server} gave no list of models")
        return names

    async def close(self) -> None:
        """Close all connections, also connections with a pending answer."""
        await self._client.close()

    @contextmanager
    def _translate_errors(self) -> Iterator[None]:
        # `from None`: the library's errors contain the server's text, which may contain the key.
        try:
            yield
        except (openai.APITimeoutError, httpx2.TimeoutException):
            raise BackendTimeout(f"{self._server} was silent for {self._timeout:g} s") from None
        except openai.APIStatusError as error:
            raise self._translate_status(error) from None
        except openai.APIConnectionError as error:
            raise self._translate_connection_error(error.__cause__) from None
        except (openai.APIError, httpx2.HTTPError, httpx2.StreamError) as error:
            raise self._translate_connection_error(error) from None

    def _translate_status(self, error: openai.APIStatusError) -> BackendError:
        status = error.status_code
        reason = self._hide_key(extract_error_text(error.body) or error.response.reason_phrase)
        text = f"{self._server} answered {status}: {reason[:_REASON_LIMIT]}"
        if status in (429, 503):
            wait = error.response.headers.get("Retry-After", "")[:50]
            return BackendOverloaded(
                text + (f"; Retry-After: {wait}" if wait else ""),
                retry_after=_parse_retry_after(wait),
            )
        if status >= 500:
            return BackendFailed(text)
        if _TOO_LONG.search(f"{getattr(error, 'code', '')} {reason}"):
            return PromptTooLong(text)
        return BackendRefused(text + self._find_remedy(status))

    def _find_remedy(self, status: int) -> str:
        if status in (401, 403):
            return f"; check {self._settings_path}.api_key"
        if status == 404:
            return f"; check {self._settings_path}.base_url and the name of the model"
        return ""

    def _translate_connection_error(self, cause: BaseException | None) -> BackendError:
        if isinstance(cause, httpx2.ConnectError):
            return BackendUnavailable(
                f"{self._server} cannot be reached: {cause}; is it running, and is "
                f"{self._settings_path}.base_url right?"
            )
        reason = self._hide_key(str(cause) or type(cause).__name__)[:_REASON_LIMIT]
        return InvalidAnswer(f"{self._server} broke off before its answer was complete: {reason}")

    def _hide_key(self, text: str) -> str:
        return text.replace(self._key, "***") if self._key else text


class _Client(openai.AsyncOpenAI):
    """Library client without headers from the environment."""

    @property
    def default_headers(self) -> dict[str, str | openai.Omit]:
        return {
            "Accept": "application/json",
            "Content-Type": "application/json",
            "User-Agent": self.user_agent,
        }


def _parse_retry_after(header: str) -> float | None:
    """Return the seconds of a Retry-After header; None for a date, because clocks differ."""
    return float(header) if header.isascii() and header.isdecimal() else None

"""The one place that knows the library `openai`, whose import takes half a second."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, cast

import httpx2
import openai

from biont import Message
from biont.exceptions import (
    BackendError,
    BackendOverloaded,
    BackendRefused,
    BackendTimeout,
    BackendUnavailable,
    InvalidAnswer,
)
from biont_llm.settings import OpenAiSettings

if TYPE_CHECKING:
    from openai.types.chat import ChatCompletionMessageParam

# Servers close idle connections after 5 s; a request must not meet one that is just closing.
_KEEP_IDLE = 2.0

_REASON_LIMIT = 300
_REMEDIES = {
    401: "; check plugins.llm.openai.api_key",
    403: "; check plugins.llm.openai.api_key",
    404: "; check plugins.llm.openai.base_url and the name of the model",
}


class OpenAiClient:
    """Sends chat requests to one server, and says in our own terms what goes wrong.

    Nothing is read from the environment: no key, no address, no header, no proxy.

    Args:
        settings: which server, with which key.
        timeout: how long it may be silent, in seconds.
    """

    def __init__(self, settings: OpenAiSettings, timeout: float) -> None:
        self._server = f"the model's server at {settings.base_url}"
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
                limits=httpx2.Limits(keepalive_expiry=_KEEP_IDLE),
            ),
        )

    async def ask(
        self, model: str, messages: Sequence[Message], options: Mapping[str, float]
    ) -> bytes:
        """Return the body of a successful response, unread.

        Args:
            model: who is to answer.
            messages: the conversation so far.
            options: what else goes into the request.

        Raises:
            BackendError: there is no whole response, or it is not a success.
        """
        turns = [{"role": message.role, "content": message.content} for message in messages]
        try:
            response = await self._client.chat.completions.with_raw_response.create(
                model=model,
                messages=cast("list[ChatCompletionMessageParam]", turns),
                extra_body=options,
            )
        # `from None`: the library's errors hold what the server said, which may be the key.
        except openai.APITimeoutError:
            raise BackendTimeout(f"{self._server} was silent for {self._timeout:g} s") from None
        except openai.APIStatusError as error:
            raise self._explain_status(error) from None
        except openai.APIConnectionError as error:
            raise self._explain_connection(error) from None
        return response.content

    async def close(self) -> None:
        """Close all connections, also those that wait for an answer."""
        await self._client.close()

    def _explain_status(self, error: openai.APIStatusError) -> BackendError:
        status = error.status_code
        reason = self._hide_key(_read_reason(error.body) or error.response.reason_phrase)
        text = f"{self._server} answered {status}: {reason[:_REASON_LIMIT]}"
        if status not in (429, 503):
            return BackendRefused(text + _REMEDIES.get(status, ""))
        wait = error.response.headers.get("Retry-After")
        return BackendOverloaded(text + (f"; Retry-After: {wait[:50]}" if wait else ""))

    def _explain_connection(self, error: openai.APIConnectionError) -> BackendError:
        cause = error.__cause__
        if isinstance(cause, httpx2.ConnectError):
            return BackendUnavailable(
                f"{self._server} cannot be reached: {cause}; is it running, and is "
                "plugins.llm.openai.base_url right?"
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


def _read_reason(body: object) -> str:
    """Return what a server says of an error; nothing where it says it in HTML."""
    said = body
    for name in ("error", "message"):
        if isinstance(said, dict):
            said = said.get(name, said)
    if not isinstance(said, str) or said.lstrip().startswith("<"):
        return ""
    return " ".join(said.split())

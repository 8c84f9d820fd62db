"""Listener: a receiver that shows deliveries, for the time before the real receiver exists."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import orjson
from aiohttp import web
from multidict import CIMultiDict
from yarl import URL

from biont.clock import Clock
from biont.egress import EgressResponse, EgressSession
from biont.exceptions import BiontError
from biont_webhooks.receiver_testing.request_files import save_request
from biont_webhooks.receiver_testing.verification import verify

_BODY_LIMIT = 64 * 1024 * 1024
_ANSWER_LIMIT = 64 * 1024
_SHOWN_CHARACTERS = 200
_STOP_SECONDS = 3.0

# Headers of one connection, and headers that aiohttp sets for the forwarded request.
_CONNECTION_HEADERS = frozenset(
    {
        "connection",
        "content-length",
        "expect",
        "host",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)


@dataclass(frozen=True)
class Forwarder:
    """Forwards requests unchanged to another receiver.

    Args:
        egress: the session through which requests are sent.
        url: the URL of the other receiver.
    """

    egress: EgressSession
    url: URL

    async def forward(self, headers: Mapping[str, str], body: bytes) -> web.Response:
        """Return the answer of `url`; 502 or 504 with the reason if there is no answer."""
        try:
            response = await self.egress.post(
                self.url, body=body, headers=_copy_headers(headers), read=_ANSWER_LIMIT
            )
        except TimeoutError:
            return web.Response(status=504, text=f"{self.url} did not answer in time")
        except (BiontError, ValueError) as error:
            return web.Response(status=502, text=f"{self.url} did not answer: {error}")
        return _to_web_response(response)


@dataclass
class ShowingReceiver:
    """Receiver that answers each POST request and shows the delivery.

    Args:
        clock: provides the time of deliveries, for display and verification.
        show: called with the lines of text of each delivery.
        secrets: the secrets for verification; empty for no verification.
        status: the HTTP status of answers without a `forwarder`.
        forwarder: forwards deliveries to another receiver.
        keep: the folder into which deliveries are written.
        count: the number of deliveries after which `done` is set.
        verbose: whether to show headers and the whole payload.
    """

    clock: Clock
    show: Callable[[str], None]
    secrets: Sequence[str] = ()
    status: int = 200
    forwarder: Forwarder | None = None
    keep: Path | None = None
    count: int | None = None
    verbose: bool = False
    done: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self, host: str, port: int, on_ready: Callable[[str], None]) -> None:
        """Listen until `done`, SIGTERM or SIGINT.

        Args:
            host: the address to listen on.
            port: the port; 0 for any free port.
            on_ready: called with the URL when the listener is ready.

        Raises:
            BiontError: the address or port is not available.
        """
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.done.set)
        app = web.Application(client_max_size=_BODY_LIMIT)
        app.router.add_post("/{path:.*}", self.receive)
        # The signature covers the bytes as sent, so a compressed body stays compressed.
        runner = web.AppRunner(
            app, access_log=None, auto_decompress=False, shutdown_timeout=_STOP_SECONDS
        )
        await runner.setup()
        try:
            await web.TCPSite(runner, host, port).start()
            on_ready(_format_url(runner))
            await self.done.wait()
        except OSError as error:
            raise BiontError(f"cannot listen: {error}; choose another --port") from error
        finally:
            await runner.cleanup()

    async def receive(self, request: web.Request) -> web.Response:
        """Answer and show a delivery."""
        body = await request.read()
        answer = web.Response(status=self.status)
        if self.forwarder is not None:
            answer = await self.forwarder.forward(request.headers, body)
        self.show("\n    ".join(self._describe_delivery(request, body, answer)))
        if self.count is not None:
            self.count -= 1
            if self.count <= 0:
                self.done.set()
        return answer

    def _describe_delivery(
        self, request: web.Request, body: bytes, answer: web.Response
    ) -> list[str]:
        event_type, payload = _read_event(body)
        message_id = request.headers.get("webhook-id", "no webhook-id")
        checked, reason = self._verify(request.headers, body)
        time = self.clock.now().strftime("%H:%M:%SZ")
        lines = [f"{time} {event_type} {message_id} {checked}, answered {answer.status}", *reason]
        if self.verbose:
            lines += [f"{name}: {value}" for name, value in request.headers.items()]
        elif len(payload) > _SHOWN_CHARACTERS:
            payload = f"{payload[:_SHOWN_CHARACTERS]}... ({len(payload)} characters)"
        lines.append(payload)
        if self.forwarder is not None and answer.status in (502, 504) and answer.text:
            lines.append(answer.text)
        if self.keep is not None:
            lines.append(_save_request(self.keep, request.headers, body))
        return [escape_line(line) for line in lines]

    def _verify(self, headers: Mapping[str, str], body: bytes) -> tuple[str, list[str]]:
        if not self.secrets:
            return "not checked", []
        result = verify(headers, body, self.secrets, now=self.clock.now())
        if result.is_valid:
            return "verified", []
        return "NOT VERIFIED", [result.reason]


def _save_request(folder: Path, headers: Mapping[str, str], body: bytes) -> str:
    try:
        return f"kept in {save_request(folder, headers, body)}"
    except BiontError as error:
        return str(error)


def _read_event(body: bytes) -> tuple[str, str]:
    """Return the event type and payload for display; for another body, the body itself."""
    try:
        event = orjson.loads(body)
        return str(event["event_type"]), orjson.dumps(event["payload"]).decode()
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return "(no event)", body.decode(errors="replace")


def escape_line(line: str) -> str:
    """Escape control characters, which could make the terminal run commands or hide text."""
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode()
        for letter in line
    )


def _copy_headers(headers: Mapping[str, str]) -> CIMultiDict[str]:
    return CIMultiDict(
        (name, value) for name, value in headers.items() if name.lower() not in _CONNECTION_HEADERS
    )


def _to_web_response(response: EgressResponse) -> web.Response:
    return web.Response(
        status=response.status, headers=_copy_headers(response.headers), body=response.body
    )


def _format_url(runner: web.AppRunner) -> str:
    host, port = runner.addresses[0][:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

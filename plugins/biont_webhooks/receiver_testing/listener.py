"""A receiver for the time in which the real one is being written."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import orjson
from aiohttp import ClientError, web
from multidict import CIMultiDict
from yarl import URL

from biont.clock import Clock
from biont.egress import EgressResponse, EgressSession
from biont.exceptions import BiontError
from biont_webhooks.receiver_testing.request_files import keep_request
from biont_webhooks.receiver_testing.verification import verify

_BODY_LIMIT = 64 * 1024 * 1024
_ANSWER_LIMIT = 64 * 1024
_SHOWN = 200
_TIME_TO_STOP = 3.0

# Those that belong to one connection, and those that the next one makes anew.
_OF_CONNECTIONS = frozenset(
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
    """Sends requests on as they are.

    Args:
        egress: the way out.
        url: where to.
    """

    egress: EgressSession
    url: URL

    async def answer(self, headers: Mapping[str, str], body: bytes) -> web.Response:
        """Return what `url` answers; 502 or 504, with the reason, if it does not."""
        try:
            response = await self.egress.post(
                self.url, body=body, headers=_pass_on(headers), read=_ANSWER_LIMIT
            )
        except TimeoutError:
            return web.Response(status=504, text=f"{self.url} did not answer in time")
        except (BiontError, ClientError, OSError, ValueError) as error:
            return web.Response(status=502, text=f"{self.url} did not answer: {error}")
        return _to_answer(response)


@dataclass
class Listener:
    """Answers each POST and tells of it.

    Args:
        clock: stamps deliveries, and is what their timestamps are compared with.
        tell: is called with one or more lines for each delivery.
        secrets: what deliveries are checked by; none checks nothing.
        status: what is answered, unless there is a `forwarder`.
        forwarder: where deliveries go on to.
        keep: the folder that each is written into.
        count: after how many `done` is set.
        verbose: whether headers and all of the payload are told.
    """

    clock: Clock
    tell: Callable[[str], None]
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
            port: the port; 0 for any.
            on_ready: called with the URL as soon as it listens.

        Raises:
            BiontError: it cannot listen there.
        """
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.done.set)
        app = web.Application(client_max_size=_BODY_LIMIT)
        app.router.add_post("/{path:.*}", self.receive)
        runner = web.AppRunner(
            app, access_log=None, auto_decompress=False, shutdown_timeout=_TIME_TO_STOP
        )
        await runner.setup()
        try:
            await web.TCPSite(runner, host, port).start()
            on_ready(_tell_url(runner))
            await self.done.wait()
        except OSError as error:
            raise BiontError(f"cannot listen: {error}; choose another --port") from error
        finally:
            await runner.cleanup()

    async def receive(self, request: web.Request) -> web.Response:
        """Answer one delivery."""
        body = await request.read()
        answer = web.Response(status=self.status)
        if self.forwarder is not None:
            answer = await self.forwarder.answer(request.headers, body)
        self.tell("\n    ".join(self._describe(request, body, answer)))
        if self.count is not None:
            self.count -= 1
            if self.count <= 0:
                self.done.set()
        return answer

    def _describe(self, request: web.Request, body: bytes, answer: web.Response) -> list[str]:
        event_type, payload = _read_event(body)
        message_id = request.headers.get("webhook-id", "no webhook-id")
        checked, reason = self._check(request.headers, body)
        time = self.clock.now().strftime("%H:%M:%SZ")
        lines = [f"{time} {event_type} {message_id} {checked}, answered {answer.status}", *reason]
        if self.verbose:
            lines += [f"{name}: {value}" for name, value in request.headers.items()]
        elif len(payload) > _SHOWN:
            payload = f"{payload[:_SHOWN]}... ({len(payload)} characters)"
        lines.append(payload)
        if self.forwarder is not None and answer.status in (502, 504) and answer.text:
            lines.append(answer.text)
        if self.keep is not None:
            lines.append(_keep(self.keep, request.headers, body))
        return [_escape(line) for line in lines]

    def _check(self, headers: Mapping[str, str], body: bytes) -> tuple[str, list[str]]:
        if not self.secrets:
            return "not checked", []
        verdict = verify(headers, body, self.secrets, now=self.clock.now())
        if verdict.is_valid:
            return "verified", []
        return "NOT VERIFIED", [verdict.reason]


def _keep(folder: Path, headers: Mapping[str, str], body: bytes) -> str:
    try:
        return f"kept in {keep_request(folder, headers, body)}"
    except BiontError as error:
        return str(error)


def _read_event(body: bytes) -> tuple[str, str]:
    """Return type and payload of an event, as they can be shown; any other body as it is."""
    try:
        event = orjson.loads(body)
        return str(event["event_type"]), orjson.dumps(event["payload"]).decode()
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return "(no event)", body.decode(errors="replace")


def _escape(line: str) -> str:
    """Return a line that cannot steer the terminal."""
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode()
        for letter in line
    )


def _pass_on(headers: Mapping[str, str]) -> CIMultiDict[str]:
    return CIMultiDict(
        (name, value) for name, value in headers.items() if name.lower() not in _OF_CONNECTIONS
    )


def _to_answer(response: EgressResponse) -> web.Response:
    return web.Response(
        status=response.status, headers=_pass_on(response.headers), body=response.body
    )


def _tell_url(runner: web.AppRunner) -> str:
    host, port = runner.addresses[0][:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

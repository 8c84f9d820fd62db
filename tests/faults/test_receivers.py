"""Deliveries to other people's servers, which restart and close: none is lost or doubled."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import cycle
from pathlib import Path

import pytest
import trustme
from aiohttp.test_utils import unused_port
from conftest import MakeKey, StartServer
from support.node import Node
from support.webhooks import register

from biont.testing import ApiClient

TESTS = Path(__file__).parents[1]

Disturb = Callable[[asyncio.subprocess.Process], None]


def hang_up(process: asyncio.subprocess.Process) -> None:
    process.send_signal(signal.SIGHUP)


def leave_alone(_: asyncio.subprocess.Process) -> None:
    """Send nothing."""


def _python(*arguments: str) -> list[str]:
    return [sys.executable, "-m", *arguments]


COMMANDS: dict[str, tuple[Callable[[int], list[str]], Disturb]] = {
    "flask": (
        lambda port: _python(
            "flask", "--app", "support.receivers.apps:flask_app", "run", f"-p{port}"
        ),
        leave_alone,
    ),
    "gunicorn": (
        lambda port: _python(
            *("gunicorn", "-w2", "--max-requests=40", "-b", f"127.0.0.1:{port}"),
            "support.receivers.apps:flask_app",
        ),
        hang_up,
    ),
    "gunicorn with threads": (
        lambda port: _python(
            *("gunicorn", "-w2", "--threads=4", "--max-requests=40", "-b", f"127.0.0.1:{port}"),
            "support.receivers.apps:flask_app",
        ),
        hang_up,
    ),
    "uvicorn": (
        lambda port: _python(
            *("uvicorn", "--port", str(port), "--timeout-keep-alive=1", "--no-access-log"),
            "support.receivers.apps:asgi_app",
        ),
        leave_alone,
    ),
    "hypercorn": (
        lambda port: _python(
            *("hypercorn", "-b", f"127.0.0.1:{port}", "support.receivers.apps:asgi_app")
        ),
        leave_alone,
    ),
}


@asynccontextmanager
async def run_receiver(
    command: list[str], port: int, **variables: str
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a server until the end of the block; it answers at `port`."""
    process = await asyncio.create_subprocess_exec(
        *command,
        env={
            **os.environ,
            "PYTHONPATH": f"{TESTS}:{os.environ.get('PYTHONPATH', '')}",
            **variables,
        },
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        await wait_for_port(port)
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            async with asyncio.timeout(20):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()


async def wait_for_port(port: int) -> None:
    async with asyncio.timeout(90):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except ConnectionError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                return


async def send_events(
    client: ApiClient, count: int, each: Callable[[int], None] = lambda _: None
) -> set[str]:
    """Emit events, eight at a time; return the ids."""
    ids: set[str] = set()

    async def emit(number: int) -> None:
        event = await client.post(
            "/events", {"event_type": "custom_sale", "payload": {"n": number}}
        )
        ids.add(str(event["id"]))

    for start in range(0, count, 8):
        await asyncio.gather(*(emit(number) for number in range(start, min(count, start + 8))))
        each(start)
    return ids


def _read(file: Path) -> str:
    return file.read_text() if file.exists() else ""


async def wait_for_ids(file: Path, ids: set[str]) -> Counter[str]:
    """Wait until a receiver has got all events; return the number of requests for each."""
    seen: Counter[str] = Counter()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(90):
            while not ids <= seen.keys():  # another process writes the file
                await asyncio.sleep(0.1)
                seen = Counter(_read(file).split())
    return seen


async def test_servers_that_recycle_their_workers_get_each_event_once(
    start_server: StartServer, make_key: MakeKey, tmp_path: Path
) -> None:
    server = await start_server(egress={"allow": ["127.0.0.0/8:*"]})
    async with ApiClient(server.url, await make_key()) as client, AsyncExitStack() as stack:
        disturbed: list[tuple[Disturb, asyncio.subprocess.Process]] = []
        files: dict[str, Path] = {}
        for name, (make_command, disturb) in COMMANDS.items():
            port, files[name] = unused_port(), tmp_path / name
            process = await stack.enter_async_context(
                run_receiver(make_command(port), port, RECEIVED=str(files[name]))
            )
            disturbed.append((disturb, process))
            await register(
                client, f"http://127.0.0.1:{port}/", event_types=["custom_*"], retry="standard"
            )

        def disturb_all(number: int) -> None:
            if number in {96, 200}:
                for disturb, process in disturbed:
                    disturb(process)

        ids = await send_events(client, 300, disturb_all)
        for name, file in files.items():
            assert await wait_for_ids(file, ids) == Counter(ids), name


async def test_express_gets_each_event_once(
    start_server: StartServer, make_key: MakeKey, tmp_path: Path, node: Node
) -> None:
    server = await start_server(egress={"allow": ["127.0.0.0/8:*"]})
    port, file = unused_port(), tmp_path / "received"
    command = [node.program, str(TESTS / "node" / "receive.mjs"), str(port), str(file)]
    async with (
        ApiClient(server.url, await make_key()) as client,
        run_receiver(command, port),
    ):
        await register(client, f"http://127.0.0.1:{port}/", event_types=["custom_*"])
        ids = await send_events(client, 300)
        assert await wait_for_ids(file, ids) == Counter(ids)


# Ten thousand give the same result; they take a minute.
TLS_EVENTS = 1000


async def test_a_receiver_with_tls_of_a_private_authority_gets_each_event_once(
    start_server: StartServer, make_key: MakeKey, tmp_path: Path
) -> None:
    authority = trustme.CA()
    names = [tmp_path / name for name in ("authority.pem", "certificate.pem", "key.pem")]
    issued = authority.issue_cert("127.0.0.1")
    authority.cert_pem.write_to_path(names[0])
    issued.cert_chain_pems[0].write_to_path(names[1])
    issued.private_key_pem.write_to_path(names[2])
    egress = {"allow": ["127.0.0.0/8:*"], "ca_file": str(names[0])}
    server = await start_server(egress=egress)
    port, file = unused_port(), tmp_path / "received"
    command = _python("support.receivers.tls", str(port), *map(str, names[1:]))
    async with (
        ApiClient(server.url, await make_key()) as client,
        run_receiver(command, port, RECEIVED=str(file)),
    ):
        await register(client, f"https://127.0.0.1:{port}/", event_types=["custom_*"])
        ids = await send_events(client, TLS_EVENTS)
        seen = await wait_for_ids(file, ids)
        # Connections are kept: far fewer handshakes than requests.
        assert seen.pop("handshake") <= TLS_EVENTS / 10
        assert seen == Counter(ids)


NGINX = """
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{}}
http {{
    client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
    uwsgi_temp_path {folder}; scgi_temp_path {folder};
    log_format ids '$http_webhook_id';
    access_log {folder}/received ids;
    server {{
        listen 127.0.0.1:{port};
        location / {{ return 200 ok; }}
    }}
}}
"""


async def test_nginx_that_is_reloaded_eight_times_gets_each_event_once(
    start_server: StartServer, make_key: MakeKey, tmp_path: Path
) -> None:
    program = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        pytest.skip("there is no nginx on PATH")
    folder, port = tmp_path / "nginx", unused_port()
    folder.mkdir()
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder, port=port))
    server = await start_server(egress={"allow": ["127.0.0.0/8:*"]})
    command = [program, "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", "stderr"]
    async with (
        ApiClient(server.url, await make_key()) as client,
        run_receiver(command, port) as process,
    ):
        await register(
            client, f"http://127.0.0.1:{port}/", event_types=["custom_*"], retry="standard"
        )

        def reload(number: int) -> None:
            if number % 112 == 104:
                hang_up(process)

        ids = await send_events(client, 900, reload)
        seen = await wait_for_ids(folder / "received", ids)
        del seen["-"]
        assert seen == Counter(ids)


class Careless:
    """Receiver that closes, resets, and sends wrong lengths."""

    def __init__(self, lengths: Sequence[int] = (2,), reset_every: int = 0) -> None:
        self.seen: Counter[str] = Counter()
        self.changed = asyncio.Event()
        self._lengths = cycle(lengths)
        self._reset_every = reset_every
        self._connections = 0

    async def speak(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request of a connection."""
        self._connections += 1
        if self._reset_every and self._connections % self._reset_every == 0:
            writer.transport.abort()
            return
        with contextlib.suppress(asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
            headers = dict(line.split(": ", 1) for line in head.splitlines()[1:] if line)
            await reader.readexactly(int(headers["content-length"]))
            self.seen[headers["webhook-id"]] += 1
            self.changed.set()
            answer = f"HTTP/1.1 200 OK\r\nContent-Length: {next(self._lengths)}\r\n\r\nok"
            writer.write(answer.encode())
        writer.close()


@pytest.mark.parametrize(
    "receiver",
    [Careless(), Careless(lengths=[0, 1, 2, 3, 9999]), Careless(reset_every=10)],
    ids=["closes in silence", "wrong lengths", "resets connections"],
)
async def test_a_careless_receiver_gets_each_event_once(
    start_server: StartServer, make_key: MakeKey, receiver: Careless
) -> None:
    server = await start_server(egress={"allow": ["127.0.0.0/8:*"]})
    async with (
        await asyncio.start_server(receiver.speak, "127.0.0.1", 0) as listener,
        ApiClient(server.url, await make_key()) as client,
    ):
        url = "http://{}:{}/".format(*listener.sockets[0].getsockname())
        await register(client, url, event_types=["custom_*"], retry=[0, 0, 0, 0])
        ids = await send_events(client, 300)
        async with asyncio.timeout(30):
            while not ids <= receiver.seen.keys():
                receiver.changed.clear()
                await receiver.changed.wait()
        assert receiver.seen == Counter(ids)

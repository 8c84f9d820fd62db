"""`biont webhooks listen`: shows, verifies, saves and forwards deliveries."""

from __future__ import annotations

import signal
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiohttp import ClientSession, web  # noqa: TID251  # what no workbench sends
from standardwebhooks import Webhook
from support.process import keep_biont, run_biont
from support.webhooks import Document, emit, register, wait_for_deliveries

from biont.testing import ApiClient, ManualClock, WebhookReceiver, write_config
from biont_webhooks.subscription.signing import generate_secret

SECRET, OTHER = generate_secret(), generate_secret()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(datetime.now(UTC))


class Listening:
    """The command while it listens."""

    def __init__(self, process: Process, url: str) -> None:
        self.process = process
        self.url = url

    async def read_until(self, text: str) -> str:
        """Return what it has written up to the line that has `text` in it."""
        assert self.process.stdout is not None
        written = ""
        while text not in written:
            line = await self.process.stdout.readline()
            assert line, f"it has ended: {written}"
            written += line.decode()
        return written


@asynccontextmanager
async def listen(folder: Path, *arguments: str, **variables: str) -> AsyncIterator[Listening]:
    config = write_config(folder, {})
    command = ["webhooks", "listen", "--port", "0", *arguments]
    async with keep_biont(*command, config=config, **variables) as process:
        assert process.stdout is not None
        first = (await process.stdout.readline()).decode().split()
        assert first[:2] == ["listening", "at"]
        yield Listening(process, f"{first[2]}hook")


async def deliver(client: ApiClient, url: str, **more: str) -> Document:
    webhook = await register(client, url, secret=SECRET, **more)
    await emit(client, "custom_sale", amount=12, note="ä\n\x1b[31m\x9b")
    (delivery,) = await wait_for_deliveries(client, webhook)
    return delivery


async def post(url: str, body: bytes = b"{}") -> tuple[int, str]:
    async with ClientSession() as session, session.post(url, data=body) as response:
        return response.status, await response.text()


async def test_a_delivery_is_shown_and_verified(client: ApiClient, tmp_path: Path) -> None:
    async with listen(tmp_path, "--secret", SECRET) as listening:
        assert (await deliver(client, listening.url))["status"] == "succeeded"
        first, second = (await listening.read_until("amount")).splitlines()
    assert " custom_sale " in first
    assert first.endswith(" verified, answered 200")
    assert second == r'    {"amount":12,"note":"ä\n\u001b[31m\x9b"}'


async def test_the_secret_may_be_in_the_environment(client: ApiClient, tmp_path: Path) -> None:
    async with listen(tmp_path, "--once", BIONT_WEBHOOK_SECRET=SECRET) as listening:
        await deliver(client, listening.url)
        assert " verified," in await listening.read_until("amount")
        assert await listening.process.wait() == 0


async def test_invalid_request_is_shown_with_the_reason(client: ApiClient, tmp_path: Path) -> None:
    async with listen(tmp_path, "--secret", OTHER) as listening:
        await deliver(client, listening.url)
        shown = await listening.read_until("amount")
        assert " NOT VERIFIED, answered 200\n    webhook-signature: no matching" in shown
        await post(listening.url, b"\x1b]0;\xff")
        shown = await listening.read_until("]0;")
        assert "(no event) no webhook-id NOT VERIFIED" in shown
        assert "webhook-id: the header is missing; webhook-timestamp" in shown
        assert shown.splitlines()[-1] == "    \\x1b]0;\N{REPLACEMENT CHARACTER}"


async def test_without_a_secret_nothing_is_checked(client: ApiClient, tmp_path: Path) -> None:
    async with listen(tmp_path, "--status", "503", "-v") as listening:
        assert (await deliver(client, listening.url))["status"] == "failed"
        shown = await listening.read_until("amount")
    assert " not checked, answered 503\n" in shown
    assert "    webhook-signature: v1," in shown


async def test_saved_request_can_be_verified_later(client: ApiClient, tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    async with listen(tmp_path, "--keep", str(folder), "--count", "2") as listening:
        await deliver(client, listening.url)
        await post(listening.url, b"second")
        assert await listening.process.wait() == 0
    assert (folder / "0002.body").read_bytes() == b"second"
    files = ["--headers", str(folder / "0001.headers"), "--body", str(folder / "0001.body")]
    code, out, _ = await run_biont(
        "webhooks", "verify", "--secret", SECRET, *files, config=write_config(tmp_path, {})
    )
    assert (code, out.splitlines()[-1]) == (0, "valid")


async def test_forward_keeps_the_request_and_returns_the_answer(
    client: ApiClient, receiver: WebhookReceiver, tmp_path: Path
) -> None:
    async def respond(_: web.Request) -> web.Response:
        return web.Response(status=503, text="later", headers={"Retry-After": "7"})

    receiver.respond = respond
    url = receiver.url.replace("127.0.0.1", "localhost")
    async with listen(tmp_path, "--forward", url) as listening:
        delivery = await deliver(client, listening.url)
        async with (
            ClientSession() as session,
            session.post(listening.url, data=b"x", headers={"X-Own": "1"}) as response,
        ):
            assert response.headers["Retry-After"] == "7"
            assert (response.status, await response.text()) == (503, "later")
    assert delivery["status"] == "failed"
    first, second = await receiver.wait_for(2)
    Webhook(SECRET).verify(first.body.decode(), dict(first.headers))
    assert first.headers["User-Agent"] == "biont"
    assert (second.body, second.headers["X-Own"]) == (b"x", "1")


async def test_forward_target_without_an_answer_is_named(tmp_path: Path) -> None:
    async with listen(tmp_path, "--forward", "http://127.0.0.1:1/") as listening:
        status, text = await post(listening.url)
        shown = await listening.read_until("did not answer")
    assert status == 502
    assert "http://127.0.0.1:1/ did not answer" in text
    assert "not checked, answered 502" in shown


async def test_forward_to_a_forbidden_address_is_refused(tmp_path: Path) -> None:
    code, _, error = await run_biont(
        "webhooks", "listen", "--forward", "http://10.1.2.3/", config=write_config(tmp_path, {})
    )
    assert code == 1
    assert '"10.1.2.3:80" in the setting egress.allow' in error


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_signal_stops_the_listener(number: signal.Signals, tmp_path: Path) -> None:
    async with listen(tmp_path) as listening:
        listening.process.send_signal(number)
        out, error = await listening.process.communicate()
        assert (listening.process.returncode, out, error) == (0, b"", b"")


async def test_port_in_use_is_reported_with_a_remedy(
    receiver: WebhookReceiver, tmp_path: Path
) -> None:
    port = receiver.url.split(":")[2].split("/")[0]
    code, out, error = await run_biont(
        "webhooks", "listen", "--port", port, config=write_config(tmp_path, {})
    )
    assert (code, out) == (1, "")
    assert "choose another --port" in error
    assert "Traceback" not in error

"""The receivers of "Receive a webhook" get real deliveries, and are tried."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiohttp.test_utils import unused_port
from support.pages import read_examples
from support.process import keep_biont, run_script
from support.webhooks import PATH, Document, emit, register, wait_for_deliveries

from biont.testing import ApiClient, ManualClock, write_config
from biont_webhooks.subscription.signing import generate_secret

PAGE = "docs/how-to/receive-webhooks.md"
SECRET, OLD = generate_secret(), generate_secret()

Start = Callable[..., AbstractAsyncContextManager[Process]]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(datetime.now(UTC))


@pytest.fixture
def port() -> int:
    return unused_port()


@pytest.fixture(params=["receiver.py", "receiver.mjs"])
def start(request: pytest.FixtureRequest, port: int, tmp_path: Path) -> Start:
    """Start a receiver of the page, in a folder that stays the same."""
    folder, program = tmp_path / "receiver", sys.executable
    folder.mkdir()
    if request.param.endswith(".mjs"):
        node = request.getfixturevalue("node")
        node.lend_packages(folder)
        program = node.program
    script = folder / request.param
    script.write_text(read_examples(PAGE, request.param)[0])

    @asynccontextmanager
    async def run(
        secrets: str = SECRET, stdout: int = asyncio.subprocess.PIPE
    ) -> AsyncIterator[Process]:
        process = await asyncio.create_subprocess_exec(
            program,
            script.name,
            cwd=folder,
            env=os.environ | {"SECRETS": secrets, "PORT": str(port)},
            stdout=stdout,
        )
        try:
            async with asyncio.timeout(60):
                await wait_for_port(port)
                yield process
        finally:
            process.kill()
            await process.communicate()

    return run


async def wait_for_port(port: int) -> None:
    while True:
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            return await writer.wait_closed()
        await asyncio.sleep(0.01)


async def read_work(process: Process) -> str:
    """Return the next event that a receiver has worked on, past what it says at its start."""
    assert process.stdout is not None
    while line := (await process.stdout.readline()).decode():
        if line.startswith("custom_"):
            return line.strip()
    raise AssertionError("it has ended")


async def resend(client: ApiClient, webhook: Document, delivery: Document) -> None:
    """Attempt a delivery again, and wait for the attempt."""
    path = f"{PATH}/{webhook['id']}/deliveries/{delivery['id']}"
    before = await client.get(path)
    await client.post(f"{path}/resend")
    after = await client.get_until(
        path, lambda found: len(str(found["attempts"])) > len(str(before["attempts"]))
    )
    assert after["status"] == "succeeded"


async def test_each_event_is_worked_on_once(start: Start, port: int, client: ApiClient) -> None:
    webhook = await register(client, f"http://127.0.0.1:{port}/hook", secret=SECRET)
    async with start() as receiver:
        await emit(client, "custom_first", text="Gr\u00fc\u00dfe")
        (delivery,) = await wait_for_deliveries(client, webhook)
        assert (await read_work(receiver)).startswith('custom_first {"text":')
        await resend(client, webhook, delivery)
    async with start() as receiver:  # after it was killed
        await resend(client, webhook, delivery)
        await client.post(f"{PATH}/{webhook['id']}/rotate-secret")
        await emit(client, "custom_second")
        await wait_for_deliveries(client, webhook, 2)
        assert await read_work(receiver) == "custom_second {}"


async def test_the_receivers_pass_the_check(start: Start, port: int, tmp_path: Path) -> None:
    # It prints more than a pipe holds that nobody reads.
    async with start(f"{SECRET} {OLD}", stdout=asyncio.subprocess.DEVNULL):
        (script,) = read_examples(PAGE, "check")
        script = script.replace("9001", str(port)).strip() + f" --old-secret {OLD}"
        config = write_config(tmp_path, {})
        variables = {"BIONT_WEBHOOK_SECRET": SECRET, "BIONT_CONFIG": str(config)}
        async with run_script(script, tmp_path, **variables) as out:
            report = (await out.read()).decode()
    assert report.splitlines()[-1] == "18 ok, 0 warning, 0 failed", report


@pytest.fixture
async def kept(client: ApiClient, tmp_path: Path, port: int) -> Path:
    """The folder of a request that `biont webhooks listen` has kept."""
    (line,) = read_examples(PAGE, "listen")
    command = line.replace("kept", str(tmp_path / "kept")).split()[1:]
    command += ["--port", str(port), "--once"]
    config = write_config(tmp_path, {})
    async with keep_biont(*command, config=config, BIONT_WEBHOOK_SECRET=SECRET) as listening:
        await wait_for_port(port)
        await register(client, f"http://127.0.0.1:{port}/", secret=SECRET)
        await emit(client, "custom_sale", text="Gr\u00fc\u00dfe\n")
        await listening.wait()
    return tmp_path / "kept"


needs_openssl = pytest.mark.skipif(
    not (shutil.which("openssl") and shutil.which("bash")),
    reason="there is no openssl, or no bash",
)


async def run_verify(folder: Path, script: str) -> str:
    (folder / "verify.sh").write_text(read_examples(PAGE, "verify.sh")[0])
    variables = {"SECRET": SECRET, "BIONT_WEBHOOK_SECRET": SECRET}
    async with run_script(f"unset BIONT_CONFIG\n{script}", folder, **variables) as out:
        return (await out.read()).decode()


@needs_openssl
async def test_a_request_that_was_kept_is_verified_by_command_and_by_openssl(kept: Path) -> None:
    (script,) = read_examples(PAGE, "verify")
    written = await run_verify(kept.parent, script)
    assert written.splitlines()[-2:] == ["valid", "genuine"]


@needs_openssl
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("echo >> kept/0001.body", "refused: no signature is right"),
        ("sed -i 's/^webhook-id: /&0/' kept/0001.headers", "refused: no signature is right"),
        ("sed -i s/^webhook-timestamp:.*/a:b/ kept/0001.headers", "refused: no timestamp"),
        ("sed -i 's/^webhook-timestamp:/& a[1]/' kept/0001.headers", "refused: no timestamp"),
        ("sed -i 's/^webhook-timestamp: 1/&0/' kept/0001.headers", "s off"),
        ("sed -i 's/^X-ASI-Signature: /&0/' kept/0001.headers", "X-ASI-Signature is wrong"),
    ],
)
async def test_openssl_refuses_what_was_changed(change: str, message: str, kept: Path) -> None:
    verify = "sh verify.sh kept/0001.headers kept/0001.body || echo failed"
    refusal, failed = (await run_verify(kept.parent, f"{change}\n{verify}")).splitlines()
    assert message in refusal
    assert failed == "failed"

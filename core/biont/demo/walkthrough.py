"""Walkthrough: the steps of the demo and their output."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

import orjson

from biont.clock import SystemClock
from biont.demo.client import DemoClient, Json
from biont.demo.receiver import Receiver
from biont.demo.server import DemoServer
from biont.exceptions import BiontError

TEXT = (
    "The city library opened a new reading room on Monday. It has 120 seats, large windows "
    "and free internet, and it is open every day until midnight."
)
_WAIT_SECONDS = 180.0
_PROGRESS_SECONDS = 1.0


class Walkthrough:
    """The main job, from an empty folder to a verified webhook.

    Args:
        print_line: prints a line.
    """

    def __init__(self, print_line: Callable[[str], None]) -> None:
        self._print = print_line
        self._number = 0
        self._receiver = Receiver()

    async def run(self, *, keep: bool) -> None:
        """Run all steps; with `keep`, serve until interrupted.

        Raises:
            BiontError: a step failed; the message names the step.
        """
        async with AsyncExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="biont-demo-")))
            with self._step("start a webhook receiver"):
                await stack.enter_async_context(self._receiver.run())
                self._print(f"   the receiver listens on {self._receiver.url}")
            server = DemoServer(folder, self._receiver.port)
            with self._step("download the model if it is missing: biont models pull"):
                await server.pull_model()
            with self._step("start the workbench: biont serve"):
                url = await stack.enter_async_context(server.serve())
                self._print(f"   the workbench serves {url}, with all files in {folder}")
            key = await self._make_key(server)
            await self._do_main_job(url, key)
            self._print_next_steps(url, key, keep=keep)
            if keep:
                link = await server.run_command("dashboard", "link", "--user", "demo")
                # The command knows only that the port is free to choose.
                self._print(f"\nOpen the dashboard: {url}{urlsplit(link).path}")
                self._print(f"\nThe workbench serves {url} until you press Ctrl-C.")
                await asyncio.Event().wait()

    async def _make_key(self, server: DemoServer) -> str:
        with self._step("create a user and an API key: biont users create, biont keys create"):
            await server.run_command("users", "create", "demo")
            key = await server.run_command("keys", "create", "--user", "demo")
            self._print(f"   {key[:12]}... (shown once, stored as a hash)")
            return key

    async def _do_main_job(self, url: str, key: str) -> None:
        async with DemoClient(url, key) as client:
            with self._step("register the webhook: POST /api/v1/webhooks/outgoing/register"):
                answer = await client.post(
                    "webhooks/outgoing/register", {"url": self._receiver.url}
                )
                self._receiver.secret = str(answer["secret"])
                self._print(f"   secret: {self._receiver.secret[:12]}... (shown once)")
            with self._step("schedule a prompt: POST /api/v1/schedule"):
                schedule = await client.post(
                    "schedule",
                    {
                        "name": "The library, in a sentence",
                        "cron": "*/5 * * * * *",
                        "seconds": True,
                        # A second run would print a second note in the middle of the output.
                        "max_runs": 1,
                        "prompt": f"Summarise this text in one sentence: {TEXT}",
                    },
                )
                self._print(f"   {schedule['cron']} is due next at {schedule['next_fire_at']}")
            with self._step("wait until the model has answered and the webhook has arrived"):
                event = await self._wait(client, schedule)
            with self._step("read the note that the run has created"):
                self._print_result(event, await _read_note(client, event))

    async def _wait(self, client: DemoClient, schedule: Json) -> Json:
        """Wait for the webhook and print the progress; raise as soon as the run has failed."""
        due_at = datetime.fromisoformat(str(schedule["next_fire_at"]))
        arrival = asyncio.create_task(self._receiver.wait_for("scheduled_trigger"))
        try:
            async with asyncio.timeout(_WAIT_SECONDS):
                # `wait` does not cancel the task on a timeout, unlike `wait_for`.
                while not (await asyncio.wait([arrival], timeout=_PROGRESS_SECONDS))[0]:
                    await _refuse_failure(client, schedule)
                    left = (due_at - SystemClock().now()).total_seconds()
                    self._print(f"   due in {left:.0f} s" if left > 0 else "   the model works")
        finally:
            arrival.cancel()
        return await arrival

    def _print_result(self, event: Json, note: Json) -> None:
        self._print(f"   note {note['id']}, {note['title']!r}:")
        self._print(f"   {note['content']}")
        self._print("\nThe webhook's body, its signature verified by `standardwebhooks`:")
        self._print(orjson.dumps(event, option=orjson.OPT_INDENT_2).decode())

    def _print_next_steps(self, url: str, key: str, *, keep: bool) -> None:
        self._print(
            "\nNext steps" + ("" if keep else ", with `biont demo --keep`, also in the dashboard")
        )
        header = f"-H 'X-API-Key: {key}'"
        json = "-H 'Content-Type: application/json'"
        self._print(f"curl {header} {url}/api/v1/notes")
        self._print(f"curl {header} {url}/api/v1/events")
        self._print(f"curl {header} {url}/api/v1/webhooks/outgoing/1/deliveries")
        self._print(f"curl {header} {url}/api/v1/schedule/1/runs")
        message = '{"message": "What is the capital of France?"}'
        self._print(f"curl {header} {json} -d '{message}' {url}/api/v1/chat")

    @contextmanager
    def _step(self, name: str) -> Iterator[None]:
        self._number += 1
        self._print(f"\n{self._number}. {name[0].upper()}{name[1:]}")
        try:
            yield
        except Exception as error:
            reason = str(error) or type(error).__name__
            raise BiontError(
                f"the demo failed at step {self._number}, {name}: {reason}"
            ) from error


async def _read_note(client: DemoClient, event: Json) -> Json:
    match event:
        case {"payload": {"note_id": note_id}}:
            return await client.get(f"notes/{note_id}")
    raise BiontError(f"the event has no note_id: {event}")


async def _refuse_failure(client: DemoClient, schedule: Json) -> None:
    match await client.get(f"schedule/{schedule['id']}/runs?status=failed"):
        case {"data": [{"error": error}, *_]}:
            raise BiontError(f"the run has failed: {error}")

"""Remote listener: forwards the messages of a listener on a server to a local receiver.

The position is on the server, and moves after the receiver has accepted a message. So a crash of
either side repeats at most the message under way, with the same ``webhook-id``. Each attempt
fetches the message again, because a signature is valid for some minutes only.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from biont.cli import parse_instant
from biont.client import AsyncClient, ConflictError, NoAnswerError, ServerFailedError
from biont.clock import Clock
from biont_webhooks.receiver_testing.listener import Forwarder, escape_line

_WAIT = 20.0
_LONGEST_WAIT = 30.0
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def parse_past(value: str, now: datetime) -> datetime:
    """Return an instant in ISO 8601, or the instant that a duration such as ``1h`` ago was.

    Raises:
        click.BadParameter: the text is neither.
    """
    found = re.fullmatch(r"(\d{1,6})([smhd])", value)
    if found is None:
        return parse_instant(value)
    return now.astimezone(UTC) - timedelta(**{_UNITS[found[2]]: int(found[1])})


@dataclass
class RemoteListener:
    """Forwards messages of a listener on a server to a receiver.

    Args:
        client: the client of the server.
        forwarder: forwards messages to the receiver.
        clock: provides the time of attempts, for display.
        show: called with the lines of text of each attempt.
        skip_refused: whether a message that the receiver refuses is left out after one attempt.
        count: the number of messages after which `follow` returns; None for no end.
        sleep: waits for a number of seconds.
    """

    client: AsyncClient
    forwarder: Forwarder
    clock: Clock
    show: Callable[[str], None]
    skip_refused: bool = False
    count: int | None = None
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep

    async def open(self, name: str, event_types: Sequence[str]) -> int:
        """Return the number of the listener `name`; create the listener if there is none.

        Raises:
            ClientError: the server refuses the listener, or does not answer.
        """
        async for found in self.client.webhooks.list_listeners():
            if found["name"] == name:
                if event_types:
                    await self.client.webhooks.change_listener(
                        found["id"], event_types=list(event_types)
                    )
                self.show(f"listener {name} continues after event {found['position']}")
                return found["id"]
        chosen = list(event_types) or ["*"]
        try:
            created = await self.client.webhooks.register_listener(name=name, event_types=chosen)
        except ConflictError:
            # The answer of an attempt was lost, or another process was faster.
            return await self.open(name, event_types)
        self.show(f"listener {name} is new; it signs with the secret {created['secret']}")
        return created["id"]

    async def follow(self, listener_id: int) -> None:
        """Forward the messages after the position of a listener, and those that come."""
        failures = 0
        while self.count is None or self.count > 0:
            try:
                found = await self.client.webhooks.fetch_messages(listener_id, limit=1, wait=_WAIT)
                if found["lost_until"] is not None:
                    self.show(f"events up to {found['lost_until']} were deleted on the server")
                is_done = True
                for message in found["data"]:
                    is_done = await self._forward(message["headers"], message["body"])
                if is_done:
                    await self.client.webhooks.change_listener(
                        listener_id, position=found["position"]
                    )
                    failures = 0
                    if found["data"] and self.count is not None:
                        self.count -= 1
                    continue
            except (NoAnswerError, ServerFailedError) as error:
                self.show(f"{error}; trying again")
            failures += 1
            await self.sleep(min(2.0 ** min(failures - 1, 10), _LONGEST_WAIT))

    async def replay(self, listener_id: int, since: datetime, until: datetime | None) -> None:
        """Forward the messages of a window of time again; the position stays.

        Args:
            listener_id: the number of the listener.
            since: the first instant of the window.
            until: the instant before which the window ends; None for the position.
        """
        view = await self.client.webhooks.read_listener(listener_id)
        after, failures, is_over = 0, 0, False
        while not is_over:
            found = await self.client.webhooks.fetch_messages(
                listener_id, after=after, since=since, until=until, limit=1
            )
            is_over = not found["has_more"]
            for message in found["data"]:
                if until is None and message["number"] > view["position"]:
                    return
                if not await self._forward(message["headers"], message["body"]):
                    failures += 1
                    is_over = False
                    await self.sleep(min(2.0 ** min(failures - 1, 10), _LONGEST_WAIT))
                    break
            else:
                after, failures = found["position"], 0

    async def _forward(self, headers: dict[str, str], body: str) -> bool:
        """Forward a message; return whether the position may move past the message."""
        answer = await self.forwarder.forward(headers, body.encode())
        is_accepted = 200 <= answer.status < 300
        time = self.clock.now().strftime("%H:%M:%SZ")
        lines = [f"{time} {headers['webhook-id']} answered {answer.status}"]
        if not is_accepted and answer.text:
            lines.append(answer.text[:200])
        if not is_accepted:
            lines.append("left out" if self.skip_refused else "trying again")
        self.show("; ".join(map(escape_line, lines)))
        return is_accepted or self.skip_refused

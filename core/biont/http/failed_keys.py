"""Failed keys: requests with a wrong API key, each address of which is held off longer.

A key has 256 random bits, which cannot be guessed. The limit protects the log and the processor,
and names the address to programs such as fail2ban.
"""

from __future__ import annotations

from dataclasses import dataclass

import structlog

from biont.exceptions import RateExceeded
from biont.http.client_address import find_client_network
from biont.http.rate_limit import RateLimit
from biont.settings.limits_section import Rate

_NAME = "failed-keys"
_LONGEST_BLOCK = 900.0
_MOST_ADDRESSES = 10_000

_log = structlog.get_logger("biont.keys")


@dataclass(slots=True)
class _Block:
    until: float
    seconds: float


class FailedKeys:
    """Requests with a wrong API key, by address.

    Args:
        rate: the requests of an address that are answered with 401. Each further request is
            answered with 429, and blocks wrong keys from the address for twice as long as before.
    """

    def __init__(self, rate: Rate) -> None:
        self._limit = RateLimit[str](_NAME, rate)
        self._blocks: dict[str, _Block] = {}

    def note(self, address: str, reason: str, now: float) -> None:
        """Note a request with a wrong key.

        Args:
            address: the address of the client.
            reason: the problem of the key, for the log.
            now: the present instant, in seconds.

        Raises:
            RateExceeded: the address has sent too many wrong keys.
        """
        client = find_client_network(address)
        block = self._blocks.get(client)
        if block is not None and now < block.until <= now + block.seconds:
            raise RateExceeded(_NAME, self._limit.policy, block.until - now)
        try:
            self._limit.take(client, now)
        except RateExceeded as error:
            self._block(client, block, now)
            raise RateExceeded(
                _NAME, self._limit.policy, self._blocks[client].until - now
            ) from error
        if (
            block is not None
            and self._limit.count_left(client, now) == self._limit.rate.amount - 1
        ):
            # The address was silent until its bucket was full again.
            del self._blocks[client]
        _log.warning("an API key was refused", address=address, reason=reason)

    def _block(self, client: str, earlier: _Block | None, now: float) -> None:
        seconds = 1.0 if earlier is None else min(earlier.seconds * 2, _LONGEST_BLOCK)
        if client not in self._blocks and len(self._blocks) >= _MOST_ADDRESSES:
            # The oldest, which dictionaries have first.
            del self._blocks[next(iter(self._blocks))]
        self._blocks[client] = _Block(now + seconds, seconds)
        _log.warning("wrong API keys are blocked", address=client, seconds=seconds)

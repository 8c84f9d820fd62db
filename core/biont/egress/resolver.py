"""Resolver guard: resolves names, and refuses a name if any of its addresses is forbidden.

Using only the allowed addresses would hide an attack, or an operator's mistake: connections
would work now and then.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence
from ipaddress import ip_address

from aiohappyeyeballs import AddrInfoType
from aiohttp.abc import AbstractResolver, ResolveResult

from biont.egress.policy import EgressPolicy
from biont.exceptions import RequestFailed, RequestStep

# Requests in a burst share a look-up, and an endpoint that moves is found within seconds. A
# stale address is no danger, because the policy checks the address at each connect again.
_KEPT_SECONDS = 10.0
_KEPT_NAMES = 1024


class GuardedResolver:
    """Resolves names to allowed addresses.

    Args:
        policy: checks each address.
        resolver: resolves names. The caller closes it.
    """

    def __init__(self, policy: EgressPolicy, resolver: AbstractResolver) -> None:
        self._policy = policy
        self._resolver = resolver
        self._kept: dict[tuple[str, int], tuple[float, asyncio.Task[list[ResolveResult]]]] = {}

    async def resolve(self, host: str, port: int) -> Sequence[AddrInfoType]:
        """Return the addresses of `host`, each with `port`.

        Raises:
            ForbiddenAddress: the policy forbids an address.
            RequestFailed: the name has no address, or the resolver does not answer.
        """
        try:
            # Shielded: others may wait for the same look-up.
            results = await asyncio.shield(self._look_up(host, port))
        except OSError as error:
            reason = error.strerror or str(error)
            raise RequestFailed(
                f"no address found for {host}: {reason}", RequestStep.RESOLVE
            ) from error
        if not results:
            raise RequestFailed(f"no address found for {host}", RequestStep.RESOLVE)
        for result in results:
            self._policy.check_address(result["host"], result["port"], host=host)
        return [make_address_info(result["host"], result["port"]) for result in results]

    def _look_up(self, host: str, port: int) -> asyncio.Task[list[ResolveResult]]:
        loop = asyncio.get_running_loop()
        key, now = (host, port), loop.time()
        expires, task = self._kept.get(key, (0.0, None))
        if task is not None and now < expires and not _has_failed(task):
            return task
        # Removed first, so that the new entry is the newest.
        self._kept.pop(key, None)
        while len(self._kept) >= _KEPT_NAMES:
            del self._kept[next(iter(self._kept))]
        task = loop.create_task(self._resolver.resolve(host, port, socket.AF_UNSPEC))
        self._kept[key] = (now + _KEPT_SECONDS, task)
        return task


def make_address_info(address: str, port: int) -> AddrInfoType:
    """Return what a socket needs to connect to an IP address."""
    family = socket.AF_INET6 if ip_address(address).version == 6 else socket.AF_INET
    return family, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (address, port)


def _has_failed(task: asyncio.Task[list[ResolveResult]]) -> bool:
    return task.done() and (task.cancelled() or task.exception() is not None)

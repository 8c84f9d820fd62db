"""The log of refused keys, as the documented filter of fail2ban reads it."""

from __future__ import annotations

import configparser
import re
from pathlib import Path

import aiohttp
from conftest import StartServer

GUIDE = Path(__file__).parents[2] / "docs/how-to/let-strangers-in.md"
FORWARDED = {
    "198.51.100.9": "198.51.100.9",
    # A client may send the header too: only what trusted proxies have added counts.
    "192.0.2.1, 198.51.100.10": "198.51.100.10",
    "198.51.100.11, 10.1.2.3": "198.51.100.11",
    "192.0.2.1, 198.51.100.12, 11.2.2.3": "11.2.2.3",
    "nonsense, 10.1.2.4": "10.1.2.4",
    "nonsense": "127.0.0.1",
    "2001:db8::7": "2001:db8::7",
}


def read_filter() -> re.Pattern[str]:
    """Return the expression of the guide, with fail2ban's tag for an address."""
    text = GUIDE.read_text().partition("```ini\n")[2].partition("```")[0]
    parser = configparser.RawConfigParser()
    parser.read_string(text)
    expression = parser["Definition"]["failregex"]
    return re.compile(expression.replace("<ADDR>", "(?P<address>[0-9a-fA-F.:]+)"))


async def test_the_filter_for_fail2ban_finds_the_address_of_each_refused_key(
    start_server: StartServer,
) -> None:
    server = await start_server(server={"trusted_proxies": ["127.0.0.1", "10.0.0.0/8"]})
    async with aiohttp.ClientSession() as session:  # noqa: TID251  # a client of the server
        for forwarded in FORWARDED:
            headers = {"X-API-Key": "asb_" + "0" * 64, "X-Forwarded-For": forwarded}
            async with session.get(f"{server.url}/api/v1/notes", headers=headers) as answer:
                assert answer.status == 401
    found = [read_filter().search(line) for line in server.read_log().splitlines()]
    addresses = [match["address"] for match in found if match is not None]
    assert addresses == list(FORWARDED.values())

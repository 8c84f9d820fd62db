"""Egress policy: decides which URLs and addresses requests may go to.

A request passes three checks, each by the same policy:

    1. `check_url` before anything else: scheme, user name, port, and a host that is an address.
    2. `check_address` for each address that the resolver returns.
    3. `check_address` for the address of each socket, just before the socket is opened.

Check 2 is not enough: a name may resolve to a public address first and to a private address
later (DNS rebinding), and nobody resolves an address literal. Check 3 is not enough either:
the error would come late, and for one of several addresses only. The URL is parsed once; the
parsed object is what the client gets, so that no second parser can read another host from it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from ipaddress import ip_address

from yarl import URL

from biont.egress.addresses import IPAddress, is_metadata, is_public
from biont.egress.allowlist import NAME, Allowlist, looks_like_address
from biont.exceptions import ForbiddenAddress

URL_LIMIT = 4096
"""Largest length of a URL, in characters."""

# Enough for the webhooks of a busy workbench; a URL has at most 4096 characters.
_CACHED_URLS = 1024
_UNSAFE = re.compile(r"[\s\\\x00-\x1f\x7f-\x9f]")


class EgressPolicy:
    """Immutable policy for the targets of outgoing requests.

    Public addresses are allowed, all other addresses need an exception, and no exception can
    allow a cloud's metadata service.

    Args:
        allow: the operator's exceptions: ``cidr:port`` (``127.0.0.0/8:9000``,
            ``[fd00::/8]:443``), ``address:port`` or ``name:port`` each; ``*`` means every port.

    Raises:
        ValueError: an exception is malformed; the message quotes the exception.
    """

    def __init__(self, allow: Sequence[str] = ()) -> None:
        self._allowlist = Allowlist(allow)
        # The policy never changes, and each delivery to a busy webhook checks the same URL.
        self._check_url_cached = lru_cache(_CACHED_URLS)(self._check_url)

    def check_url(self, url: str | URL) -> URL:
        """Return `url` as a parsed object, the only form to pass on.

        This check resolves no name; the addresses of a name are checked at each connect.

        Raises:
            ForbiddenAddress: the URL is not plain http or https, or the policy forbids its
                host; the message has no part of the URL but the host.
        """
        return self._check_url_cached(url)

    def check_address(self, address: str, port: int, *, host: str | None = None) -> None:
        """Check that a connection to `address` at `port` is allowed.

        Args:
            address: an IP address in its usual spelling.
            port: the TCP port.
            host: the name that was resolved to `address`, or None; an exception for this name
                also allows the address.

        Raises:
            ForbiddenAddress: the connection is forbidden; the message has the exception that
                would allow the connection.
        """
        parsed = _parse_address(address)
        subject = f"{host} resolves to {address}" if host else address
        if parsed is None:
            raise ForbiddenAddress(f"{subject}: this is not an IP address to connect to")
        if is_metadata(parsed):
            raise ForbiddenAddress(
                f"{subject}: this leads to a cloud's metadata service, which no setting permits"
            )
        if not (is_public(parsed) or self._allowlist.covers(parsed, port, host)):
            target = host or (f"[{address}]" if parsed.version == 6 else address)
            raise ForbiddenAddress(
                f"{subject}: this is not a public address; the operator can permit it with "
                f'"{target}:{port}" in the setting egress.allow of the configuration file'
            )

    def _check_url(self, url: str | URL) -> URL:
        parsed = url if isinstance(url, URL) else _parse_url(url)
        host, port = parsed.raw_host, parsed.port
        if parsed.scheme not in {"http", "https"}:
            raise ForbiddenAddress("the URL must begin with http:// or https://")
        if not host:
            raise ForbiddenAddress("the URL names no host")
        if parsed.raw_user is not None or parsed.raw_password is not None:
            raise ForbiddenAddress(
                f"the URL for host {host} has a user name or password; send them in a header"
            )
        if not port:
            raise ForbiddenAddress(f"the URL for host {host} needs a port of 1-65535")
        self._check_host(host, port)
        return parsed

    def _check_host(self, host: str, port: int) -> None:
        if looks_like_address(host):
            self._check_literal(host, port)
        elif not NAME.fullmatch(host):
            raise ForbiddenAddress(f"host {host!r} is not a name that can be resolved")
        elif f".{host.rstrip('.')}".endswith(".localhost"):
            # By RFC 6761 each name below localhost is the loopback: refuse the URL at once.
            self.check_address("127.0.0.1", port, host=host)

    def _check_literal(self, host: str, port: int) -> None:
        # Programs disagree on the meaning of 127.1, 0177.0.0.1 and 127.0.0.1.: refuse all.
        if _parse_address(host) is None:
            raise ForbiddenAddress(
                f"host {host!r} looks like an IP address in an unusual form; write four "
                "decimal numbers, or IPv6 in brackets without a zone"
            )
        self.check_address(host, port)


def _parse_url(text: str) -> URL:
    # yarl removes some of these characters silently; then two parsers read two different URLs.
    if _UNSAFE.search(text):
        raise ForbiddenAddress(
            "the URL has spaces, control characters or backslashes; encode them"
        )
    if len(text) > URL_LIMIT:
        raise ForbiddenAddress(
            f"the URL has {len(text)} characters; at most {URL_LIMIT} are allowed"
        )
    try:
        return URL(text)
    except ValueError:
        # yarl's message may quote a password, so the cause is dropped.
        raise ForbiddenAddress("the URL cannot be parsed; check its host and port") from None


def _parse_address(text: str) -> IPAddress | None:
    """Return the address that `text` spells in the usual form; None for any other text."""
    if "%" in text:
        return None
    try:
        return ip_address(text)
    except ValueError:
        return None

"""The judgement of URLs and addresses."""

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
"""The length that a URL may have, in characters."""

_CACHED_URLS = 1024
_UNSAFE = re.compile(r"[\s\\\x00-\x1f\x7f-\x9f]")


class EgressPolicy:
    """Decides where requests may go; it never changes.

    Public addresses are permitted, all others need an exception, and those of
    cloud metadata services cannot be permitted at all.

    Args:
        allow: the operator's exceptions, each as ``cidr:port``
            (``127.0.0.0/8:9000``, ``[fd00::/8]:443``; a bare address is a network
            of one) or ``name:port``; ``*`` stands for every port.

    Raises:
        ValueError: an exception has another form; the message quotes it.
    """

    def __init__(self, allow: Sequence[str] = ()) -> None:
        self._allowlist = Allowlist(allow)
        # The verdict on a URL never changes, and a busy webhook's is asked for at each request.
        self._judge = lru_cache(_CACHED_URLS)(self._judge_url)

    def check_url(self, url: str | URL) -> URL:
        """Return `url` as the object to pass on, so that nobody parses it differently.

        A name is not resolved here: its addresses are judged as they are connected to.

        Raises:
            ForbiddenAddress: the URL is not plain http or https, or its host may
                not be spoken to; the message shows no more of it than the host.
        """
        return self._judge(url)

    def check_address(self, address: str, port: int, *, host: str | None = None) -> None:
        """Return if a connection to `address` at `port` is permitted.

        Args:
            address: an IP address in its usual spelling.
            port: the TCP port.
            host: the name that was resolved to `address`, if one was; an
                exception for this name then holds for the address too.

        Raises:
            ForbiddenAddress: the connection is not permitted; the message says
                which exception would change that.
        """
        judged = _parse_address(address)
        subject = f"{host} resolves to {address}" if host else address
        if judged is None:
            raise ForbiddenAddress(f"{subject}: this is not an IP address to connect to")
        if is_metadata(judged):
            raise ForbiddenAddress(
                f"{subject}: this leads to a cloud's metadata service, which no setting permits"
            )
        if not (is_public(judged) or self._allowlist.covers(judged, port, host)):
            target = host or (f"[{address}]" if judged.version == 6 else address)
            raise ForbiddenAddress(
                f"{subject}: this is not a public address; the operator can permit it with "
                f'"{target}:{port}" in the setting egress.allow of the configuration file'
            )

    def _judge_url(self, url: str | URL) -> URL:
        parsed = url if isinstance(url, URL) else _parse_url(url)
        host, port = parsed.raw_host, parsed.port
        if parsed.scheme not in {"http", "https"}:
            raise ForbiddenAddress("the URL must begin with http:// or https://")
        if not host:
            raise ForbiddenAddress("the URL names no host")
        if parsed.raw_user is not None or parsed.raw_password is not None:
            raise ForbiddenAddress(
                f"the URL for host {host} bears a user name or password; use a header for those"
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
            # By RFC 6761 each name under localhost is the loopback: say so before it is tried.
            self.check_address("127.0.0.1", port, host=host)

    def _check_literal(self, host: str, port: int) -> None:
        # Programs disagree on what 127.1, 0177.0.0.1 or 127.0.0.1. means: refuse, do not guess.
        if _parse_address(host) is None:
            raise ForbiddenAddress(
                f"host {host!r} looks like an IP address, but is not spelled as one; write four "
                "decimal numbers, or IPv6 in brackets without a zone"
            )
        self.check_address(host, port)


def _parse_url(text: str) -> URL:
    # yarl strips or drops some of these without a word; then two readers see two URLs.
    if _UNSAFE.search(text):
        raise ForbiddenAddress(
            "the URL has spaces, control characters or backslashes; encode them"
        )
    if len(text) > URL_LIMIT:
        raise ForbiddenAddress(
            f"the URL has {len(text)} characters of the {URL_LIMIT} it may have"
        )
    try:
        return URL(text)
    except ValueError:
        # The message of yarl may quote a password, so it goes no further.
        raise ForbiddenAddress("the URL cannot be parsed; check its host and port") from None


def _parse_address(text: str) -> IPAddress | None:
    """Return the address that `text` spells as usual; one with a zone is none."""
    if "%" in text:
        return None
    try:
        return ip_address(text)
    except ValueError:
        return None

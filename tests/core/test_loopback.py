"""The guard that keeps every test on this machine."""

from __future__ import annotations

import socket

import pytest

from biont.testing import LeftLoopback


@pytest.mark.parametrize("host", ["198.51.100.1", "10.0.0.1", "0.0.0.0", "169.254.169.254"])  # noqa: S104  # refused
def test_a_connection_beyond_the_loopback_is_refused(host: str) -> None:
    with socket.socket() as opened, pytest.raises(LeftLoopback):
        opened.connect((host, 80))


def test_name_resolution_is_refused() -> None:
    with pytest.raises(LeftLoopback):
        socket.getaddrinfo("example.com", 80)


def test_the_loopback_is_allowed() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname()).close()

"""Receiver with TLS: ``python -m support.receivers.tls PORT CERTIFICATE KEY``.

Writes the id of each request, and a line ``handshake`` for each connection, to the file in the
variable RECEIVED.
"""

from __future__ import annotations

import asyncio
import ssl
import sys

from support.receivers.apps import write_id


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer the requests of a connection."""
    write_id("handshake")
    while head := await reader.readuntil(b"\r\n\r\n"):
        lines = head.decode().lower().split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines[1:] if line)
        await reader.readexactly(int(headers["content-length"]))
        write_id(headers["webhook-id"])
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")


async def receive(port: int, certificate: str, key: str) -> None:
    """Serve until the process is ended."""

    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await answer(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    server = await asyncio.start_server(speak, "127.0.0.1", port, ssl=context)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(receive(int(sys.argv[1]), *sys.argv[2:]))

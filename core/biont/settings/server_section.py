"""Section ``server`` of the settings."""

from __future__ import annotations

import re
from ipaddress import ip_network
from typing import Annotated

from pydantic import AfterValidator, Field

from biont.settings.section import Seconds, Section

_ORIGIN = re.compile(
    r"(?P<scheme>[a-z][a-z0-9+.-]{0,30})://"
    r"(?P<host>[a-z0-9._-]{1,253}|\[[0-9a-f:.]{2,45}\])"
    r"(?P<port>:[0-9]{1,5})?(?P<rest>.*)",
    re.DOTALL,
)
_DEFAULT_PORTS = {("http", ":80"), ("https", ":443")}


def _read_origin(text: str) -> str:
    """Return an origin as browsers send it, or ``*``."""
    origin = text.lower()
    if origin == "*":
        return origin
    if "*" in origin:
        raise ValueError("cannot have * in a part; name each origin, or give * alone for all")
    if origin == "null":
        raise ValueError("stands for any page without an origin; give * for all pages")
    found = _ORIGIN.fullmatch(origin)
    if found is None:
        raise ValueError("must be a scheme and a host: https://app.example.com")
    if found["rest"]:
        raise ValueError(
            "must end after the host or the port, without a path or slash: https://app.example.com"
        )
    if found["port"] is not None and not 0 < int(found["port"][1:]) <= 65535:
        raise ValueError("must have a port from 1 to 65535")
    if (found["scheme"], found["port"]) in _DEFAULT_PORTS:
        return origin.rpartition(":")[0]
    return origin


def _read_network(text: str) -> str:
    """Return an address or network as it is."""
    try:
        ip_network(text)
    except ValueError as error:
        raise ValueError("must be an address, or a network such as 10.0.0.0/8") from error
    return text


Network = Annotated[str, AfterValidator(_read_network)]
Origin = Annotated[str, AfterValidator(_read_origin)]


class ServerSettings(Section):
    """Settings of the HTTP server."""

    host: str = Field("127.0.0.1", min_length=1, description="Address to listen on.")
    port: int = Field(8080, ge=0, le=65535, description="Port to listen on; 0 for a free port.")
    shutdown_timeout: Seconds = Field(
        10.0,
        description="Seconds that stopping may take before unfinished work is cancelled.",
    )
    stall_limit: Seconds = Field(
        1.0,
        description="Seconds that code may block the event loop before the block is reported.",
    )
    body_limit: int = Field(
        1024 * 1024, gt=0, description="Largest request body, in bytes; a larger body gets 413."
    )
    head_timeout: Seconds = Field(
        15.0, description="Seconds until the head of a connection's first request is complete."
    )
    body_timeout: Seconds = Field(
        60.0, description="Seconds that the body of a request may take; a slower body gets 408."
    )
    idle_timeout: Seconds = Field(
        75.0,
        description="Seconds from an answer until the head of the next request is complete; "
        "then the connection is closed.",
    )
    write_timeout: Seconds = Field(
        60.0,
        description="Seconds for which a client may accept no byte of its answer; then the "
        "connection is dropped.",
    )
    connections: int = Field(
        0,
        ge=0,
        description="Largest number of connections; 0 for as many as the limit of open files "
        "permits, of which a quarter is kept for other parts.",
    )
    idempotency_hours: int = Field(
        24,
        ge=1,
        le=24 * 365,
        description="Hours for which the answer to a request with an Idempotency-Key is kept.",
    )
    docs: bool = Field(
        True,
        description="Whether everybody may read the pages /docs and /llms.txt, openapi.json and "
        "asyncapi.json. If false, there are no pages, and the two documents need an API key.",
    )
    trusted_proxies: tuple[Network, ...] = Field(
        (),
        description="Addresses or networks of proxies, such as 10.0.0.0/8, whose X-Forwarded-For "
        "names the client.",
    )
    cors_origins: tuple[Origin, ...] = Field(
        (),
        description="Origins of web pages that may use the API from a browser: "
        "https://app.example.com each, or * for all.",
    )

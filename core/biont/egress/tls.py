"""TLS of outgoing connections: the context, and the reasons of failures in plain words."""

from __future__ import annotations

import ssl
from pathlib import Path

# Codes of X509_verify_cert(3) in OpenSSL.
_REASONS = {
    9: "shows a certificate that is not valid yet",
    10: "shows a certificate that has expired",
    18: "shows a certificate that no authority has signed; add it to the file of egress.ca_file",
    19: "shows a certificate of an unknown authority; add the authority to the file of "
    "egress.ca_file",
    20: "shows a certificate of an unknown authority; add the authority to the file of "
    "egress.ca_file",
    21: "shows a certificate of an unknown authority; add the authority, and each one between, "
    "to the file of egress.ca_file",
    23: "shows a certificate that was revoked",
    62: "shows a certificate for another host",
    64: "shows a certificate for another address",
}


def make_tls_context(ca_file: Path | None) -> ssl.SSLContext:
    """Return a context that checks certificates against the system's authorities.

    Args:
        ca_file: a PEM file with further authorities.

    Raises:
        ValueError: the file cannot be read, or has no certificate; the message names the file.
    """
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    if ca_file is not None:
        try:
            context.load_verify_locations(cafile=ca_file)
        except ssl.SSLError:
            raise ValueError(f"{ca_file} has no certificate in PEM format") from None
        except OSError as error:
            raise ValueError(f"{ca_file} cannot be read: {error.strerror}") from None
    return context


def describe_tls_error(error: ssl.SSLError) -> str:
    """Return the reason for which no TLS connection came about, as the end of a sentence."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return _REASONS.get(
            error.verify_code, f"shows a certificate is refused: {error.verify_message}"
        )
    if error.reason == "WRONG_VERSION_NUMBER":
        return "does not speak TLS; try http:// instead of https://"
    return f"fails to begin TLS: {error.reason or error}"

"""Redaction of secrets in texts that are stored or shown, such as tracebacks.

This module finds secrets by their form. Where the secret is known, the module that knows it
redacts it: `biont.settings.error_messages` the values of settings, `biont_llm.openai.client` the
key of the model server, `biont_webhooks.subscription.custom_headers` the values of headers.
"""

from __future__ import annotations

import re

REDACTED = "***"

# By form, not by known values: tracebacks quote secrets that the process cannot list, such as
# those in answers of other systems. Each alternative has one group, the part that is kept.
_SECRETS = re.compile(
    r"""
      (?P<key>\basb_)[0-9a-f]{8,}                               # our API keys
    | (?P<webhook>\bwhsec_)[A-Za-z0-9+/=]{8,}                   # webhook secrets
    | (?P<model>\bsk-)[A-Za-z0-9_-]{8,}                         # keys of model servers
    | (?P<scheme>\b(?:Bearer|Basic)\s+)[A-Za-z0-9+/=._~-]{8,}   # Authorization headers
    | (?P<user>://[^/\s:@]*:)[^/\s@]+(?=@)                      # passwords in URLs
    | (?P<name>\b[\w-]*(?:password|passwd|secret|token|api_?key)['"]?\s*[:=]\s*['"]?)
      [^\s'",;&)}\]]+
    """,
    re.VERBOSE | re.IGNORECASE,
)


def redact_secrets(text: str) -> str:
    """Return `text` with keys, tokens and passwords replaced by `REDACTED`."""
    return _SECRETS.sub(lambda found: f"{found[found.lastgroup or 0]}{REDACTED}", text)

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
#
# Anybody can choose the text, so the time must grow linearly with its length: no alternative
# begins with a repetition, and a repetition ends at the first character that cannot follow.
# Written out in both cases, because IGNORECASE takes half as long again.
_SECRETS = re.compile(
    r"""
      (?P<key>[aA][sS][bBfF]_)[0-9a-fA-F]{8,}                             # our keys and feeds
    | (?P<webhook>[wW][hH][sS][eE][cC]_)[A-Za-z0-9+/=]{8,}                # webhook secrets
    | (?P<model>\b[sS][kK]-)[A-Za-z0-9_-]{8,}                             # keys of model servers
    | (?P<service>\b(?:gh[opsu]_|github_pat_|glpat-|xox[abeoprs]-|AKIA|[rs]k_(?:live|test)_|eyJ))
      [A-Za-z0-9_.-]{8,}                                                  # keys of services, JWT
    | (?P<scheme>[bB](?:[eE][aA][rR][eE][rR]|[aA][sS][iI][cC])\s+)        # Authorization headers
      [A-Za-z0-9+/=._~-]{8,}
    | (?P<user>://[^/\s:@]*:)[^/\s]+(?=@)                                 # passwords in URLs
    | (?P<header>[aA]uthorization(?:\\{0,8}['"])?\s*[:=]\s*(?:\\{0,8}['"])?(?:[A-Za-z]+\s+)?)
      [^\s'",;]+
    | (?P<cookie>[cC]ookie(?:\\{0,8}['"])?\s*[:=]\s*(?:\\{0,8}['"])?)[^\n'"]+
    | (?P<name>
        (?: [pP][aA][sS][sS](?:[wW][oO][rR][dD]|[wW][dD]|[pP][hH][rR][aA][sS][eE])
          | \b[pP][wW][dD]
          | (?:[aA][cC][cC][eE][sS][sS]|[pP][rR][iI][vV][aA][tT][eE])[_-]?[kK][eE][yY]
          | [sS][eE][cC][rR][eE][tT]
          | [tT][oO][kK][eE][nN]
          | [aA][pP][iI][_-]?[kK][eE][yY]
        )
        # A text in a text in JSON has backslashes before its quotes.
        (?:\\{0,8}['"])?\s*(?:[:=]>?|%3[dD]|>)\s*(?:\\{0,8}['"])?
      )
      [^\s'",;&)}\]\\<]+
    | (?P<option>--(?:password|passphrase|secret|token|api-key)\s+)[^\s'"]+  # command lines
    """,
    re.VERBOSE,
)
_SECRET_NAME = re.compile(r"(?i:password|passwd|secret|token|api[_-]?key|authorization)\Z")


def redact_secrets(text: str) -> str:
    """Return `text` with keys, tokens and passwords replaced by `REDACTED`.

    The time is linear, about 0.1 s for 1 MiB. Shorten a text whose length others decide, with
    `shorten_text`, before the event loop redacts it.
    """
    return _SECRETS.sub(lambda found: f"{found[found.lastgroup or 0]}{REDACTED}", text)


def is_secret_name(name: str) -> bool:
    """Return whether a value with this name is a secret, such as that of ``api_key``."""
    return _SECRET_NAME.search(name) is not None

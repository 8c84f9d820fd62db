"""Texts of exceptions that are safe to store, log and show.

An exception quotes its cause, which may be a megabyte of somebody's payload with a password
inside. These functions bound the length first, because redaction takes time for each character,
and then redact secrets. They never raise: an exception may have a broken `__str__`.
"""

from __future__ import annotations

import traceback

from biont.security.redaction import redact_secrets

TEXT_LIMIT = 16_384
"""The longest text of an exception or of a value in the log, in characters."""

_TAIL_SHARE = 4


def shorten_text(text: str, limit: int = TEXT_LIMIT) -> str:
    """Return `text`, or its beginning and last lines when it is longer than `limit`.

    The end is kept because the last lines of a traceback name the error.
    """
    if len(text) <= limit:
        return text
    head, tail = text[: limit - limit // _TAIL_SHARE], text[-(limit // _TAIL_SHARE) :]
    # Only whole lines: the rest of a cut line could be a secret whose name was cut off.
    tail = tail.partition("\n")[2]
    left_out = len(text) - len(head) - len(tail)
    return f"{head} ... [{left_out} characters left out]\n{tail}".rstrip("\n")


def describe_exception(error: BaseException, limit: int = TEXT_LIMIT) -> str:
    """Return type and message of `error`, such as ``ValueError: not a number``."""
    name, message = type(error).__name__, _read_message(error)
    return redact_secrets(shorten_text(f"{name}: {message}" if message else name, limit))


def explain_exception(error: BaseException) -> str:
    """Return the message of `error`; type and message where the message is empty."""
    message = _read_message(error)
    return redact_secrets(shorten_text(message)) if message else type(error).__name__


def format_traceback(error: BaseException) -> str:
    """Return the traceback of `error` with its causes; else type and message."""
    try:
        text = "".join(traceback.format_exception(error))
    except BaseException:  # noqa: BLE001  # a broken attribute, or groups nested too deeply
        return describe_exception(error)
    return redact_secrets(shorten_text(text))


def _read_message(error: BaseException) -> str:
    try:
        return str(error)
    except BaseException:  # noqa: BLE001  # a broken `__str__`, or one that calls `sys.exit`
        return ""

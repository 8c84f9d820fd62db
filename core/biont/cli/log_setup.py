"""Log setup of the command line: JSON lines on standard error, or colour on a terminal.

All records end in one chain: those of structlog and those of the standard library's `logging`,
which aiohttp, asyncio and most other libraries use. The chain adds level, logger, time and the
request id, turns exceptions into text, and redacts secrets. So each line is one JSON object.
"""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Mapping
from types import TracebackType
from typing import TYPE_CHECKING

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from biont.runtime.log_tail import LogTail
from biont.security.error_texts import TEXT_LIMIT, format_traceback, shorten_text
from biont.security.redaction import REDACTED, is_secret_name, redact_secrets

if TYPE_CHECKING:
    from biont.settings.sections import LogSettings

# Libraries that report each request or job at level info.
_QUIET = (
    "aiohttp",
    "apscheduler",
    "asyncio",
    "httpcore",
    "httpcore2",
    "httpx",
    "httpx2",
    "openai",
    "peewee",
)
_DEPTH = 4
_MEMBERS = 100

_log = structlog.get_logger("biont")


def configure_logs(settings: LogSettings | None = None) -> LogTail:
    """Send the log of this process to standard error, and return the tail of the log.

    Only commands call this function.

    Args:
        settings: levels and format; None for the defaults, while the settings are not read.
    """
    levels = {"default": "info"} if settings is None else settings.levels
    has_colour = sys.stderr.isatty() if settings is None else settings.has_colour(sys.stderr)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_make_formatter(has_colour=has_colour))
    tail = LogTail(_make_formatter(has_colour=False))
    logging.basicConfig(handlers=[handler, tail], level=levels["default"].upper(), force=True)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    for name, level in levels.items():
        if name != "default":
            logging.getLogger(name).setLevel(level.upper())
    logging.getLogger("aiohttp.server").addFilter(_calm_client_errors)
    logging.captureWarnings(capture=True)
    sys.excepthook = _log_uncaught
    threading.excepthook = _log_uncaught_in_thread
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_make_chain(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
    )
    return tail


def _make_formatter(*, has_colour: bool) -> logging.Formatter:
    # JSON for everything that a program reads; `repr` for values that JSON does not know.
    renderer: Processor = structlog.processors.JSONRenderer(default=repr)
    if has_colour:
        renderer = structlog.dev.ConsoleRenderer()
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=_make_chain(),
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            _format_exception,
            _redact,
            renderer,
        ],
    )


def _make_chain() -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]


def _format_exception(_: WrappedLogger, __: str, record: EventDict) -> EventDict:
    error = record.pop("exc_info", None)
    if error is True:
        error = sys.exc_info()
    if isinstance(error, tuple):
        error = error[1]
    if isinstance(error, BaseException):
        record["exception"] = format_traceback(error)
    return record


def _redact(_: WrappedLogger, __: str, record: EventDict) -> EventDict:
    return {name: _redact_value(name, value) for name, value in record.items()}


def _redact_value(name: str, value: object, depth: int = 0) -> object:
    """Return a value that is safe to write: bounded, and without secrets."""
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, int):
        return value if value.bit_length() <= 64 else f"an integer of {value.bit_length()} bits"
    if is_secret_name(name):
        return REDACTED
    if isinstance(value, Mapping) and depth < _DEPTH:
        members = list(value.items())[:_MEMBERS]
        return {str(key): _redact_value(str(key), item, depth + 1) for key, item in members}
    if isinstance(value, list | tuple | set | frozenset) and depth < _DEPTH:
        return [_redact_value(name, item, depth + 1) for item in list(value)[:_MEMBERS]]
    return redact_secrets(shorten_text(_write_text(value), TEXT_LIMIT))


def _write_text(value: object) -> str:
    try:
        return value if isinstance(value, str) else repr(value)
    except BaseException:  # noqa: BLE001  # a broken `__repr__` must not lose the record
        return f"<{type(value).__name__}>"


def _calm_client_errors(record: logging.LogRecord) -> bool:
    """Log a request that aiohttp cannot parse at level debug: anybody can send such requests."""
    from aiohttp.http_exceptions import HttpProcessingError

    error = record.exc_info[1] if record.exc_info else None
    if not isinstance(error, HttpProcessingError | ConnectionError):
        return True
    if logging.getLogger("biont.http").isEnabledFor(logging.DEBUG):
        structlog.get_logger("biont.http").debug("malformed request", reason=error)
    return False


def _log_uncaught(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
        return
    _log.critical("the process ends by an error", exc_info=error)


def _log_uncaught_in_thread(arguments: threading.ExceptHookArgs) -> None:
    name = arguments.thread.name if arguments.thread else None
    _log.critical("a thread has ended by an error", thread=name, exc_info=arguments.exc_value)

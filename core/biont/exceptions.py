"""Errors that Biont raises on purpose, all below one base class.

Each message names the culprit and the remedy. Only the HTTP boundary
(`biont.http.error_responses`) translates these classes into HTTP statuses.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import ceil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import ValidationError
    from pydantic_core import ErrorDetails

Location = tuple[int | str, ...]
"""Keys and indexes that lead to a place in a JSON document."""

PROBLEM_LIMIT = 100
"""The largest number of problems that one error names."""

_PLACE_LIMIT = 500
_DETAIL_LIMIT = 1000


class BiontError(Exception):
    """Base class of all errors that Biont raises on purpose.

    Attributes:
        retry_after: the seconds after which another try may succeed; None if unknown.
    """

    # On the class, so that every error has the attribute without an `__init__` of its own.
    retry_after: float | None = None


class SettingsError(BiontError):
    """The configuration is invalid.

    Attributes:
        problems: a line for each problem: ``file:line:column: key: remedy``.
    """

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = list(problems)


class PluginError(BiontError):
    """A plugin breaks the contract of `biont.contract.hookspecs`."""

    @classmethod
    def from_conflict(cls, name: str, first: str, second: str) -> PluginError:
        """Return an error for a name that two owners define, each a plugin or ``core``."""
        if first == second:
            return cls(f"{name} is defined twice; remove or rename one of the two")
        # The core cannot be disabled.
        plugins = [owner for owner in (first, second) if owner != "core"]
        choice = plugins[0] if len(plugins) == 1 else "one of them"
        return cls(
            f"{name} is defined by both {first} and {second}; "
            f"disable {choice} under plugins.disable"
        )


class PluginExit(BiontError):
    """Code of a plugin raised an exception that would end the process, or its caller's task."""


class StoreUnavailable(BiontError):
    """The database cannot be reached, is locked or is full; nothing was written."""


class StoreDamaged(StoreUnavailable):
    """The file of the database is damaged; another try fails as well."""


class StoreFailed(BiontError):
    """The store has stopped for good, and the process ends because of that."""


class StoreConflict(BiontError):
    """The database belongs to another process or to a newer version."""


class VaultError(BiontError):
    """An encrypted value cannot be decrypted with the operator's keys."""


class NotFound(BiontError):
    """The requested object does not exist, or belongs to another user."""


class Conflict(BiontError):
    """The request does not fit the present state of the object."""


class PreconditionFailed(BiontError):
    """The object is not in the state that the request asks for; nothing was changed."""


class QuotaExceeded(Conflict):
    """The user has as many objects of a kind as the operator permits."""

    def __init__(self, name: str, limit: int, setting: str) -> None:
        super().__init__(
            f"you have used up the quota {name} of {limit}, the setting {setting}; "
            "delete some first"
        )


class RateExceeded(BiontError):
    """The client has made too many requests in a time.

    Attributes:
        name: the name of the exceeded limit.
        state: the content of the header ``RateLimit``.
    """

    def __init__(self, name: str, policy: str, wait: float) -> None:
        super().__init__(f"the limit {policy} of requests is exceeded; wait, then try again")
        self.retry_after = wait
        self.name = name
        self.state = f'"{name}";r=0;t={ceil(wait)}'


class Unauthorized(BiontError):
    """The API key is missing, unknown, expired or revoked."""


class Forbidden(BiontError):
    """The scope of the API key does not cover the request."""


@dataclass(frozen=True)
class InputProblem:
    """A problem in a request.

    Attributes:
        detail: the problem and the remedy.
        place: a JSON pointer into the body as a URI fragment (``#/url``), or
            the name of a query or path parameter (``limit``).
    """

    detail: str
    place: str


class InvalidInput(BiontError):
    """The request is well-formed, but its content is invalid.

    Attributes:
        problems: each problem with its place, at most `PROBLEM_LIMIT`.
        omitted: the number of further problems.
    """

    def __init__(self, *problems: InputProblem, omitted: int = 0) -> None:
        texts = [f"{problem.place}: {problem.detail}" for problem in problems]
        if omitted:
            texts.append(f"and {omitted} more problems")
        super().__init__("; ".join(texts))
        self.problems = problems
        self.omitted = omitted

    @classmethod
    def of_many(cls, problems: Sequence[InputProblem]) -> InvalidInput:
        """Return an error with the first `PROBLEM_LIMIT` problems and the number of the others."""
        return cls(*problems[:PROBLEM_LIMIT], omitted=max(0, len(problems) - PROBLEM_LIMIT))

    @classmethod
    def from_validation(
        cls,
        error: ValidationError,
        point: Callable[[Location], str],
        *,
        null_detail: str | None = None,
    ) -> InvalidInput:
        """Return an error with the problems that a model has found.

        Number and length of the problems are bounded, because a client chooses the unknown keys
        of a body.

        Args:
            error: the error that the model raised.
            point: returns the `InputProblem.place` of a location.
            null_detail: the problem of a null that a known field refuses; None for the model's.
        """
        found = error.errors(include_url=False)
        problems = (
            InputProblem(
                null_detail
                if null_detail and item["input"] is None and item["type"] != "extra_forbidden"
                else _shorten(_read_message(item), _DETAIL_LIMIT),
                _shorten(point(item["loc"]), _PLACE_LIMIT),
            )
            for item in found[:PROBLEM_LIMIT]
        )
        return cls(*problems, omitted=max(0, len(found) - PROBLEM_LIMIT))


def _read_message(problem: ErrorDetails) -> str:
    """Return the text of a validator as its author wrote it."""
    return problem["msg"].removeprefix("Value error, ")


def _shorten(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[:limit]}..."


def describe_validation_error(
    error: ValidationError, *, root: str, limit: int | None = None
) -> str:
    """Return what a pydantic model refuses, in one line: ``items.0.name: is required; ...``.

    Args:
        error: the error that the model raised.
        root: the name of the whole document, for a problem that has no place inside it.
        limit: the number of problems to name; None for all.
    """
    problems = error.errors(include_url=False, include_input=False)[:limit]
    return "; ".join(
        f"{'.'.join(map(str, problem['loc'])) or root}: {_read_message(problem)}"
        for problem in problems
    )


def point_to(location: Location) -> str:
    """Return the JSON pointer of a place as a URI fragment (RFC 6901, section 6)."""
    steps = (str(step).replace("~", "~0").replace("/", "~1") for step in location)
    return "#" + "".join(f"/{step}" for step in steps)


class MalformedBody(BiontError):
    """The body is not valid JSON."""


class ForbiddenAddress(BiontError):
    """The egress policy forbids an outgoing request; no socket was opened."""


class RequestStep(StrEnum):
    """Step of an outgoing request."""

    RESOLVE = "resolve"
    CONNECT = "connect"
    TLS = "tls"
    ANSWER = "answer"


class RequestFailed(BiontError):
    """An outgoing request got no answer; of the URL, the message has only host and port.

    Attributes:
        step: the step that failed.
    """

    def __init__(self, message: str, step: RequestStep) -> None:
        super().__init__(message)
        self.step = step


class DeliveryFailed(BiontError):
    """An external system did not accept a message."""


class InvalidExpression(BiontError):
    """A cron expression is invalid, or has no occurrence."""


class UnknownTimeZone(BiontError):
    """The IANA time zone database lacks a name."""


class JobError(BiontError):
    """A scheduled job failed; the run is recorded as failed."""


class BudgetExceeded(BiontError):
    """The daily LLM budget is exhausted."""

    def __init__(self, message: str, *, retry_after: float) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class BackendError(BiontError):
    """A language model gave no usable answer."""

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class BackendUnavailable(BackendError):
    """The model's server cannot be reached."""


class BackendMissing(BackendUnavailable):
    """The backend does not exist, or a package that the backend needs is not installed."""


class CircuitOpen(BackendUnavailable):
    """The backend gets no requests for a while, because its last requests have failed.

    Nobody has asked the model, so work that can wait is postponed by `retry_after` seconds: the
    scheduler puts back a run whose job raises this error.
    """

    def __init__(self, message: str, *, retry_after: float) -> None:
        super().__init__(message, retry_after=retry_after)
        self.retry_after: float = retry_after


class BackendTimeout(BackendError):
    """The model's server did not answer within the configured timeout."""


class BackendOverloaded(BackendError):
    """The model's server refused the request temporarily (429 or 503)."""


class BackendFailed(BackendError):
    """The model's server failed on the request (any other 5xx)."""


class BackendRefused(BackendError):
    """The model's server refused the request permanently (any other 3xx or 4xx)."""


class ModelNotFound(BackendRefused):
    """The backend does not have the model that the request names."""


class PromptTooLong(BackendRefused):
    """The messages have more tokens than the model's context."""


class InvalidAnswer(BackendError):
    """The model's server sent an answer that breaks the protocol."""


class LimitReached(BackendError):
    """A model reached the limit of rounds, tokens or time without an answer."""

"""Every error that Biont raises on purpose, under one root.

A message names the culprit and says what to do about it. The HTTP boundary
turns these classes into problem documents; nothing else translates them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import ValidationError

Location = tuple[int | str, ...]
"""The steps that lead to a place in a JSON document."""


class BiontError(Exception):
    """The root of all errors that Biont raises on purpose.

    Attributes:
        retry_after: in how many seconds the same may succeed; None where nobody knows.
    """

    retry_after: float | None = None


class SettingsError(BiontError):
    """The configuration cannot be used.

    Attributes:
        problems: one line a problem, each as ``file:line:column: key: what to do``.
    """

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = list(problems)


class PluginError(BiontError):
    """A plugin breaks the contract of `biont.contract.hookspecs`."""


class StoreUnavailable(BiontError):
    """The database cannot be reached, is locked or full; nothing was written."""


class StoreConflict(BiontError):
    """The database belongs to another process or to a newer version."""


class VaultError(BiontError):
    """What is encrypted cannot be read with the operator's keys."""


class NotFound(BiontError):
    """What was asked for does not exist, or belongs to somebody else."""


class Conflict(BiontError):
    """The request does not fit the present state of what it names."""


class Unauthorized(BiontError):
    """No key, or one that is unknown, expired or revoked."""


class Forbidden(BiontError):
    """The key is good, but its scope does not cover the request."""


@dataclass(frozen=True)
class InputProblem:
    """One thing that is wrong with a request.

    Attributes:
        detail: what is wrong and what would be right.
        pointer: a JSON pointer into the body as a URI fragment (``#/url``), or
            the name of a query or path parameter (``limit``).
    """

    detail: str
    pointer: str


class InvalidInput(BiontError):
    """The request is well-formed, but its content cannot be accepted.

    Attributes:
        problems: each thing that is wrong, with the place where it stands.
    """

    def __init__(self, *problems: InputProblem) -> None:
        super().__init__("; ".join(f"{p.pointer}: {p.detail}" for p in problems))
        self.problems = problems

    @classmethod
    def from_validation(
        cls, error: ValidationError, point: Callable[[Location], str]
    ) -> InvalidInput:
        """Return all that a model has found wrong.

        Args:
            error: what the model raised.
            point: turns a place into `InputProblem.pointer`.
        """
        return cls(
            *(
                InputProblem(item["msg"].removeprefix("Value error, "), point(item["loc"]))
                for item in error.errors(include_url=False, include_input=False)
            )
        )


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
        f"{'.'.join(map(str, problem['loc'])) or root}: {problem['msg']}" for problem in problems
    )


def point_to(location: Location) -> str:
    """Return a place in a JSON document as a URI fragment (RFC 6901, section 6)."""
    steps = (str(step).replace("~", "~0").replace("/", "~1") for step in location)
    return "#" + "".join(f"/{step}" for step in steps)


class MalformedBody(BiontError):
    """The body is not the JSON that it claims to be."""


class ForbiddenAddress(BiontError):
    """An outgoing request was stopped before a socket was opened."""


class DeliveryFailed(BiontError):
    """An outside system did not take what was sent to it."""


class InvalidExpression(BiontError):
    """A cron expression is not valid, or can never be due."""


class UnknownTimeZone(BiontError):
    """A name is not in the IANA time zone database."""


class JobError(BiontError):
    """A scheduled job could not do its work; the run is recorded as failed."""


class BudgetExceeded(BiontError):
    """What may be spent on language models in a day is used up."""

    def __init__(self, message: str, *, retry_after: float) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class BackendError(BiontError):
    """A language model did not give a usable answer."""

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class BackendUnavailable(BackendError):
    """The model's server cannot be reached."""


class BackendMissing(BackendUnavailable):
    """There is no such backend, or what it needs is not installed."""


class BackendTimeout(BackendError):
    """The model's server did not answer within the configured time."""


class BackendOverloaded(BackendError):
    """The model's server refused the request for now (429 or 503)."""


class BackendFailed(BackendError):
    """The model's server failed on the request (another 5xx)."""


class BackendRefused(BackendError):
    """The model's server refused the request for good (another 3xx or 4xx)."""


class PromptTooLong(BackendRefused):
    """The messages have more tokens than the model's context has room for."""


class InvalidAnswer(BackendError):
    """The model's server answered, but not with what the protocol promises."""


class LimitReached(BackendError):
    """A model came to no answer within the rounds, tokens or time that it has."""

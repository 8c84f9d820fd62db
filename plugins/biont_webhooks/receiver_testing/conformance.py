"""Conformance check: sends valid and invalid requests to a receiver and grades the answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from yarl import URL

from biont.egress import EgressPolicy, EgressSession
from biont.exceptions import BiontError, RequestFailed
from biont_webhooks.receiver_testing.conformance_cases import Case, Expected
from biont_webhooks.subscription.retry_policy import Success

_CHUNKS = 10


class Grade(StrEnum):
    """Grade of an answer."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Result:
    """Answer of a receiver to a case, with its grade.

    Attributes:
        case: the case.
        answered: the HTTP status; None for no answer.
        summary: the answer in words.
        grade: the grade of the answer.
        advice: a remedy; None for the grade OK.
    """

    case: Case
    answered: int | None
    summary: str
    grade: Grade
    advice: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """Conditions under which cases are sent and graded.

    Attributes:
        policy: decides about the permitted addresses.
        answer_timeout: the limit for an answer, in seconds.
        slow_body_seconds: the duration of a slow body, in seconds.
        success: the answers that count as a success.
        ca_file: further certificate authorities; None for the system's.
    """

    policy: EgressPolicy
    answer_timeout: float
    slow_body_seconds: float
    success: Success = Success.OK
    ca_file: Path | None = None


async def try_receiver(
    url: URL, cases: Sequence[Case], conditions: Conditions
) -> AsyncIterator[Result]:
    """Send each case on a connection of its own, and yield the result.

    Args:
        url: the URL of the receiver.
        cases: the cases, in the order of sending.
        conditions: the conditions.

    Raises:
        BiontError: the first case got no answer, or the address is not permitted.
    """
    for number, case in enumerate(cases):
        result = await _run_case(url, case, conditions)
        # Without an answer to the valid first case, the other cases would only waste time.
        if number == 0 and result.answered is None:
            raise BiontError(f"{url}: {result.summary}; is the receiver running?")
        yield result


async def _run_case(url: URL, case: Case, conditions: Conditions) -> Result:
    answer_timeout = conditions.answer_timeout
    sample = case.make()
    headers = sample.headers
    body: bytes | AsyncIterator[bytes] = sample.body
    if sample.is_slow:
        answer_timeout += conditions.slow_body_seconds
        body = _send_slowly(sample.body, conditions.slow_body_seconds)
        # Otherwise a body of pieces would be sent in chunked encoding.
        headers = {**headers, "Content-Length": str(len(sample.body))}
    # A session for each case: a receiver that breaks a connection must not fail the next case.
    async with EgressSession(
        conditions.policy, timeout=answer_timeout, ca_file=conditions.ca_file
    ) as egress:
        try:
            response = await egress.post(url, body=body, headers=headers)
        except TimeoutError:
            return _make_result(case, None, f"no answer within {answer_timeout:g} s", conditions)
        except RequestFailed as error:
            return _make_result(case, None, f"no answer: {error}", conditions)
    return _make_result(case, response.status, f"answered {response.status}", conditions)


async def _send_slowly(body: bytes, seconds: float) -> AsyncIterator[bytes]:
    size = -(-len(body) // _CHUNKS)
    for start in range(0, len(body), size):
        yield body[start : start + size]
        await asyncio.sleep(seconds / _CHUNKS)


def _make_result(case: Case, status: int | None, summary: str, conditions: Conditions) -> Result:
    if case.expected is Expected.REFUSE:
        grade, advice = _grade_refusal(case, status or 0)
    else:
        grade, advice = _grade_acceptance(case, status or 0, conditions.success)
    return Result(case, status, summary, grade, advice)


def _grade_acceptance(case: Case, status: int, success: Success) -> tuple[Grade, str | None]:
    if success.accepts(status) or (status == 408 and case.expected is Expected.ACCEPT_OR_TIME_OUT):
        return Grade.OK, None
    if 200 <= status < 300:
        return Grade.WARNING, 'Answer 200, or register the webhook with "success": "2xx".'
    return Grade.FAILED, case.advice


def _grade_refusal(case: Case, status: int) -> tuple[Grade, str | None]:
    if status == 410:
        return Grade.WARNING, "Answer 400 or 401: 410 disables a webhook that has retries."
    if 400 <= status < 500:
        return Grade.OK, None
    if 200 <= status < 300:
        return Grade.FAILED, case.advice
    if status == 0:
        return Grade.FAILED, "Answer 400 or 401 at once."
    return (
        Grade.WARNING,
        "The status does not say that the request is at fault. Answer 400 or 401.",
    )

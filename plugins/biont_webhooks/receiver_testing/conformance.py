"""Tries a receiver: sends it what is in order and what is not, and tells what it makes of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from aiohttp import ClientError
from yarl import URL

from biont.egress import EgressPolicy, EgressSession
from biont.exceptions import BiontError
from biont_webhooks.receiver_testing.conformance_cases import Case, Expected

_BITS = 10


class Grade(StrEnum):
    """How a receiver has done."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Result:
    """What a receiver has made of a case.

    Attributes:
        case: what was tried.
        answered: the status, or None if there was no answer.
        told: what was answered, in words.
        grade: what is to be thought of it.
        advice: what to do about it, unless it is ok.
    """

    case: Case
    answered: int | None
    told: str
    grade: Grade
    advice: str | None


async def try_receiver(
    url: URL, cases: Sequence[Case], policy: EgressPolicy, *, patience: float, slowness: float
) -> AsyncIterator[Result]:
    """Send each case on a connection of its own, and yield what came of it.

    Args:
        url: the receiver.
        cases: what to send, one after the other.
        policy: judges where requests may go.
        patience: how long a receiver may take to answer, in seconds.
        slowness: how long a slow body takes, in seconds.

    Raises:
        BiontError: the first was not answered at all, or the address is not permitted.
    """
    for number, case in enumerate(cases):
        result = await _try(url, case, policy, patience, slowness)
        if number == 0 and result.answered is None:
            raise BiontError(f"{url}: {result.told}; does the receiver run?")
        yield result


async def _try(
    url: URL, case: Case, policy: EgressPolicy, patience: float, slowness: float
) -> Result:
    sample = case.make()
    headers = {**sample.headers, "Content-Length": str(len(sample.body))}
    body: bytes | AsyncIterator[bytes] = sample.body
    if sample.is_slow:
        patience += slowness
        body = _drip(sample.body, slowness)
    async with EgressSession(policy, timeout=patience) as egress:
        try:
            response = await egress.post(url, body=body, headers=headers)
        except TimeoutError:
            return _grade(case, None, f"no answer within {patience:g} s")
        except (ClientError, OSError) as error:
            return _grade(case, None, f"no answer: {error}")
    return _grade(case, response.status, f"answered {response.status}")


async def _drip(body: bytes, seconds: float) -> AsyncIterator[bytes]:
    size = -(-len(body) // _BITS)
    for start in range(0, len(body), size):
        yield body[start : start + size]
        await asyncio.sleep(seconds / _BITS)


def _grade(case: Case, status: int | None, told: str) -> Result:
    judge = _judge_refusal if case.expected is Expected.REFUSE else _judge_acceptance
    grade, advice = judge(case, status or 0)
    return Result(case, status, told, grade, advice)


def _judge_acceptance(case: Case, status: int) -> tuple[Grade, str | None]:
    if status == 200 or (status == 408 and case.expected is Expected.ACCEPT_OR_TIME_OUT):
        return Grade.OK, None
    if 200 <= status < 300:
        return Grade.WARNING, 'Answer 200, or register the webhook with "success": "2xx".'
    return Grade.FAILED, case.advice


def _judge_refusal(case: Case, status: int) -> tuple[Grade, str | None]:
    if status == 410:
        return Grade.WARNING, "Answer 400 or 401: 410 disables a webhook that has retries."
    if 400 <= status < 500:
        return Grade.OK, None
    if 200 <= status < 300:
        return Grade.FAILED, case.advice
    if status == 0:
        return Grade.FAILED, "Answer 400 or 401, and at once."
    return Grade.WARNING, "It is refused, but not as what it is. Answer 400 or 401."

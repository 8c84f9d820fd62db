"""`biont webhooks check`: grades of correct and faulty receivers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest
import standardwebhooks
from aiohttp import web
from aiohttp.test_utils import TestServer
from support.process import run_biont
from yarl import URL

from biont.clock import SystemClock
from biont.egress import EgressPolicy
from biont.testing import write_config
from biont_webhooks.receiver_testing.conformance import Conditions, Grade, Result, try_receiver
from biont_webhooks.receiver_testing.conformance_cases import list_cases
from biont_webhooks.receiver_testing.verification import verify
from biont_webhooks.subscription.signing import SigningKey, generate_secret

Answer = Callable[[web.Request], Awaitable[int]]

SECRET, OLD = generate_secret(), generate_secret()
FORGED = {
    "stale timestamp",
    "future timestamp",
    "wrong signature",
    "changed body",
    "malformed signature",
    "no webhook-id",
    "no webhook-timestamp",
    "no signature",
    "no headers",
}


@asynccontextmanager
async def serve(answer: Answer, limit: int = 2**20) -> AsyncIterator[str]:
    async def receive(request: web.Request) -> web.Response:
        return web.Response(status=await answer(request))

    app = web.Application(client_max_size=limit)
    app.router.add_post("/hook", receive)
    async with TestServer(app, host="127.0.0.1") as server:
        yield str(server.make_url("/hook"))


async def try_out(url: str, *, old: str | None = None, answer_timeout: float = 30) -> list[Result]:
    policy = EgressPolicy(["127.0.0.0/8:*"])
    cases = list_cases(SystemClock(), SECRET, old)
    conditions = Conditions(policy=policy, answer_timeout=answer_timeout, slow_body_seconds=0.05)
    results = try_receiver(URL(url), cases, conditions)
    return [result async for result in results]


def names(results: list[Result], grade: Grade) -> set[str]:
    return {result.case.name for result in results if result.grade is grade}


async def judge(request: web.Request, tolerance: float = 300) -> int:
    """Answer as a receiver should that knows two secrets."""
    body, now = await request.read(), datetime.now(UTC)
    verdict = verify(request.headers, body, [SECRET, OLD], now=now, tolerance=tolerance)
    return 200 if verdict.is_valid else 400


async def judge_by_library(request: web.Request) -> int:
    try:
        standardwebhooks.Webhook(SECRET).verify(await request.read(), dict(request.headers))
    except (standardwebhooks.WebhookVerificationError, ValueError):
        return 401
    return 204


async def accept(_: web.Request) -> int:
    return 200


async def check_no_timestamp(request: web.Request) -> int:
    return await judge(request, tolerance=1e9)


async def check_no_body(request: web.Request) -> int:
    return 200 if "webhook-signature" in request.headers else 401


async def check_what_was_parsed(request: web.Request) -> int:
    body = orjson.dumps(orjson.loads(await request.read())).replace(b":1.0", b":1")
    now = datetime.now(UTC)
    return 200 if verify(request.headers, body, [SECRET, OLD], now=now).is_valid else 401


async def check_the_body_alone(request: web.Request) -> int:
    given = request.headers.get("X-ASI-Signature", "")
    return 200 if given == SigningKey(SECRET).sign_body(await request.read()) else 401


async def check_the_first_signature(request: web.Request) -> int:
    headers = dict(request.headers)
    first = headers.get("webhook-signature", "").split(" ")[0]
    now = datetime.now(UTC)
    signed = headers | {"webhook-signature": first}
    return 200 if verify(signed, await request.read(), [SECRET], now=now).is_valid else 401


async def refuse_what_is_unknown(request: web.Request) -> int:
    status = await judge(request)
    if status == 200 and set((await request.json())["payload"]) - {"text", "number", "amount"}:
        return 422
    return status


async def fail_on_what_is_forged(request: web.Request) -> int:
    return 200 if await judge(request) == 200 else 500


async def call_what_is_forged_gone(request: web.Request) -> int:
    return 200 if await judge(request) == 200 else 410


def refuse_duplicates() -> Answer:
    seen: set[str] = set()

    async def answer(request: web.Request) -> int:
        status = await judge(request)
        if status == 200 and request.headers["webhook-id"] in seen:
            return 409
        seen.add(request.headers.get("webhook-id", ""))
        return status

    return answer


async def test_a_correct_receiver_passes() -> None:
    async with serve(judge) as url:
        results = await try_out(url, old=OLD)
    assert names(results, Grade.OK) >= FORGED | {"good delivery", "old secret alone"}
    assert [result.summary for result in results if result.grade is not Grade.OK] == []


async def test_status_204_is_a_warning() -> None:
    async with serve(judge_by_library) as url:
        results = await try_out(url)
    assert names(results, Grade.OK) == FORGED
    assert names(results, Grade.FAILED) == set()
    assert '"success": "2xx"' in str(results[0].advice)


@pytest.mark.parametrize(
    ("make", "failed"),
    [
        (lambda: accept, FORGED),
        (lambda: check_no_timestamp, {"stale timestamp", "future timestamp"}),
        (refuse_duplicates, {"duplicate"}),
        (
            lambda: check_no_body,
            FORGED - {"no signature", "no headers"},
        ),
        (lambda: check_what_was_parsed, {"exact body"}),
        (
            lambda: check_the_body_alone,
            {
                "stale timestamp",
                "future timestamp",
                "no webhook-id",
                "no webhook-timestamp",
                "rotation, old secret",
                "old secret alone",
            },
        ),
        (lambda: check_the_first_signature, {"rotation, old secret", "old secret alone"}),
        (lambda: refuse_what_is_unknown, {"unknown fields"}),
    ],
    ids=[
        "accepts everything",
        "checks no timestamp",
        "refuses duplicates",
        "checks nothing but that there is a signature",
        "checks what it has parsed",
        "checks X-ASI-Signature alone",
        "checks the first signature alone",
        "refuses what is unknown",
    ],
)
async def test_wrong_answers_fail_with_advice(
    make: Callable[[], Answer], failed: set[str]
) -> None:
    async with serve(make()) as url:
        results = await try_out(url, old=OLD)
    assert names(results, Grade.FAILED) == failed
    assert names(results, Grade.WARNING) == set()
    assert all(result.advice for result in results if result.grade is Grade.FAILED)


@pytest.mark.parametrize(
    ("answer", "advice"),
    [(fail_on_what_is_forged, "Answer 400 or 401"), (call_what_is_forged_gone, "410 disables")],
)
async def test_a_refusal_by_the_wrong_status_is_a_warning(answer: Answer, advice: str) -> None:
    async with serve(answer) as url:
        results = await try_out(url)
    assert names(results, Grade.FAILED) == set()
    assert names(results, Grade.WARNING) == FORGED
    assert {advice in str(result.advice) for result in results if result.advice} == {True}


async def test_body_size_limit_that_is_too_low_is_reported() -> None:
    async with serve(judge, limit=64 * 1024) as url:
        results = await try_out(url)
    assert names(results, Grade.FAILED) == {"large body"}
    assert "answered 413" in {result.summary for result in results}


async def test_status_408_for_a_slow_body_is_accepted() -> None:
    async def hurry(request: web.Request) -> int:
        first = await request.content.readany()
        if len(first) < int(request.headers["Content-Length"]) < 1000:
            return 408
        return 200

    async with serve(hurry) as url:
        (result,) = [found for found in await try_out(url) if found.case.name == "slow body"]
    assert (result.grade, result.summary) == (Grade.OK, "answered 408")


async def test_check_ends_when_the_receiver_hangs() -> None:
    async def hang(request: web.Request) -> int:
        status = await judge(request)
        if status != 200:
            await asyncio.Event().wait()
        return status

    async with serve(hang) as url:
        results = await try_out(url, answer_timeout=2)
    assert names(results, Grade.FAILED) == FORGED
    assert {result.summary for result in results} >= {"no answer within 2 s"}


async def test_the_command_reports_each_case_and_fails(tmp_path: Path) -> None:
    async with serve(check_no_timestamp) as url:
        code, out, error = await run_biont(
            "webhooks",
            "check",
            url,
            "--secret",
            SECRET,
            "--old-secret",
            OLD,
            config=write_config(tmp_path, {"egress": {"allow": []}}),
        )
    assert (code, error) == (1, "")
    lines = out.splitlines()
    assert lines[0].startswith("ok       good delivery: a delivery, signed just now; expected 2xx")
    (stale,) = [line for line in lines if "stale timestamp" in line]
    assert stale.startswith("failed   stale timestamp: a delivery that was signed 10 minutes ago")
    assert stale.endswith("expected 4xx, answered 200")
    assert "         An attacker can send a recorded request again." in out
    assert lines[-1] == "16 ok, 0 warning, 2 failed"


async def test_the_command_reports_in_json_and_succeeds(tmp_path: Path) -> None:
    async with serve(judge) as url:
        code, out, _ = await run_biont(
            "webhooks",
            "check",
            url.replace("127.0.0.1", "localhost"),
            "--secret",
            SECRET,
            "--json",
            config=write_config(tmp_path, {}),
        )
    report = orjson.loads(out)
    assert (code, report["passed"]) == (0, True)
    assert report["cases"][2] == {
        "name": "stale timestamp",
        "sent": "a delivery that was signed 10 minutes ago",
        "expected": "4xx",
        "answered": 400,
        "told": "answered 400",
        "result": "ok",
        "advice": None,
    }


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("http://127.0.0.1:1/", "http://127.0.0.1:1/: no answer: 127.0.0.1:1 refuses connections"),
        ("http://10.1.2.3/", '"10.1.2.3:80" in the setting egress.allow'),
        ("http://169.254.169.254/", "metadata service, which no setting permits"),
        ("ftp://127.0.0.1/", "the URL must begin with http:// or https://"),
    ],
)
async def test_check_reports_unreachable_urls_without_a_traceback(
    url: str, message: str, tmp_path: Path
) -> None:
    code, out, error = await run_biont(
        "webhooks", "check", url, "--secret", SECRET, config=write_config(tmp_path, {})
    )
    assert (code, out) == (1, "")
    assert message in error
    assert "Traceback" not in error

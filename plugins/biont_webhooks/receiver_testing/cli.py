"""``biont webhooks``: commands for the author of a receiver."""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import TypedDict, Unpack

import click
import orjson

from biont.cli import config_option, parse_instant
from biont.clock import SystemClock
from biont_webhooks.receiver_testing.conformance import Conditions, Grade, Result, try_receiver
from biont_webhooks.receiver_testing.conformance_cases import list_cases
from biont_webhooks.receiver_testing.listen_command import listen_for_deliveries
from biont_webhooks.receiver_testing.options import (
    SECRET_VARIABLE,
    check_secret,
    make_policy,
    secret_option,
)
from biont_webhooks.receiver_testing.request_files import parse_headers
from biont_webhooks.receiver_testing.verification import TOLERANCE, verify

_SLOW_BODY_SECONDS = 3.0
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group("webhooks")
def webhooks() -> None:
    """Develop a receiver: watch deliveries, verify a request, check the receiver."""


webhooks.add_command(listen_for_deliveries)


@webhooks.command("verify")
@secret_option
@click.option(
    "--headers", required=True, type=_FILE, help="File with a line `Name: value` for each header."
)
@click.option("--body", required=True, type=_FILE, help="File with the exact body.")
@click.option(
    "--tolerance",
    type=click.FloatRange(min=0),
    default=TOLERANCE,
    show_default=True,
    help="Allowed difference of the timestamp, in seconds.",
)
@click.option("--at", type=parse_instant, help="Instant of the check, instead of now.")
def verify_request(
    secrets: Sequence[str], headers: Path, body: Path, tolerance: float, at: datetime | None
) -> None:
    """Verify a request that is stored in files; fail if the request is not valid."""
    result = verify(
        parse_headers(headers.read_text(encoding="latin-1")),
        body.read_bytes(),
        _require_secrets(secrets),
        now=at or SystemClock().now(),
        tolerance=tolerance,
    )
    for finding in result.findings:
        click.echo(f"{finding.status:6} {finding.header}: {finding.detail}")
    click.echo("valid" if result.is_valid else "not valid")
    sys.exit(0 if result.is_valid else 1)


class CheckOptions(TypedDict):
    """Options of `check`."""

    url: str
    secrets: Sequence[str]
    old_secret: str | None
    timeout: float
    as_json: bool
    config: Path | None


@webhooks.command("check")
@click.argument("url")
@secret_option
@click.option(
    "--old-secret", callback=check_secret, help="Replaced secret that the receiver still accepts."
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    default=15.0,
    show_default=True,
    help="Limit for an answer, in seconds.",
)
@click.option("--json", "as_json", is_flag=True, help="Report in JSON.")
@config_option
def check_receiver(**options: Unpack[CheckOptions]) -> None:
    """Check a receiver with valid and invalid requests; fail if an answer is wrong."""
    report = _print_json_report if options["as_json"] else _print_report
    sys.exit(0 if asyncio.run(report(options["url"], _check(options))) else 1)


def _check(options: CheckOptions) -> AsyncIterator[Result]:
    policy = make_policy(options["config"])
    secret, *others = _require_secrets(options["secrets"])
    if others:
        raise click.UsageError("give --secret once, and the replaced secret with --old-secret")
    return try_receiver(
        policy.check_url(options["url"]),
        list_cases(SystemClock(), secret, options["old_secret"]),
        Conditions(
            policy=policy,
            answer_timeout=options["timeout"],
            slow_body_seconds=_SLOW_BODY_SECONDS,
        ),
    )


async def _print_report(_: str, results: AsyncIterator[Result]) -> bool:
    """Print each result at once; return whether no case has failed."""
    counts = Counter[Grade]()
    async for result in results:
        counts[result.grade] += 1
        case = result.case
        expected = f"expected {case.expected}, {result.summary}"
        click.echo(f"{result.grade:8} {case.name}: {case.sent}; {expected}")
        if result.advice is not None:
            click.echo(f"{'':8} {result.advice}")
    click.echo(", ".join(f"{counts[grade]} {grade}" for grade in Grade))
    return not counts[Grade.FAILED]


async def _print_json_report(url: str, results: AsyncIterator[Result]) -> bool:
    """Print all results as JSON; return whether no case has failed."""
    cases = [
        {
            "name": result.case.name,
            "sent": result.case.sent,
            "expected": result.case.expected,
            "answered": result.answered,
            "told": result.summary,
            "result": result.grade,
            "advice": result.advice,
        }
        async for result in results
    ]
    passed = all(case["result"] != Grade.FAILED for case in cases)
    report = {"url": url, "passed": passed, "cases": cases}
    click.echo(orjson.dumps(report, option=orjson.OPT_INDENT_2))
    return passed


def _require_secrets(secrets: Sequence[str]) -> Sequence[str]:
    if not secrets:
        raise click.UsageError(f"give --secret, or set {SECRET_VARIABLE}")
    return secrets

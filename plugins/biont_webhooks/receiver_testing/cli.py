"""``biont webhooks``: what the author of a receiver needs."""

from __future__ import annotations

import asyncio
import os
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TypedDict, TypeVar, Unpack

import click
import orjson

from biont.cli import config_option, parse_instant, read_settings
from biont.clock import SystemClock
from biont.egress import EgressPolicy, EgressSession
from biont_webhooks.receiver_testing.conformance import Grade, Result, try_receiver
from biont_webhooks.receiver_testing.conformance_cases import list_cases
from biont_webhooks.receiver_testing.listener import Forwarder, Listener
from biont_webhooks.receiver_testing.request_files import parse_headers
from biont_webhooks.receiver_testing.verification import TOLERANCE, Finding, verify
from biont_webhooks.subscription.signing import validate_secret

Command = TypeVar("Command", bound=Callable[..., object])

_VARIABLE = "BIONT_WEBHOOK_SECRET"
_SLOWNESS = 3.0
_LOOPBACK = ["127.0.0.0/8:*", "[::1]:*"]
_MARKS = {True: "ok", False: "wrong", None: "-"}
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


def _check_secret(_: click.Context, __: click.Parameter, secret: str | None) -> str | None:
    try:
        return None if secret is None else validate_secret(secret)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


def _choose_secrets(
    context: click.Context, parameter: click.Parameter, given: Sequence[str]
) -> list[str]:
    # Not by click, which would split a secret that has spaces.
    found = given or [value for value in [os.environ.get(_VARIABLE)] if value]
    return [_check_secret(context, parameter, secret) or "" for secret in found]


def secret_option(command: Command) -> Command:
    """Add ``--secret``, to be given once or several times, or by the environment."""
    return click.option(
        "--secret",
        "secrets",
        multiple=True,
        callback=_choose_secrets,
        help=f"What requests are signed with; again for an older one. Or {_VARIABLE}.",
    )(command)


@click.group("webhooks")
def webhooks() -> None:
    """Write a receiver: watch deliveries, check one, check the receiver."""


@webhooks.command("verify")
@secret_option
@click.option("--headers", required=True, type=_FILE, help="A file of lines `Name: value`.")
@click.option("--body", required=True, type=_FILE, help="A file of the exact body.")
@click.option(
    "--tolerance",
    type=click.FloatRange(min=0),
    default=TOLERANCE,
    show_default=True,
    help="How far the timestamp may be off, in seconds.",
)
@click.option("--at", type=parse_instant, help="Check as if it were this instant.")
def verify_request(
    secrets: Sequence[str], headers: Path, body: Path, tolerance: float, at: datetime | None
) -> None:
    """Check a request that is in files; fail if it is not valid."""
    verdict = verify(
        parse_headers(headers.read_text(encoding="latin-1")),
        body.read_bytes(),
        _need(secrets),
        now=at or SystemClock().now(),
        tolerance=tolerance,
    )
    for finding in verdict.findings:
        click.echo(_show(finding))
    click.echo("valid" if verdict.is_valid else "not valid")
    sys.exit(0 if verdict.is_valid else 1)


class ListenerOptions(TypedDict):
    """What `listen` is called with."""

    host: str
    port: int
    secrets: Sequence[str]
    forward: str | None
    status: int
    keep: Path | None
    count: int | None
    verbose: bool
    config: Path | None


@webhooks.command("listen")
@click.option("--host", default="127.0.0.1", show_default=True, help="Listen on this address.")
@click.option("--port", default=9000, show_default=True, help="And this port; 0 for any.")
@secret_option
@click.option("--forward", metavar="URL", help="Send each on, and answer what comes back.")
@click.option("--status", type=click.IntRange(200, 599), default=200, help="What to answer.")
@click.option("--keep", type=click.Path(path_type=Path), help="Write each into this folder.")
@click.option("--count", type=click.IntRange(min=1), help="End after so many.")
@click.option("--once", "count", flag_value=1, type=int, help="End after the first.")
@click.option("-v", "--verbose", is_flag=True, help="Show headers, and all of the payload.")
@config_option
def listen_for_deliveries(**options: Unpack[ListenerOptions]) -> None:
    """Show each delivery that comes in, and whether it is verified."""
    asyncio.run(_listen(options))


async def _listen(options: ListenerOptions) -> None:
    policy = _make_policy(options["config"])
    url = options["forward"]
    async with EgressSession(policy) as egress:
        listener = Listener(
            SystemClock(),
            click.echo,
            secrets=options["secrets"],
            status=options["status"],
            forwarder=None if url is None else Forwarder(egress, policy.check_url(url)),
            keep=options["keep"],
            count=options["count"],
            verbose=options["verbose"],
        )
        await listener.run(
            options["host"], options["port"], lambda url: click.echo(f"listening at {url}/")
        )


class CheckOptions(TypedDict):
    """What `check` is called with."""

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
    "--old-secret", callback=_check_secret, help="One that the receiver also accepts, if any."
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    default=15.0,
    show_default=True,
    help="How long it may take to answer, in seconds.",
)
@click.option("--json", "as_json", is_flag=True, help="Report in JSON.")
@config_option
def check_receiver(**options: Unpack[CheckOptions]) -> None:
    """Try a receiver: send it what is in order and what is not; fail if it does wrong."""
    report = _report_json if options["as_json"] else _report
    sys.exit(0 if asyncio.run(report(options["url"], _check(options))) else 1)


def _check(options: CheckOptions) -> AsyncIterator[Result]:
    policy = _make_policy(options["config"])
    secret, *others = _need(options["secrets"])
    if others:
        raise click.UsageError("give one --secret; the one before goes to --old-secret")
    return try_receiver(
        policy.check_url(options["url"]),
        list_cases(SystemClock(), secret, options["old_secret"]),
        policy,
        patience=options["timeout"],
        slowness=_SLOWNESS,
    )


async def _report(_: str, results: AsyncIterator[Result]) -> bool:
    """Tell each result as it comes; return whether none has failed."""
    counts = Counter[Grade]()
    async for result in results:
        counts[result.grade] += 1
        case = result.case
        expected = f"expected {case.expected}, {result.told}"
        click.echo(f"{result.grade:8} {case.name}: {case.sent}; {expected}")
        if result.advice is not None:
            click.echo(f"{'':8} {result.advice}")
    click.echo(", ".join(f"{counts[grade]} {grade}" for grade in Grade))
    return not counts[Grade.FAILED]


async def _report_json(url: str, results: AsyncIterator[Result]) -> bool:
    """Tell all results at once; return whether none has failed."""
    cases = [
        {
            "name": result.case.name,
            "sent": result.case.sent,
            "expected": result.case.expected,
            "answered": result.answered,
            "told": result.told,
            "result": result.grade,
            "advice": result.advice,
        }
        async for result in results
    ]
    passed = all(case["result"] != Grade.FAILED for case in cases)
    report = {"url": url, "passed": passed, "cases": cases}
    click.echo(orjson.dumps(report, option=orjson.OPT_INDENT_2))
    return passed


def _need(secrets: Sequence[str]) -> Sequence[str]:
    if not secrets:
        raise click.UsageError(f"give --secret, or set {_VARIABLE}")
    return secrets


def _show(finding: Finding) -> str:
    return f"{_MARKS[finding.ok]:6} {finding.header}: {finding.detail}"


def _make_policy(config: Path | None) -> EgressPolicy:
    """Return the operator's policy, with the loopback besides."""
    # Whoever runs a command here can reach the loopback without us.
    return EgressPolicy([*read_settings(config).egress.allow, *_LOOPBACK])

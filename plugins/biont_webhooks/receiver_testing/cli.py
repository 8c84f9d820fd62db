"""``biont webhooks``: commands for the author of a receiver."""

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
from biont_webhooks.receiver_testing.verification import TOLERANCE, verify
from biont_webhooks.subscription.signing import validate_secret

Command = TypeVar("Command", bound=Callable[..., object])

_VARIABLE = "BIONT_WEBHOOK_SECRET"
_SLOW_BODY_SECONDS = 3.0
_LOOPBACK = ["127.0.0.0/8:*", "[::1]:*"]
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


def _check_secret(_: click.Context, __: click.Parameter, secret: str | None) -> str | None:
    try:
        return None if secret is None else validate_secret(secret)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


def _choose_secrets(
    context: click.Context, parameter: click.Parameter, given: Sequence[str]
) -> list[str]:
    # Not by click's `envvar`, which would split a secret with spaces into several secrets.
    found = given or [value for value in [os.environ.get(_VARIABLE)] if value]
    return [_check_secret(context, parameter, secret) or "" for secret in found]


def secret_option(command: Command) -> Command:
    """Add ``--secret``, given once or several times, or by the environment."""
    return click.option(
        "--secret",
        "secrets",
        multiple=True,
        callback=_choose_secrets,
        help=f"Secret that signs requests; repeat for a replaced secret. Default: {_VARIABLE}.",
    )(command)


@click.group("webhooks")
def webhooks() -> None:
    """Develop a receiver: watch deliveries, verify a request, check the receiver."""


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


class ListenerOptions(TypedDict):
    """Options of `listen`."""

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
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", default=9000, show_default=True, help="Port to listen on; 0 for any free port."
)
@secret_option
@click.option("--forward", metavar="URL", help="Forward each delivery, and return the answer.")
@click.option(
    "--status", type=click.IntRange(200, 599), default=200, help="HTTP status to answer."
)
@click.option(
    "--keep", type=click.Path(path_type=Path), help="Folder to write each delivery into."
)
@click.option("--count", type=click.IntRange(min=1), help="Stop after this number of deliveries.")
@click.option("--once", "count", flag_value=1, type=int, help="Stop after the first delivery.")
@click.option("-v", "--verbose", is_flag=True, help="Show headers and the whole payload.")
@config_option
def listen_for_deliveries(**options: Unpack[ListenerOptions]) -> None:
    """Listen for deliveries; show each delivery and the result of its verification."""
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
    "--old-secret", callback=_check_secret, help="Replaced secret that the receiver still accepts."
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
    policy = _make_policy(options["config"])
    secret, *others = _require_secrets(options["secrets"])
    if others:
        raise click.UsageError("give --secret once, and the replaced secret with --old-secret")
    return try_receiver(
        policy.check_url(options["url"]),
        list_cases(SystemClock(), secret, options["old_secret"]),
        policy,
        answer_timeout=options["timeout"],
        slow_body_seconds=_SLOW_BODY_SECONDS,
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
        raise click.UsageError(f"give --secret, or set {_VARIABLE}")
    return secrets


def _make_policy(config: Path | None) -> EgressPolicy:
    """Return the operator's egress policy, extended by the loopback."""
    # A user who runs commands on this machine can reach the loopback without the workbench.
    return EgressPolicy([*read_settings(config).egress.allow, *_LOOPBACK])

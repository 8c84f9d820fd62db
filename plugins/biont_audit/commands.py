"""Command ``biont audit``: verify and export the event log."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from biont.accounts import User
from biont.cli import config_option, parse_instant, read_database
from biont.exceptions import BiontError, NotFound
from biont_audit.chain import Link
from biont_audit.export import FORMATS
from biont_audit.queries import EventFilter, iterate_entries
from biont_audit.verify import verify_chain


@click.group("audit")
def audit() -> None:
    """Verify and export the event log."""


@audit.command("verify")
@click.option(
    "--expect",
    metavar="NUMBER:HASH",
    help="The last entry of an earlier check, as printed then; must still be in the log.",
)
@config_option
def verify_log(expect: str | None, config: Path | None) -> None:
    """Check every entry of the event log against the hash chain.

    The first wrong or missing entry is an error. The command only reads; the workbench may
    be running.
    """
    with read_database(config):
        report = verify_chain(None if expect is None else _parse_link(expect))
    if report.problem is not None:
        raise BiontError(
            f"the event log is broken: {report.problem}; checked before that: {report.checked}"
        )
    click.echo(f"the event log is whole; checked: {report.checked}")
    click.echo(f"it ends with {report.last.number}:{report.last.hash}")


@audit.command("export")
@click.option(
    "--format",
    "form",
    type=click.Choice(list(FORMATS)),
    default="jsonl",
    show_default=True,
    help="jsonl: one JSON object per line; cloudevents: one batch of CloudEvents 1.0.",
)
@click.option("--since", type=parse_instant, help="Only events emitted at this instant or later.")
@click.option("--until", type=parse_instant, help="Only events emitted before this instant.")
@click.option("--user", help="Only events of this user, by name.")
@click.option(
    "--type", "event_type", default="*", help="Only this event type, or a prefix: task_*."
)
@config_option
def export_log(
    form: str,
    since: datetime | None,
    until: datetime | None,
    user: str | None,
    event_type: str,
    config: Path | None,
) -> None:
    """Write the event log to standard output, the oldest entry first.

    The command only reads; the workbench may be running.
    """
    with read_database(config):
        user_id = None if user is None else _find_user(user)
        entries = iterate_entries(EventFilter(user_id, event_type, since, until))
        for line in FORMATS[form](entries):
            click.echo(line, nl=False)


def _parse_link(text: str) -> Link:
    number, _, hash_ = text.partition(":")
    if not number.isdecimal() or not hash_:
        raise click.BadParameter("write it as NUMBER:HASH", param_hint="--expect")
    return Link(int(number), hash_)


def _find_user(name: str) -> int:
    user = User.get_or_none(User.name == name)
    if user is None:
        raise NotFound(f"there is no user {name!r}")
    return int(user.id)

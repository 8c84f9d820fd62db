"""Options and rules that the commands for receivers share."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import click

from biont.cli import read_settings
from biont.egress import EgressPolicy
from biont_webhooks.subscription.signing import validate_secret

Command = TypeVar("Command", bound=Callable[..., object])

SECRET_VARIABLE = "BIONT_WEBHOOK_SECRET"  # noqa: S105  # the name of a variable
"""Environment variable that holds a secret."""

_LOOPBACK = ["127.0.0.0/8:*", "[::1]:*"]


def check_secret(_: click.Context, __: click.Parameter, secret: str | None) -> str | None:
    """Return a valid secret of an option.

    Raises:
        click.BadParameter: the secret is not valid.
    """
    try:
        return None if secret is None else validate_secret(secret)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


def _choose_secrets(
    context: click.Context, parameter: click.Parameter, given: Sequence[str]
) -> list[str]:
    # Not by click's `envvar`, which would split a secret with spaces into several secrets.
    found = given or [value for value in [os.environ.get(SECRET_VARIABLE)] if value]
    return [check_secret(context, parameter, secret) or "" for secret in found]


def secret_option(command: Command) -> Command:
    """Add ``--secret``, given once or several times, or by the environment."""
    return click.option(
        "--secret",
        "secrets",
        multiple=True,
        callback=_choose_secrets,
        help="Secret that signs requests; repeat for a replaced secret. "
        f"Default: {SECRET_VARIABLE}.",
    )(command)


def make_policy(config: Path | None) -> EgressPolicy:
    """Return the operator's egress policy, extended by the loopback."""
    # A user who runs commands on this machine can reach the loopback without the workbench.
    return EgressPolicy([*read_settings(config).egress.allow, *_LOOPBACK])

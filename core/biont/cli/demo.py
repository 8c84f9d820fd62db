"""``biont demo``."""

from __future__ import annotations

import asyncio
import contextlib

import click

from biont.exceptions import BiontError


@click.command("demo")
@click.option("--keep", is_flag=True, help="Go on serving at the end, until Ctrl-C.")
def command(*, keep: bool) -> None:
    """Do the main job for real, in a temporary folder, and tell it step by step.

    A prompt falls due by its cron expression, a local model answers it, the
    answer becomes a note, and a signed webhook arrives. It takes a few seconds; the first
    time it fetches the model (93 MB) and keeps it in your cache folder.
    """
    try:
        from biont.demo.walkthrough import Story
    except ModuleNotFoundError as error:
        raise BiontError(f"{error}; install it with: pip install 'biont[demo]'") from error
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(Story(click.echo).run(keep=keep))

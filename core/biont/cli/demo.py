"""``biont demo``."""

from __future__ import annotations

import asyncio
import contextlib

import click

from biont.exceptions import BiontError


@click.command("demo")
@click.option("--keep", is_flag=True, help="Keep serving at the end, until Ctrl-C.")
def command(*, keep: bool) -> None:
    """Run the main job in a temporary folder, and report each step.

    A scheduled prompt is due by its cron expression, a local model answers the prompt, the
    answer becomes a note, and a signed webhook arrives. The demo takes a few seconds. The first
    demo downloads the model (93 MB) into your cache folder.
    """
    try:
        from biont.demo.walkthrough import Walkthrough
    except ModuleNotFoundError as error:
        raise BiontError(f"{error}; install it with: pip install 'biont[demo]'") from error
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(Walkthrough(click.echo).run(keep=keep))

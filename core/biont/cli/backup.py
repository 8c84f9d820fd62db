"""``biont backup``."""

from __future__ import annotations

from pathlib import Path

import click

from biont.cli.options import config_option, read_settings


@click.command("backup")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@config_option
def command(file: Path, config: Path | None) -> None:
    """Copy the database to the new file FILE, also while a workbench runs.

    The copy has the state of one moment, and is checked. The key file of the vault is not in the
    copy: keep a copy of that file, too, in another place.
    """
    from biont.security.vault import identify_key
    from biont.store.backup import back_up, open_backup

    settings = read_settings(config)
    back_up(settings.database.path, file)
    click.echo(f"{file} is a backup of {settings.database.path}")
    with open_backup(file):
        fingerprint = identify_key(settings.vault.key_file)
    if fingerprint is not None:
        click.echo(
            f"its secrets are encrypted with the key {fingerprint} of {settings.vault.key_file}; "
            "keep a copy of that file, in another place"
        )

"""``biont restore``."""

from __future__ import annotations

from pathlib import Path

import click

from biont.cli.options import config_option, read_settings


@click.command("restore")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--check", is_flag=True, help="Only check the backup; the database stays.")
@config_option
def command(file: Path, config: Path | None, *, check: bool) -> None:
    """Put a copy of the backup FILE in the place of the database.

    The backup is checked before: its pages and references, the key file of the vault, and the
    hash chain of the event log. The old database is kept beside the new one. No workbench may
    run on the database meanwhile.
    """
    from biont.cli.log_setup import configure_logs
    from biont.cli.restoration import check_backup
    from biont.store.backup import replace_database
    from biont.store.lock import hold_database

    settings = read_settings(config)
    configure_logs(settings.log)
    check_backup(file, settings)
    if check:
        click.echo(f"{file} is whole")
        return
    database = settings.database.path
    with hold_database(database):
        old = replace_database(database, file)
    click.echo(f"{database} has the data of {file}")
    if old is not None:
        click.echo(f"the old database is {old}; delete the file when you do not need it any more")

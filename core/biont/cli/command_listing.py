"""Process that imports all plugins and prints the index of their commands."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from biont.cli.command_index import CommandIndex, take_fingerprint
from biont.cli.options import read_settings
from biont.exceptions import BiontError
from biont.plugins.loading import load_plugins

_WHOLE = 10_000


def list_commands(config: Path | None) -> CommandIndex:
    """Return the commands of all plugins that the configuration enables.

    Args:
        config: the configuration, a folder or one file.
    """
    group = click.Group()
    try:
        settings = read_settings(config)
        folder = settings.plugins.folder
        # Before the imports, so that a change during the imports leads to a new index.
        fingerprint = take_fingerprint(config, None if folder is None else str(folder))
        plugins = load_plugins(settings)
        plugins.add_commands(group)
    except (BiontError, OSError) as error:
        return CommandIndex({}, str(error).splitlines())
    return CommandIndex(
        {
            name: command.get_short_help_str(_WHOLE)
            for name, command in group.commands.items()
            if not command.hidden
        },
        [f"{name}: {reason}" for name, reason in plugins.quarantined.items()],
        None if folder is None else str(folder),
        fingerprint,
    )


def main() -> None:
    """Print the index of the configuration that the first argument names."""
    # Plugins may print during their import: send these lines to standard error.
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as out:
        os.dup2(2, 1)
        out.write(list_commands(Path(sys.argv[1]) if sys.argv[1:] else None).format())


if __name__ == "__main__":
    main()

"""Database template: a migrated database that each test copies.

Migrating an empty database takes most of the time that a workbench needs to start. All
built-in plugins are migrated once; a copy of the files then starts in a quarter of the time.
The migrations of further plugins run on top of the copy.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from biont.application import open_application
from biont.settings.loading import load_settings
from biont.testing.clock import ManualClock
from biont.testing.config import write_config

_FILES = ("biont.sqlite3", "biont.key")


class DatabaseTemplate:
    """The files of a workbench that was started once and stopped.

    Args:
        folder: where the files are made.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def make(self) -> None:
        """Start and stop a workbench with all built-in plugins."""
        settings = load_settings(write_config(self._folder, {}), environ={})
        async with open_application(settings, clock=ManualClock()):
            pass

    def copy_to(self, folder: Path, sections: Mapping[str, object]) -> None:
        """Copy the database and its key file into `folder`, unless a database is there.

        Args:
            folder: the folder of `write_config`.
            sections: the sections given to `write_config`. With a database or key file of
                their own nothing is copied.
        """
        is_default = not sections.keys() & {"database", "vault"}
        if is_default and not (folder / _FILES[0]).exists():
            for name in _FILES:
                # With the mode, because a key file that others may read is refused.
                shutil.copy(self._folder / name, folder / name)

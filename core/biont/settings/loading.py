"""Loading of settings from YAML files and the environment."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from biont.settings.sections import Settings
from biont.settings.sources import read_sources


def load_settings(config: Path | None, *, environ: Mapping[str, str]) -> Settings:
    """Return the validated settings of the core; `Settings.read_sections` validates plugins'.

    Args:
        config: a folder, whose ``*.yaml`` files are merged; or a single file; or None for the
            defaults.
        environ: the environment, such as ``os.environ``.

    Raises:
        SettingsError: the settings are invalid. The error has all problems, each with its place,
            and no value, because a value may be a secret.
    """
    return Settings.from_sources(read_sources(config, environ))

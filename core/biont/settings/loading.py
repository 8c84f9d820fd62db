"""Loading of settings from YAML files and the environment."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from biont.settings.sections import Settings
from biont.settings.sources import read_sources


def load_settings(config: Path | None, *, environ: Mapping[str, str]) -> Settings:
    """Read and check everything but the plugins' sections, which `read_sections` does.

    Args:
        config: a folder, of which every ``*.yaml`` is read and merged; or a single
            file; or None for the defaults.
        environ: the environment, such as ``os.environ``.

    Raises:
        SettingsError: something is wrong; all problems are named, each with its place,
            and none repeats a value, which may be a secret.
    """
    return Settings.from_sources(read_sources(config, environ))

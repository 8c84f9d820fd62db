"""Configuration of a workbench that keeps all files in one folder."""

from __future__ import annotations

from pathlib import Path

import yaml


def write_config(folder: Path, sections: dict[str, object]) -> Path:
    """Write a configuration for tests, and return the path of its folder.

    The database and the key file lie in `folder`, the port is a free one, and webhooks may go
    to any port of the loopback interface.

    Args:
        folder: where all files go.
        sections: YAML sections; each replaces the whole section of that name above.
    """
    config = folder / "config"
    config.mkdir(exist_ok=True)
    basis: dict[str, object] = {
        "server": {"port": 0},
        "database": {"url": f"sqlite:///{folder / 'biont.sqlite3'}"},
        "vault": {"key_file": str(folder / "biont.key")},
        "egress": {"allow": ["127.0.0.0/8:*"]},
    }
    (config / "biont.yaml").write_text(yaml.safe_dump(basis | sections))
    return config

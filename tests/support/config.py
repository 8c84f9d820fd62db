"""Configurations that keep everything in a folder of the test's own."""

from __future__ import annotations

from pathlib import Path

import yaml


def write_config(folder: Path, sections: dict[str, object]) -> Path:
    """Write `sections` over what every test needs; return the configuration's folder."""
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

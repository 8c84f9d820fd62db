"""Names of the core's commands, which no plugin may take."""

from __future__ import annotations

CORE_COMMANDS = (
    "api",
    "backup",
    "config",
    "demo",
    "events",
    "keys",
    "plugins",
    "restore",
    "serve",
    "users",
)
"""The commands of the core, each a module of `biont.cli`."""

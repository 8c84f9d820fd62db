"""Loading of the plugins that the settings choose."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from functools import partial
from types import MappingProxyType, ModuleType
from typing import TYPE_CHECKING

from biont.exceptions import SettingsError
from biont.plugins.manager import PluginManager
from biont.settings.error_messages import suggest
from biont.settings.sections import Settings

if TYPE_CHECKING:
    from pydantic import BaseModel


def load_plugins(
    settings: Settings, further: Mapping[str, ModuleType] = MappingProxyType({})
) -> PluginManager:
    """Return the manager with all plugins that `settings` choose, imported.

    Args:
        settings: the operator's settings.
        further: imported plugins by name, beside the installed plugins.

    Raises:
        PluginError: ``plugins.folder`` does not exist.
        SettingsError: ``plugins.disable`` names a plugin that does not exist.
    """
    chosen = settings.plugins
    plugins = PluginManager(chosen.start_timeout)
    plugins.load(disable=chosen.disable, folder=chosen.folder, further=further)
    # A misspelt name would leave the plugin running that the operator wants to be off.
    problems = [
        f"{settings.locate(('plugins', 'disable', index))}: there is no plugin {name!r}; "
        f"{suggest(name, plugins.names)}"
        for index, name in enumerate(chosen.disable)
        if name not in plugins.names
    ]
    if problems:
        raise SettingsError(problems)
    return plugins


def read_sections(settings: Settings, plugins: PluginManager) -> dict[str, BaseModel]:
    """Return the validated sections of the running plugins, by the plugin's name.

    Raises:
        SettingsError: a section is invalid, or belongs to no plugin.
    """
    models = plugins.settings_models()
    for name, model in list(models.items()):
        if not plugins.is_built_in(name):
            # Validators are code of the plugin: an error other than a wrong setting is its own.
            with plugins.guard(name), contextlib.suppress(SettingsError):
                plugins.call(name, partial(settings.read_section, name, model))
    return settings.read_sections(
        {name: model for name, model in models.items() if name in plugins.running},
        absent={*plugins.disabled, *plugins.quarantined},
    )

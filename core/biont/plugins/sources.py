"""Plugin sources: entry points of installed packages, and files in a folder."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType

from biont.exceptions import PluginError
from biont.settings.sections import PluginSettings

GROUP = "biont"
"""The entry point group in which plugins are found."""

_DISTRIBUTION = "biont"
"""The distribution whose plugins are built in."""


@dataclass(frozen=True)
class PluginSource:
    """Place of a plugin.

    Attributes:
        name: the name of the plugin.
        place: the entry point or file, for messages.
        load: imports the plugin.
        is_built_in: whether the plugin comes with the workbench.
    """

    name: str
    place: str
    load: Callable[[], ModuleType]
    is_built_in: bool = False


@dataclass(frozen=True)
class FoundSources:
    """Sources of all plugins.

    Attributes:
        sources: the sources by the plugin's name, built-in plugins first, then by name.
        refused: the reason of each plugin whose name cannot be used, by name and place.
    """

    sources: dict[str, PluginSource] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)

    def add(self, source: PluginSource) -> None:
        """Add a source, or refuse the source because of its name."""
        name = source.name
        label = f"{name} ({source.place})"
        if name in _RESERVED:
            self.refused[label] = f"the name {name!r} is reserved; rename the plugin"
        elif name in self.sources:
            self.refused[label] = (
                f"there is another plugin called {name!r}: {self.sources[name].place}; "
                "rename or remove one"
            )
        else:
            self.sources[name] = source


def find_sources(folder: Path | None, further: Mapping[str, ModuleType]) -> FoundSources:
    """Return the sources of the installed plugins, of `folder` and of `further`.

    Raises:
        PluginError: there is no such folder.
    """
    found = FoundSources()
    sources = [*_iterate_sources(folder, further)]
    # The first owner of a name keeps the name: a stranger never replaces a built-in plugin.
    for source in sorted(sources, key=lambda source: (not source.is_built_in, source.name)):
        found.add(source)
    return found


_RESERVED = {"core", *PluginSettings.model_fields}
"""The core's own name, and the keys of the section ``plugins`` that are not a plugin's."""


def _iterate_sources(
    folder: Path | None, further: Mapping[str, ModuleType]
) -> Iterator[PluginSource]:
    for point in entry_points(group=GROUP):
        yield PluginSource(point.name, point.value, point.load, _is_built_in(point))
    for name, module in further.items():
        yield PluginSource(name, module.__name__, partial(_return, module))
    if folder is None:
        return
    if not folder.is_dir():
        raise PluginError(f"plugins.folder: there is no folder {folder}; create it")
    for path in sorted(folder.glob("*.py")):
        yield PluginSource(path.stem, str(path), partial(_load_file, path))


def _is_built_in(point: EntryPoint) -> bool:
    return point.dist is not None and point.dist.name == _DISTRIBUTION


def _return(module: ModuleType) -> ModuleType:
    return module


def _load_file(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"biont_file_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise PluginError(f"{path} cannot be imported")
    module = importlib.util.module_from_spec(spec)
    # pydantic and dataclasses look modules up by name; a later workbench may replace the module.
    sys.modules[spec.name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        sys.modules.pop(spec.name, None)
        raise
    return module

"""Index of the commands that plugins add, so that help imports no plugin.

An index is made by a process of its own (`biont.cli.command_survey`), which imports all plugins
and asks them for their commands; a plugin that ends its process, or prints, spoils no help.
The index then lies in the user's cache folder, one for each environment and configuration,
with a fingerprint of all that it was made from: versions of the distributions, files of the
plugins and of the configuration. Another fingerprint means a new index. An index that lacks a
plugin, because the plugin is broken, is not kept: its reason may show in no fingerprint.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import json
import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import entry_points, version
from pathlib import Path

from biont.user_cache import find_user_cache

_TIMEOUT = 30.0
_SILENT = "the plugins could not be asked for their commands; see `biont plugins`"


@dataclass(frozen=True)
class CommandIndex:
    """Commands that plugins add.

    Attributes:
        commands: the first line of each command's help, by the command's name.
        problems: the reasons for which commands are missing, each a line.
        folder: the folder of plugins that are single files, as the settings name it.
        fingerprint: of all that the index was made from.
    """

    commands: dict[str, str]
    problems: list[str]
    folder: str | None = None
    fingerprint: str = ""

    @classmethod
    def parse(cls, text: str | bytes) -> CommandIndex | None:
        """Return the index that was written as `text`; None if it is no index."""
        try:
            found: object = json.loads(text)
        except ValueError:
            return None
        match found:
            case {
                "commands": dict(commands),
                "problems": list(problems),
                "folder": str() | None as folder,
                "fingerprint": str(fingerprint),
            } if all(isinstance(line, str) for line in [*commands.values(), *problems]):
                return cls(commands, problems, folder, fingerprint)
        return None

    def format(self) -> str:
        """Return the index as text for `parse`."""
        return json.dumps(asdict(self))


def read_index(config: Path | None) -> CommandIndex:
    """Return the index: the kept one, or a new one if something has changed.

    Args:
        config: the configuration, a folder or one file.
    """
    path = _find_place(config)
    with contextlib.suppress(OSError):  # A file that cannot be read is the survey's to report.
        kept = None if path is None else CommandIndex.parse(path.read_bytes())
        if kept is not None and kept.fingerprint == take_fingerprint(config, kept.folder):
            return kept
    index = _make(config)
    if path is not None and not index.problems:
        with contextlib.suppress(OSError):  # A cache that cannot be written only costs time.
            _keep(index, path)
    return index


def take_fingerprint(config: Path | None, folder: str | None) -> str:
    """Return a digest of all that decides which commands there are.

    Args:
        config: the configuration, a folder or one file.
        folder: the folder of plugins that are single files, if there is one.
    """
    points = entry_points(group="biont")
    packages = {point.value.partition(":")[0].partition(".")[0] for point in points}
    files: list[Iterable[Path]] = [_list_sources(package) for package in sorted(packages)]
    if config is not None:
        files.append(config.glob("*.yaml") if config.is_dir() else [config])
    if folder is not None:
        files.append(Path(folder).absolute().glob("*.py"))
    parts = [
        [sys.version, version("biont")],
        [os.environ.get(f"BIONT_PLUGINS__{name}") for name in ("DISABLE", "FOLDER")],
        sorted(
            (point.name, point.value, point.dist.version if point.dist else "") for point in points
        ),
        [sorted(map(_describe_file, paths)) for paths in files],
    ]
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def _list_sources(package: str) -> Iterator[Path]:
    """Yield the files of a package; a package at the top is found without being imported."""
    try:
        spec = importlib.util.find_spec(package)
    except (ImportError, ValueError):  # An entry point that names no module.
        return
    if spec is not None and spec.submodule_search_locations is None and spec.origin:
        yield Path(spec.origin)
    for place in (spec and spec.submodule_search_locations) or []:
        yield from Path(place).rglob("*.py")


def _describe_file(path: Path) -> tuple[str, int, int]:
    try:
        status = path.stat()
    except OSError:
        return str(path), 0, 0
    return str(path), status.st_mtime_ns, status.st_size


def _find_place(config: Path | None) -> Path | None:
    cache = find_user_cache(os.environ)
    whose = f"{sys.prefix}\n{config and config.absolute()}"
    digest = hashlib.sha256(whose.encode()).hexdigest()[:16]
    return None if cache is None else cache / f"commands-{digest}.json"


def _keep(index: CommandIndex, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(f".{os.getpid()}")
    part.write_text(index.format())
    part.replace(path)


def _make(config: Path | None) -> CommandIndex:
    import subprocess

    # -P and this process's own path: the other process finds the modules that this one finds.
    module = "biont.cli.command_survey"
    command = [sys.executable, "-P", "-m", module, *([] if config is None else [str(config)])]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    try:
        done = subprocess.run(  # noqa: S603  # the command is our own
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=_TIMEOUT,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return CommandIndex({}, [_SILENT])
    return CommandIndex.parse(done.stdout) or CommandIndex({}, [_SILENT])

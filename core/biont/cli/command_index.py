"""Index of the commands that plugins add, so that help imports no plugin.

A process of its own (`biont.cli.command_listing`) makes the index: it imports all plugins and
calls their hooks. A plugin that ends its process, or prints, cannot harm the help.
The index is stored in the user's cache folder, for each environment and configuration, with a
fingerprint of its sources: versions of the distributions, files of the plugins and of the
configuration. A different fingerprint leads to a new index. An index with a broken plugin is not
stored, because the cause of the failure may lie outside of the fingerprint.
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
_LISTING_FAILED = "the commands of plugins could not be listed; see `biont plugins`"


@dataclass(frozen=True)
class CommandIndex:
    """Commands that plugins add.

    Attributes:
        commands: the first line of each command's help, by the command's name.
        problems: the reason of each missing command, a line each.
        folder: the setting ``plugins.folder``.
        fingerprint: the digest of the index's sources.
    """

    commands: dict[str, str]
    problems: list[str]
    folder: str | None = None
    fingerprint: str = ""

    @classmethod
    def parse(cls, text: str | bytes) -> CommandIndex | None:
        """Return the index in `text`; None if `text` has no valid index."""
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
    """Return the stored index, or a new index if its sources have changed.

    Args:
        config: the configuration, a folder or one file.
    """
    path = _find_index_path(config)
    with contextlib.suppress(OSError):  # The listing reports files that cannot be read.
        stored = None if path is None else CommandIndex.parse(path.read_bytes())
        if stored is not None and stored.fingerprint == take_fingerprint(config, stored.folder):
            return stored
    index = _make_index(config)
    if path is not None and not index.problems:
        with contextlib.suppress(OSError):  # A cache that cannot be written only costs time.
            _store_index(index, path)
    return index


def take_fingerprint(config: Path | None, folder: str | None) -> str:
    """Return a digest of the sources of the index.

    Args:
        config: the configuration, a folder or one file.
        folder: the setting ``plugins.folder``.
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
    """Yield the files of a top-level package without importing the package."""
    try:
        spec = importlib.util.find_spec(package)
    except (ImportError, ValueError):  # The entry point names no module.
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


def _find_index_path(config: Path | None) -> Path | None:
    cache = find_user_cache(os.environ)
    environment = f"{sys.prefix}\n{config and config.absolute()}"
    digest = hashlib.sha256(environment.encode()).hexdigest()[:16]
    return None if cache is None else cache / f"commands-{digest}.json"


def _store_index(index: CommandIndex, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    # Another process may read the index at the same time: write to a file of our own, then rename.
    part = path.with_suffix(f".{os.getpid()}")
    part.write_text(index.format())
    part.replace(path)


def _make_index(config: Path | None) -> CommandIndex:
    import subprocess

    # -P and this process's own path: the other process finds the modules that this one finds.
    module = "biont.cli.command_listing"
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
        return CommandIndex({}, [_LISTING_FAILED])
    return CommandIndex.parse(done.stdout) or CommandIndex({}, [_LISTING_FAILED])

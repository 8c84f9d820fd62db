"""Lazy public names: a package loads each name when it is first used.

A plugin that needs three names then does not import the whole workbench, and the command
line starts at once. The list of names stands in one place, the package's stub file
``__init__.pyi``, which type checkers read as well.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from functools import cache
from importlib import import_module
from pathlib import Path


def load_lazily(
    package: str, file: str
) -> tuple[Callable[[str], object], Callable[[], list[str]]]:
    """Return ``__getattr__`` and ``__dir__`` (PEP 562) for the module of a package.

    Args:
        package: the ``__name__`` of the module.
        file: the ``__file__`` of the module; the stub stands beside it.
    """

    @cache
    def read_names() -> Mapping[str, str]:
        return _read_stub(Path(file).with_suffix(".pyi"))

    def load(name: str) -> object:
        module = read_names().get(name)
        if module is None:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(import_module(module), name)

    def list_names() -> list[str]:
        return sorted(read_names())

    return load, list_names


def _read_stub(stub: Path) -> dict[str, str]:
    """Return the module of each name that `stub` imports."""
    return {
        alias.name: node.module
        for node in ast.parse(stub.read_text("utf-8")).body
        if isinstance(node, ast.ImportFrom) and node.module is not None
        for alias in node.names
        if alias.asname == alias.name
    }
